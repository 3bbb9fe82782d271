"""The page on own code names files that are there, and as many lines as they have, to a tenth."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/own-code.md").read_text()
PLACES = [ROOT, ROOT / "workflow", ROOT / "workflow/gnn_checkpointing", ROOT / "templates/html"]
NAMED = re.compile(r"`([\w/]+(?:\.\w+|/))`")


def named(text: str) -> list[Path]:
    """The files and folders that a text names; one without a folder is beside the one before."""
    found: list[Path] = []
    for name in NAMED.findall(text):
        places = [*PLACES, *(path.parent for path in found[-1:])]
        found.append(next((place / name for place in places if (place / name).exists()), ROOT / name))
    return found


def lines(path: Path) -> int:
    files = path.glob("*.*") if path.is_dir() else [path]
    return sum(file.read_text().count("\n") for file in files if file.is_file())


def test_every_file_is_there() -> None:
    found = [path for line in PAGE.splitlines() for path in named(line)]
    assert len(found) > 30
    assert [path for path in found if not path.exists()] == []


COUNTED = re.findall(r"\| ([^|]*`[^|]*?)(?:, | \| )([\d,]+)(?: \(.*?\))? \|", PAGE)


@pytest.mark.parametrize(("where", "said"), [pair for pair in COUNTED if "` in `" not in pair[0]])
def test_the_lines_are_those_of_the_files(where: str, said: str) -> None:
    assert sum(map(lines, named(where))) == pytest.approx(int(said.replace(",", "")), rel=0.1)


def test_there_are_lines_to_count() -> None:
    assert len(COUNTED) >= 20
