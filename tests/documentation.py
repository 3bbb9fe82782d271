"""The documentation, built as `make docs` builds it."""

import os
import subprocess
import sys
from pathlib import Path

from rebuilt import ROOT, once


def site() -> Path:
    """Folder of the site built from these pages and this code; a warning fails the build."""
    # Building writes docs/generated.
    written = (str(path.relative_to(ROOT)) for path in sorted((ROOT / "docs").iterdir()) if path.name != "generated")
    return once("site", _build, *written, "workflow/studies", "tests/documentation.py") / "docs"


def _build(folder: Path) -> None:
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-E", "-d", str(folder / "doctrees")]
    done = subprocess.run(
        [*command, str(ROOT / "docs"), str(folder / "docs")],
        env={**os.environ, "PYTHONPATH": str(ROOT / "workflow")},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
