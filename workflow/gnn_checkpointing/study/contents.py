"""Which files of the user's own a study reads, and their SHA-256: a result belongs to what they held."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from gnn_checkpointing.artefacts import digest, read_json, sha256_of, write_json
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.architecture import Architecture
from gnn_checkpointing.study.explaining import Explaining, ImageSet
from gnn_checkpointing.study.graph_entries import RealGraph
from gnn_checkpointing.study.own_model import module_files
from gnn_checkpointing.study.study import Study
from gnn_checkpointing.study.vocabulary import ONE_OF_A_CLASS, expanded

_UNNAMED = ""
"""A single file whose name says nothing: weights, or a list of classes."""

_TABLES = ("edges.csv", "features.csv", "labels.csv")
_SETTLED_NANOSECONDS = 2 * 10**9
"""A file that changed this shortly before it was read may change again and keep its size and times."""


class Memory:
    """The checksums of earlier runs in one file, so that large files are read again only after a change.

    A set of files is known by sizes, times of change and inodes, of which a program cannot set them all.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            found = read_json(path)
        except Refusal:
            found = {}
        self._known: dict[str, Any] = found if isinstance(found, dict) else {}

    def checksums(self, files: Mapping[str, Path]) -> dict[str, str]:
        """Return the SHA-256 of each file by its name in `files`."""
        states = {name: path.stat() for name, path in sorted(files.items())}
        key = digest([str(path.resolve()) for _, path in sorted(files.items())])
        stamp = digest([[name, s.st_size, s.st_mtime_ns, s.st_ctime_ns, s.st_ino] for name, s in states.items()], 32)
        if self._known.get(key, {}).get("stamp") == stamp:
            return dict(self._known[key]["files"])
        found = {name: sha256_of(files[name]) for name in states}
        newest = max((state.st_ctime_ns for state in states.values()), default=0)
        if newest < time.time_ns() - _SETTLED_NANOSECONDS:
            self._known[key] = {"stamp": stamp, "files": found}
            self._write()
        return found

    def _write(self) -> None:
        try:
            write_json(self._path, self._known)
        except OSError:
            return  # a folder that cannot be written to only costs reading the files again


def with_contents(study: Study, memory: Memory) -> Study:
    """Return the study with the SHA-256 of every file that it reads, as found now.

    Files that are missing are left out: whatever reads them says which ones, and where to put them. So are datasets
    that are downloaded.
    """
    root = None if study.data_root is None else expanded(study.data_root)
    try:
        real = tuple(
            source.model_copy(update={"files": memory.checksums(graph_files(source, root))})
            for source in study.graphs.real
        )
        explained = study.explained
        if explained is not None:
            explained = explained.model_copy(update={"files": _explained(explained, memory)})
        architecture = study.architecture
        if architecture.module is not None:
            files = memory.checksums(module_files(architecture.module))
            architecture = architecture.model_copy(update={"files": files})
    except OSError as error:
        raise Refusal(
            f"study {study.name}: {error.filename}: not readable ({(error.strerror or str(error)).lower()}); change "
            "its permissions, or name another file"
        ) from None
    graphs = study.graphs.model_copy(update={"real": real})
    return study.model_copy(update={"graphs": graphs, "explained": explained, "architecture": architecture})


def graph_files(source: RealGraph, root: Path | None) -> dict[str, Path]:
    """Return the files that a real graph is read from, by the names that its provenance gives them.

    Of a dataset they are all files in its raw folder: which of them PyG reads, only PyG knows.
    """
    place = source.csv or source.npz
    if place is not None:
        if root is None and not place.is_absolute():
            return {}
        path = place if root is None else root / place
        names = {name: path / name for name in _TABLES} if source.csv is not None else {path.name: path}
        return {name: file for name, file in names.items() if file.is_file()}
    if root is None or not (root / str(source.dataset)).is_dir():
        return {}
    folder = root / str(source.dataset)
    own = [folder] if source.dataset in ONE_OF_A_CLASS else [one for one in folder.iterdir() if _named(one, source)]
    raw = [one for above in own for pattern in ("raw", "*/raw") for one in above.glob(pattern)]
    return {name: path for one in raw for pattern in ("*", "*/*") for name, path in _files(one, pattern).items()}


def explained_contents(asked: Explaining) -> dict[str, dict[str, Path]]:
    """Return the files of a trained model and its images: by what they are, then by name."""
    sets: list[tuple[str, ImageSet]] = [("validation", asked.validation)]
    if asked.adversarial is not None:
        sets.append(("adversarial", asked.adversarial))
    found = {"weights": _single(asked.weights)}
    if asked.classes is not None:
        found["classes"] = _single(asked.classes)
    for name, given in sets:
        found[f"{name}.images"] = _tree(given.images)
        if given.masks is not None:
            found[f"{name}.masks"] = _tree(given.masks)
    return {name: files for name, files in found.items() if files}


def model_contents(architecture: Architecture) -> dict[str, str]:
    """The SHA-256 of each file of the user's own model, as found now; nothing where there is none."""
    if architecture.module is None:
        return {}
    return {name: sha256_of(path) for name, path in module_files(architecture.module).items()}


def refuse_other_model(architecture: Architecture) -> None:
    """Refuse files of the user's own model that are not those that the study lists."""
    if architecture.files and architecture.files != model_contents(architecture):
        raise Refusal(f"module {architecture.module}: its files have changed since this run began; run again")


def refuse_other_contents(study: Study) -> None:
    """Refuse files of a trained model and images that are not those that the study lists."""
    if study.explained is None:
        return
    for name, files in explained_contents(study.explained).items():
        expected = study.explained.files.get(name)
        if expected is not None and expected != _together({one: sha256_of(path) for one, path in files.items()}):
            raise Refusal(f"explained.{name}: its files have changed since this run began; run again")


def _explained(asked: Explaining, memory: Memory) -> dict[str, str]:
    return {name: _together(memory.checksums(files)) for name, files in explained_contents(asked).items()}


def _together(checksums: Mapping[str, str]) -> str:
    """Return the checksum of a file that goes without a name, and one checksum of the files of a folder."""
    if list(checksums) == [_UNNAMED]:
        return checksums[_UNNAMED]
    lines: Iterable[str] = (f"{sha256}  {name}\n" for name, sha256 in sorted(checksums.items()))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _single(path: Path) -> dict[str, Path]:
    return {_UNNAMED: path} if path.is_file() else {}


def _tree(folder: Path) -> dict[str, Path]:
    """Return a folder of images or masks: a folder for each class, as they are read."""
    return _files(folder, "*/*")


def _files(folder: Path, pattern: str) -> dict[str, Path]:
    # By a pattern of one depth, which follows links to folders: datasets are often linked, and `**` passes links by.
    return {path.relative_to(folder).as_posix(): path for path in folder.glob(pattern) if path.is_file()}


def _named(folder: Path, source: RealGraph) -> bool:
    """Tell whether PyG would look for a dataset in this folder: it changes case and hyphens of some names."""
    return _plain(folder.name) == _plain(source.name)


def _plain(name: str) -> str:
    return name.lower().replace("-", "_")
