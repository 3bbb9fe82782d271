"""Every printed number of a published report can be recomputed from the file and field that it names, and is the same
wherever the study prints it: in report, appendix, summary and index."""

import csv
import hashlib
import html
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lxml.html import fromstring

from gnn_checkpointing.artefacts import write_json
from gnn_checkpointing.report import units
from gnn_checkpointing.report.index import Compared, render_index
from gnn_checkpointing.report.render import TEMPLATES, read_inputs
from gnn_checkpointing.report.run_folder import RunFolder
from pages import whole
from rebuilt import rendered

from .conftest import DOCUMENTS
from .derivation import Derivation, pieces_of, readings

DIGIT = re.compile(r"\d")
PROSE = {
    "R²": "the name of a statistic",
    "E²": "a term of a law",
    "2K": "two blocks of edges, in a term of a law",
    "SHA-256": "the name of a digest",
    "95": "a quantile of degrees, in %",
    "bf16": "a number format",
    "GATv2": "a convolution, in the data dictionary",
    "3.11": "the Python that the project asks for, in How to redo it",
}
"""Words with digits that are neither measured nor computed, and their kinds."""


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_number_has_an_address_and_is_what_that_says(study: Path, name: str) -> None:
    document = study / f"{name}.html"
    # Without the list of literature, whose numbers belong to papers.
    html = re.sub(r'<section id="references".*?</section>', "", whole(document), flags=re.DOTALL)
    derive, known = Derivation(document.parent), set(_words_of(document.parent)) | set(PROSE)
    bound, others = [], []
    for piece in pieces_of(html):
        (bound if piece.source else others).append(piece)
    assert len(bound) > 20
    for piece in bound:
        values = derive.values(piece)
        # The most nodes that fit are rounded down, so that the printed number fits, too.
        known_as = {units.count_below(values[0])} if piece.source.endswith("/largest_nodes") else readings(values)
        assert piece.text in known_as, f"{piece.text!r} is not {piece.source} of {piece.file}"
    words = ((word, piece.text) for piece in others for word in piece.text.split() if DIGIT.search(word))
    loose = [(word, text) for word, text in words if not _is_known(word, known)]
    assert not loose, f"{len(loose)} numbers that no file knows, such as {loose[:12]}"


def _is_known(word: str, known: set[str]) -> bool:
    trimmed = word.strip(".,;:()[]\"'*±")
    spans = trimmed.split("\N{EN DASH}")
    if word in known or trimmed in known or all(end in known for end in spans):
        return True
    # The first twelve digits of a checksum that is whole in graphs.json.
    return len(trimmed) == 12 and any(one.startswith(trimmed) for one in known if len(one) == 64)


def _words_of(folder: Path) -> Iterator[str]:
    """Words of all texts in the files beside a report: names, sentences, labels, time stamps."""
    for path in (*folder.glob("*.json"), *folder.glob("analysis/*.json")):
        if path.name != "summary.json":
            yield from _texts(json.loads(path.read_text()))
    for path in folder.iterdir():
        if path.is_file():
            yield hashlib.sha256(path.read_bytes()).hexdigest()
    with (folder / "measurements.csv").open() as stream:
        for row in csv.reader(stream):
            for text in row:
                yield from _split(text)
    with (folder / "records.jsonl").open() as stream:
        for line in stream:
            yield from _split(json.loads(line)["graph_label"]) if "graph_label" in line else ()


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _split(key)
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, str):
        yield from _split(value)


def _split(text: str) -> Iterator[str]:
    for word in text.split():
        yield word
        yield word.strip(".,;:()[]\"'*±")
        yield word.partition("T")[0]  # the day of a time stamp


def test_a_number_that_was_changed_is_found() -> None:
    path = rendered("default")
    derive = Derivation(path)
    pieces = [piece for piece in pieces_of(whole(path / "appendix.html")) if piece.source]
    size = next(piece for piece in pieces if piece.text.endswith("\N{NO-BREAK SPACE}MiB"))
    wrong = replace(size, text="12.3\N{NO-BREAK SPACE}MiB")
    assert size.text in readings(derive.values(size))
    assert wrong.text not in readings(derive.values(wrong))


def test_no_printed_throughput_is_above_the_highest_measured(study: Path) -> None:
    highest: dict[tuple[str, str, str], float] = defaultdict(float)
    for row in read_inputs(RunFolder(study)).rows:
        for unit, count in (("nodes per second", "num_nodes"), ("edges per second", "num_edges")):
            if row["step_time_seconds"]:
                place = (str(row["convolution"]), str(row["policy"]), unit)
                highest[place] = max(highest[place], float(str(row[count])) / float(str(row["step_time_seconds"])))
    for table in fromstring(whole(study / "report.html")).xpath("//table[thead]"):
        heads = [(th.text or "").strip() for th in table.xpath("thead//th")]
        units_of = [th.xpath("string(span[@class='unit'])") for th in table.xpath("thead//th")]
        if not {"Convolution", "Policy"} <= set(heads):
            continue
        for cells in ([cell.text_content() for cell in row] for row in table.xpath("tbody/tr")):
            of_row = dict(zip(heads, cells, strict=True))
            for unit, cell in zip(units_of, cells, strict=True):
                place = (of_row["Convolution"], of_row["Policy"].partition(" (another")[0], unit)
                if place in highest and cell != units.NOTHING:
                    rounded = 1.005 * highest[place]
                    assert float(cell.partition(" ")[0].replace(",", "")) <= rounded, (place, cell)


NOUNS = ("measurements", "questions")
"""Nouns that a study counts only once: every count before one of them must be the same."""
UNITS = {
    **{"%": 0.01, "B": 1.0, "KiB": 2.0**10, "MiB": 2.0**20, "GiB": 2.0**30},
    **{"ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "": 1.0},
}
ROUNDING = 0.06
"""Largest relative difference between two texts of one number that has two significant digits."""


def plain_text(page: str) -> str:
    seen = re.sub(r"<(script|style|svg|nav)\b.*?</\1>", "", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", seen)).split())


def counts(text: str, noun: str) -> Iterator[str]:
    """Numbers before a noun, without counts of a part: "19 of 324 measurements" gives 324."""
    yield from re.findall(rf"\b(\d[\d,]*) {noun}\b", text)


def base_value(text: str) -> float | None:
    """A printed number in base units; None if the text is not a single number."""
    match = re.fullmatch(r"([\d,]*\.?\d+)\s?(\D*)", text.replace("\N{NO-BREAK SPACE}", " ").strip())
    if match is None or match[2] not in UNITS:
        return None
    return float(match[1].replace(",", "")) * UNITS[match[2]]


def differing(found: dict[str, dict[float, str]]) -> list[tuple[str, list[str]]]:
    """Addresses whose texts give different numbers; a share may be printed as a ratio, an error or a percentage."""
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
    # Noise is judged only if times were measured.
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
