"""Published reports as this code makes them again, so that tests need not wait until they are published again."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

from gnn_checkpointing.cli import main
from gnn_checkpointing.packed import PACK, packed_files

ROOT = Path(__file__).resolve().parent.parent


@functools.cache
def rebuilt(study: str) -> Path:
    """The folder of a published study, made again once for all tests, its files plain; copy it to change it."""
    folder = Path(shutil.copytree(packed(study), _place() / packed(study).parent.name / study))
    unpack(folder)
    return folder


@functools.cache
def packed(study: str) -> Path:
    """The same as it is published, its data in one archive."""
    (published,) = ROOT.glob(f"report/*/{study}")
    folder = _place() / published.parent.name / study
    options = (f"--frozen={published}", f"--templates={ROOT / 'templates'}", f"--output-folder={folder}")
    assert main(["rebuild", *options]) == 0
    return folder


def unpack(folder: Path) -> None:
    """Put plain files in the place of a folder's archive, where it has one."""
    for name, content in packed_files(folder).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    (folder / PACK).unlink(missing_ok=True)


def _place() -> Path:
    place = Path(tempfile.mkdtemp(prefix="rebuilt-"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    return place
