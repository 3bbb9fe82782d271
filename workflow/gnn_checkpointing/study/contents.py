"""The user's own files that a study reads, and their SHA-256, since a result depends on their content."""

import hashlib
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from gnn_checkpointing.artefacts import digest, read_json, sha256_of, write_json
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.architecture import Architecture
from gnn_checkpointing.study.graph_entries import DATASETS, RealGraph
from gnn_checkpointing.study.own_model import module_files
from gnn_checkpointing.study.settings import Explaining
from gnn_checkpointing.study.study import Study
from gnn_checkpointing.study.vocabulary import expanded

_UNNAMED = ""
"""Stands for the name of a single file whose name does not matter: weights, or a list of classes."""

_TABLES = ("edges.csv", "features.csv", "labels.csv")
_SETTLED_NANOSECONDS = 2 * 10**9
"""A file that changed less than this before it was read may change again without a change of size or times."""


class Memory:
    """Cache of checksums from earlier runs, in one file, so that large files are read again only after a change.

    A set of files is recognised by sizes, modification and change times and inodes; no program can set all of these.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            found = read_json(path)
        except Refusal:
            found = {}
        self._known: dict[str, Any] = found if isinstance(found, dict) else {}

    def checksums(self, files: Mapping[str, Path]) -> dict[str, str]:
        """SHA-256 of each file by its name in `files`."""
        states = {name: path.stat() for name, path in sorted(files.items())}
        key = digest([str(path.resolve()) for _, path in sorted(files.items())])
        stamp = digest([[name, s.st_size, s.st_mtime_ns, s.st_ctime_ns, s.st_ino] for name, s in states.items()], 32)
        if self._known.get(key, {}).get("stamp") == stamp:
            return dict(self._known[key]["files"])
        found = {name: sha256_of(files[name]) for name in states}
        newest = max((state.st_ctime_ns for state in states.values()), default=0)
        if newest < time.time_ns() - _SETTLED_NANOSECONDS:
            self._known[key] = {"stamp": stamp, "files": found}
            with suppress(OSError):  # in a read-only folder, the files are simply read again
                write_json(self._path, self._known)
        return found


def with_contents(study: Study, memory: Memory) -> Study:
    """The study with the current SHA-256 of every file that it reads.

    Missing files are left out, since their reader will say which ones are missing and where to put them; so are
    datasets that are downloaded.
    """
    root = None if study.data_root is None else expanded(study.data_root)
    explained, architecture = study.explained, study.architecture
    try:
        real = tuple(
            source.model_copy(update={"files": memory.checksums(graph_files(source, root))})
            for source in study.graphs.real
        )
        if explained is not None:
            contents = explained_contents(explained).items()
            sums = {name: _together(memory.checksums(files)) for name, files in contents}
            explained = explained.model_copy(update={"files": sums})
        if architecture.module is not None:
            sums = memory.checksums(module_files(architecture.module))
            architecture = architecture.model_copy(update={"files": sums})
    except OSError as error:
        raise Refusal(
            f"study {study.name}: {error.filename}: not readable ({(error.strerror or str(error)).lower()}); change "
            "its permissions, or name another file"
        ) from None
    graphs = study.graphs.model_copy(update={"real": real})
    return study.model_copy(update={"graphs": graphs, "explained": explained, "architecture": architecture})


def graph_files(source: RealGraph, root: Path | None) -> dict[str, Path]:
    """Files that a real graph is read from, by their names in its provenance.

    For a dataset these are all files in its raw folder, since only PyG knows which of them it reads.
    """
    place = source.csv or source.npz
    if place is not None:
        if root is None and not place.is_absolute():
            return {}
        path = place if root is None else root / place
        names = {name: path / name for name in _TABLES} if source.csv is not None else {path.name: path}
        return {name: file for name, file in names.items() if file.is_file()}
    folder = root and root / str(source.dataset)
    if folder is None or not folder.is_dir():
        return {}
    # PyG changes the case and hyphens of some names.
    own = [folder] if source.dataset in DATASETS and DATASETS[source.dataset].single else [
        one for one in folder.iterdir() if _plain(one.name) == _plain(source.name)
    ]  # fmt: skip
    raw = [one for above in own for pattern in ("raw", "*/raw") for one in above.glob(pattern)]
    return {name: path for one in raw for pattern in ("*", "*/*") for name, path in _files(one, pattern).items()}


def explained_contents(asked: Explaining) -> dict[str, dict[str, Path]]:
    """Files of a trained model and its images, by their role and then by name; images are in one folder per class."""
    found = {
        name: {_UNNAMED: path} if path is not None and path.is_file() else {}
        for name, path in (("weights", asked.weights), ("classes", asked.classes))
    }
    for name, given in (("validation", asked.validation), ("adversarial", asked.adversarial)):
        for part in ("images", "masks"):
            folder = getattr(given, part, None)
            found[f"{name}.{part}"] = {} if folder is None else _files(folder, "*/*")
    return {name: files for name, files in found.items() if files}


def model_contents(architecture: Architecture) -> dict[str, str]:
    """Current SHA-256 of each file of the user's own model; empty if there is no such model."""
    if architecture.module is None:
        return {}
    return {name: sha256_of(path) for name, path in module_files(architecture.module).items()}


def refuse_other_model(architecture: Architecture) -> None:
    """Refuse if the files of the user's own model differ from those that the study lists."""
    if architecture.files and architecture.files != model_contents(architecture):
        raise Refusal(f"module {architecture.module}: its files have changed since this run began; run again")


def refuse_other_contents(study: Study) -> None:
    """Refuse if the files of a trained model or its images differ from those that the study lists."""
    if study.explained is None:
        return
    for name, files in explained_contents(study.explained).items():
        expected = study.explained.files.get(name)
        if expected is not None and expected != _together({one: sha256_of(path) for one, path in files.items()}):
            raise Refusal(f"explained.{name}: its files have changed since this run began; run again")


def _together(checksums: Mapping[str, str]) -> str:
    """Checksum of a single unnamed file, or one checksum for all files of a folder."""
    if list(checksums) == [_UNNAMED]:
        return checksums[_UNNAMED]
    lines = (f"{sha256}  {name}\n" for name, sha256 in sorted(checksums.items()))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _files(folder: Path, pattern: str) -> dict[str, Path]:
    # A pattern of fixed depth follows links to folders, which `**` does not, and datasets are often linked.
    return {path.relative_to(folder).as_posix(): path for path in folder.glob(pattern) if path.is_file()}


def _plain(name: str) -> str:
    return name.lower().replace("-", "_")
