"""Published reports rebuilt by this code, once for all tests, workers and runs of the same code."""

import fcntl
import functools
import gc
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest.mock import patch

from gnn_checkpointing import packed as archives
from gnn_checkpointing.cli import main
from gnn_checkpointing.packed import PACK, packed_files
from gnn_checkpointing.report import pdf, render
from gnn_checkpointing.report.render import TEMPLATES, published_sources, read_inputs, render_report
from gnn_checkpointing.report.run_folder import RunFolder

ROOT = Path(__file__).resolve().parent.parent
CODE = ("workflow/gnn_checkpointing", "templates", "requirements.lock", "tests/rebuilt.py")
PLACE = Path(os.environ.get("GNN_CHECKPOINTING_SHARED", tempfile.gettempdir()))
SHARED = PLACE / f"gnn-checkpointing-made-{os.getuid()}"
KEPT_SECONDS = 86_400
AS_PUBLISHED = ((archives, "_FILTERS", archives._FILTERS), (pdf, "_HARDEST", pdf._HARDEST))
"""Settings that compress a publication; in tests, both are compressed less (`lightly.py`)."""


@functools.cache
def rebuilt(study: str) -> Path:
    """Folder of a rebuilt study, its files unpacked; copy it before you change it."""

    def make(folder: Path) -> None:
        shutil.copytree(packed(study), folder)
        unpack(folder)

    return _shared(study, "rebuilt", make)


@functools.cache
def packed(study: str, as_published: bool = False) -> Path:
    """Folder of a rebuilt study with its data in one archive; with `as_published`, compressed as in a publication."""

    def make(folder: Path) -> None:
        with ExitStack() as stack:
            for setting in AS_PUBLISHED if as_published else ():
                stack.enter_context(patch.object(*setting))
            assert rebuild(published(study), folder) == 0

    return _shared(study, "published" if as_published else "packed", make)


REBUILT = ("batches", "default", "real", "ten-million")
"""Studies that tests of other rooms rebuild: their documents need not be rendered twice."""
EVERY_PDF = bool(os.environ.get("EVERY_PDF"))
"""Set by `make test-all`, where other tests need all PDFs."""


@functools.cache
def rendered(study: str) -> Path:
    """Both documents of a published study, by this code; the PDFs are empty where no test has needed them yet."""

    def make(folder: Path) -> None:
        frozen = published(study)
        with unprinted():
            render_report(read_inputs(RunFolder(frozen)), published_sources(frozen), TEMPLATES, folder)
        unpack(folder)

    whole = study in REBUILT or EVERY_PDF or _place(f"rebuilt-{study}", str(published(study))).exists()
    return rebuilt(study) if whole else _shared(study, "rendered", make)


@contextmanager
def unprinted() -> Iterator[None]:
    """Write empty PDFs, which saves half of the time of a report."""
    with patch.object(render, "report_pdf", lambda page, templates: b""):
        yield


def rebuild(frozen: Path, folder: Path) -> int:
    """Run `rebuild` on a published report; returns its exit code."""
    return main(["rebuild", f"--frozen={frozen}", f"--templates={TEMPLATES}", f"--output-folder={folder}"])


def copied(report: Path, place: Path) -> Path:
    """Copy a published folder, keeping the names of machine and study."""
    return Path(shutil.copytree(report, place / report.parent.name / report.name))


def published(study: str) -> Path:
    (found,) = ROOT.glob(f"report/*/{study}")
    return found


def unpack(folder: Path) -> None:
    """Replace a folder's archive, if it has one, by its files."""
    for name, content in packed_files(folder).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    (folder / PACK).unlink(missing_ok=True)


def _shared(study: str, kind: str, make: Callable[[Path], None]) -> Path:
    names = published(study).relative_to(ROOT / "report")
    return once(f"{kind}-{study}", lambda place: make(place / names), str(published(study))) / names


def once(name: str, make: Callable[[Path], object], *sources: str) -> Path:
    """Folder that `make` fills, once for this code and these sources."""
    place = _place(name, *sources)
    with locked(place.with_suffix(".lock")):
        if not place.exists():
            _forget_old()
            making = place.with_suffix(".making")
            shutil.rmtree(making, ignore_errors=True)
            making.mkdir()
            gc.disable()  # a report needs all its objects until the end
            try:
                make(making)
            finally:
                gc.enable()
            making.rename(place)
        os.utime(place)  # marks it as in use, so that no process deletes it as old
    return place


def _place(name: str, *sources: str) -> Path:
    return SHARED / f"{name}-{digest(*CODE, *sources)}"


@functools.cache
def digest(*places: str) -> str:
    found = hashlib.sha256()
    for place in (ROOT / name for name in places):
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path.is_file() and path.suffix not in (".pyc", ".so"):
                found.update(f"{path.relative_to(ROOT)} {path.stat().st_size}\n".encode() + path.read_bytes())
    return found.hexdigest()[:16]


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock on a file; the system releases it if the process dies."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _forget_old() -> None:
    for path in SHARED.iterdir():
        if path.is_dir() and path.stat().st_mtime < time.time() - KEPT_SECONDS:
            shutil.rmtree(path, ignore_errors=True)
