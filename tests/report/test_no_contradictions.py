"""What a study says of one quantity, it says everywhere: report, appendix, summary and index."""

from __future__ import annotations

import html
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from gnn_checkpointing.artefacts import write_json
from gnn_checkpointing.report.index import Compared, render_index
from gnn_checkpointing.report.render import TEMPLATES
from pages import whole

from .derivation import pieces_of

NOUNS = ("measurements", "questions")
"""What is counted once a study: every count before these words is the same."""
UNITS = {
    **{"%": 0.01, "B": 1.0, "KiB": 2.0**10, "MiB": 2.0**20, "GiB": 2.0**30},
    **{"ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "": 1.0},
}
ROUNDING = 0.06
"""Two texts of one number may differ by what two significant digits leave."""


def plain_text(page: str) -> str:
    seen = re.sub(r"<(script|style|svg|nav)\b.*?</\1>", "", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", seen)).split())


def counts(text: str, noun: str) -> Iterator[str]:
    """The numbers before a noun, without those of a part: "19 of 324 measurements" counts 324."""
    yield from re.findall(rf"\b(\d[\d,]*) {noun}\b", text)


def base_value(text: str) -> float | None:
    """A printed number in base units, None for what is no single number."""
    match = re.fullmatch(r"([\d,]*\.?\d+)\s?(\D*)", text.replace("\N{NO-BREAK SPACE}", " ").strip())
    if match is None or match[2] not in UNITS:
        return None
    return float(match[1].replace(",", "")) * UNITS[match[2]]


def differing(found: dict[str, dict[float, str]]) -> list[tuple[str, list[str]]]:
    """Addresses whose texts are different numbers; a share may be printed as a ratio, an error or in percent."""
    lost = []
    for address, texts in found.items():
        low, high = min(texts), max(texts)
        if high - low > ROUNDING * max(abs(high), 1e-12):
            lost.append((address, sorted(texts.values())))
    return lost


def test_what_a_study_says_of_one_quantity_it_says_everywhere(study: Path, tmp_path: Path) -> None:
    made = {name: whole(study / f"{name}.html") for name in ("report", "appendix")}
    texts = {name: plain_text(page) for name, page in made.items()}
    both, summary = " ".join(texts.values()), json.loads((study / "summary.json").read_text())
    for noun in NOUNS:
        assert len(set(counts(both, noun))) <= 1, noun
    assert f"The study has {summary['cells']} cell" in texts["report"]
    # Noise is judged only where time was measured.
    assert not ("no time ratio was measured" in both.lower() and "interval is within the target" in both)
    found: dict[str, dict[float, str]] = defaultdict(dict)
    for piece in (piece for page in made.values() for piece in pieces_of(page)):
        address = f"{piece.file}{piece.source}" if piece.source.startswith("#") else piece.source
        value = base_value(piece.text)
        if address and value is not None and "?" not in address:
            found[address][value] = piece.text
    assert len(found) > 20
    assert differing(found) == []
    write_json(tmp_path / "machine" / study.name / "summary.json", summary)
    render_index(tmp_path, TEMPLATES, tmp_path / "index.html", Compared(()))
    headline = " ".join(summary["headline"].split())
    assert headline in plain_text((tmp_path / "index.html").read_text())
    assert headline in texts["report"]


@pytest.mark.parametrize(
    ("texts", "agree"),
    [(("38 %", "0.38"), True), (("38 %", "0.44"), False), (("1.5 MiB", "1,572,864"), True), (("555", "438"), False)],
)
def test_two_texts_that_differ_are_found(texts: tuple[str, ...], agree: bool) -> None:
    found = {value: text for text in texts if (value := base_value(text)) is not None}
    assert len(found) >= 1
    assert (differing({"place": found}) == []) is agree
