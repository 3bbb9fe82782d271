"""Every number that a published report prints is derived anew from the file and field that it names."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from pages import whole
from rebuilt import rendered

from .derivation import Derivation, pieces_of, readings

DIGIT = re.compile(r"\d")
PROSE = {
    "R²": "the name of a statistic",
    "E²": "a term of a law",
    "2K": "two blocks of edges, in a term of a law",
    "SHA-256": "the name of a digest",
    "95": "a quantile of degrees, in %",
    "GATv2": "a convolution, in the data dictionary",
    "3.11": "the Python that the project asks for, in How to redo it",
}
"""Words with digits that are neither measured nor computed, and what they are."""


def test_every_number_has_an_address_and_is_what_that_says(document: Path) -> None:
    # All but the list of literature, which is numbers of papers.
    html = re.sub(r'<section id="references".*?</section>', "", whole(document), flags=re.DOTALL)
    derive, known = Derivation(document.parent), set(_words_of(document.parent)) | set(PROSE)
    bound, others = [], []
    for piece in pieces_of(html):
        (bound if piece.source else others).append(piece)
    assert len(bound) > 20
    for piece in bound:
        assert piece.text in readings(derive.values(piece)), f"{piece.text!r} is not {piece.source} of {piece.file}"
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
    """Return the words of all texts in the files beside a report: names, sentences, labels, stamps."""
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
