"""Published reports as this code makes them, once for all tests, workers and runs of the same code."""

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
from gnn_checkpointing.report import pdf
from gnn_checkpointing.report.render import TEMPLATES, published_sources, read_inputs, render_report
from gnn_checkpointing.report.run_folder import RunFolder

ROOT = Path(__file__).resolve().parent.parent
CODE = ("workflow/gnn_checkpointing", "templates", "requirements.lock", "tests/rebuilt.py")
PLACE = Path(os.environ.get("GNN_CHECKPOINTING_SHARED", tempfile.gettempdir()))
SHARED = PLACE / f"gnn-checkpointing-made-{os.getuid()}"
KEPT_SECONDS = 86_400
AS_PUBLISHED = ((archives, "_FILTERS", archives._FILTERS), (pdf, "_HARDEST", pdf._HARDEST))
"""How a publication is packed; tests have archives and PDFs that are made faster (`conftest.py`)."""


@functools.cache
def rebuilt(study: str) -> Path:
    """The folder of a published study, made again, its files plain; copy it to change it."""

    def make(folder: Path) -> None:
        shutil.copytree(packed(study), folder)
        unpack(folder)

    return _shared(study, "rebuilt", make)


@functools.cache
def packed(study: str, as_published: bool = False) -> Path:
    """The same with its data in one archive, `as_published` byte for byte."""

    def make(folder: Path) -> None:
        with ExitStack() as stack:
            for setting in AS_PUBLISHED if as_published else ():
                stack.enter_context(patch.object(*setting))
            assert rebuild(published(study), folder) == 0

    return _shared(study, "published" if as_published else "packed", make)


@functools.cache
def rendered(study: str) -> Path:
    """Both documents of a published study, rendered from the data beside them; of those nothing is computed again."""

    def make(folder: Path) -> None:
        sources = published_sources(published(study))
        render_report(read_inputs(RunFolder(published(study))), sources, TEMPLATES, folder)
        unpack(folder)

    return _shared(study, "rendered", make)


def rebuild(frozen: Path, folder: Path) -> int:
    """The exit code of the command that makes a published report again."""
    return main(["rebuild", f"--frozen={frozen}", f"--templates={TEMPLATES}", f"--output-folder={folder}"])


def copied(report: Path, place: Path) -> Path:
    """A copy of a published folder under its own names."""
    return Path(shutil.copytree(report, place / report.parent.name / report.name))


def published(study: str) -> Path:
    """The folder of a published study."""
    (found,) = ROOT.glob(f"report/*/{study}")
    return found


def unpack(folder: Path) -> None:
    """Put plain files in the place of a folder's archive, where it has one."""
    for name, content in packed_files(folder).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    (folder / PACK).unlink(missing_ok=True)


def _shared(study: str, kind: str, make: Callable[[Path], None]) -> Path:
    names = published(study).relative_to(ROOT / "report")
    return once(f"{kind}-{study}", lambda place: make(place / names), str(published(study))) / names


def once(name: str, make: Callable[[Path], object], *sources: str) -> Path:
    """The folder that `make` fills; whoever asks first for it, of this code and these sources, makes it."""
    place = SHARED / f"{name}-{digest(*CODE, *sources)}"
    with locked(place.with_suffix(".lock")):
        if not place.exists():
            _forget_old()
            making = place.with_suffix(".making")
            shutil.rmtree(making, ignore_errors=True)
            making.mkdir()
            gc.disable()  # all that a report is made of is needed to its end
            try:
                make(making)
            finally:
                gc.enable()
            making.rename(place)
        os.utime(place)  # in use: whoever forgets old ones leaves it
    return place


@functools.cache
def digest(*places: str) -> str:
    """What tells folders and files below the root apart by their content."""
    found = hashlib.sha256()
    for place in (ROOT / name for name in places):
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path.is_file() and path.suffix not in (".pyc", ".so"):
                found.update(f"{path.relative_to(ROOT)} {path.stat().st_size}\n".encode() + path.read_bytes())
    return found.hexdigest()[:16]


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a file's lock; the system gives it back when a process dies."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _forget_old() -> None:
    for path in SHARED.iterdir():
        if path.is_dir() and path.stat().st_mtime < time.time() - KEPT_SECONDS:
            shutil.rmtree(path, ignore_errors=True)
