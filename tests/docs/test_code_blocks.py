"""Every command and every block of Python in README and docs runs, in a copy of the repository."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rebuilt import ROOT, published

BLOCK = re.compile(r"^( *)```(python|sh)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
PAGES = [ROOT / "README.md", *sorted(page for page in (ROOT / "docs").rglob("*.md") if page.parent.name != "generated")]

SETS_UP = (
    *("make setup", ". .venv/bin/activate", "pip install", "git clone", "cd ", "make test", "make report\n"),
    "make compare",  # needs the report of a second machine
)
"""What makes the environment that the tests run in, or runs what has tests of its own."""


def blocks(language: str) -> list:
    """The blocks of one language, each with the page and line it is on."""
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for block in BLOCK.finditer(text):
            if block[2] == language:
                place = f"{page.relative_to(ROOT)}:{text[: block.start()].count(chr(10)) + 1}"
                found.append(pytest.param(re.sub(f"^{block[1]}", "", block[3], flags=re.MULTILINE), id=place))
    return found


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tracked files in a folder where commands may write."""
    target = tmp_path_factory.mktemp("clone")
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, tracked.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, target / name)
    # Newer than the list of packages: make must not install them again. It ignores -o in MAKEFLAGS.
    (target / ".venv").mkdir()
    (target / ".venv/.ready").touch()
    return target


def run(command: list[str], folder: Path) -> None:
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(folder / "workflow"),
    }
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


@pytest.mark.slow
@pytest.mark.parametrize("code", blocks("python"))
def test_python_runs(code: str, copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process, where torch is imported already."""
    monkeypatch.chdir(copy)
    exec(compile(code, "block", "exec"), {"__name__": "__main__"})


SHORT = "own.yaml"
"""The sample graph is measured; longer studies are planned only. Tests of the workflow measure the smoke study."""

DEFAULT, SMALL = (str(published(study).relative_to(ROOT)) for study in ("default", "ten-million"))
"""What is shown of the default report runs on a small one, in a fifth of the time."""


@pytest.fixture(scope="module")
def ran() -> set[str]:
    """Commands that have run in the copy: several pages show the same one."""
    return set()


@pytest.mark.slow
@pytest.mark.parametrize("code", blocks("sh"))
def test_commands_run(code: str, copy: Path, ran: set[str]) -> None:
    code = code.replace("\\\n", "").replace(DEFAULT, SMALL)
    commands = [line.split("  #")[0].rstrip() for line in code.splitlines()]
    lines = [line for line in commands if not f"{line}\n".startswith(SETS_UP)]
    if not lines:
        pytest.skip("sets up the environment that this test runs in")
    lines = [
        f"{line} -n" if line.startswith("snakemake") and SHORT not in line and " -n" not in line else line
        for line in lines
    ]
    run(["bash", "-euc", "\n".join(line for line in lines if line not in ran)], copy)
    ran.update(lines)


def test_there_are_blocks_to_run() -> None:
    assert len(blocks("python")) >= 4
    assert len(blocks("sh")) >= 6
