"""Published reports as this code makes them again, so that tests need not wait until they are published again."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

from gnn_checkpointing.cli import main

ROOT = Path(__file__).resolve().parent.parent


@functools.cache
def rebuilt(study: str) -> Path:
    """The folder of a published study, made again once for all tests; copy it to change it."""
    (published,) = ROOT.glob(f"report/*/{study}")
    place = Path(tempfile.mkdtemp(prefix="rebuilt-"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    folder = place / published.parent.name / study
    options = (f"--frozen={published}", f"--templates={ROOT / 'templates'}", f"--output-folder={folder}")
    assert main(["rebuild", *options]) == 0
    return folder
