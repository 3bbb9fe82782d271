"""Load the user's own graph from a folder with `edges.csv`, `features.csv` and `labels.csv`."""

from __future__ import annotations

import csv
import math
import re
from array import array
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gnn_checkpointing.graphs.files import LARGEST, Loaded, below, checked_sha256, single_precision, user_path
from gnn_checkpointing.graphs.pairs import Numbers
from gnn_checkpointing.refusal import Refusal, shown
from gnn_checkpointing.study.graph_entries import RealGraph

EDGES, FEATURES, LABELS = "edges.csv", "features.csv", "labels.csv"
FORMS = {
    EDGES: "source,target",
    FEATURES: "node and a name for each feature, such as node,age,height",
    LABELS: "node,label",
}

MOST_CHARACTERS = 2**27
"""Maximum length of a line: ten million columns have a tenth of it."""

_MAY_VANISH, _NOT_ZERO = re.compile(r"[eE]-|0{300}"), re.compile(r"[-+]?[0.]*[1-9]")
"""Patterns found in a row with a number such as 1e-400, which became 0, and of the beginning of such a number."""

_BLANKS_AFTER = re.compile(r'"[^\S\r\n]+(?=[,\r\n]|$)')


def load_tables(source: RealGraph, data_root: Path | None, folder: Path) -> Loaded:
    """Load the graph from the three files; ids and labels may be any text, nodes are numbered as in `features.csv`.

    Every node has a row in `features.csv` (finite numbers) and one in `labels.csv`, with an empty label if that is
    unknown. A refusal names the file and the line.
    """
    advice = f"put {EDGES}, {FEATURES} and {LABELS} there, or correct csv or data_root"
    place = user_path(below(data_root, "csv", folder), advice, folder=True)
    digests, files = {}, {}
    for name, form in FORMS.items():
        path = user_path(place / name, f"it has the columns {form}")
        digests[name] = checked_sha256(source, path)
        files[name] = CsvFile(path, form)
    nodes, features = _features(files[FEATURES])
    edges = _edges(files[EDGES], nodes)
    labels = _labels(files[LABELS], nodes)
    return Loaded(features, edges, labels, digests, [note for file in files.values() for note in file.notes])


def _by_node(file: CsvFile, lines: dict[str, int]) -> Iterator[tuple[int, str, list[str]]]:
    """Yield each row's line, node and values, and fill `lines`; refuse a row without an id or a node's second row."""
    for line, (node, *values) in file.rows():
        if not node:
            raise file.wrong(line, "node is empty; every row begins with a node's id")
        if lines.setdefault(node, line) != line:
            raise file.wrong(line, f"node {shown(node)} is on line {lines[node]} already; each node has one row")
        yield line, node, values


def _features(file: CsvFile) -> tuple[dict[str, int], NDArray[np.float32]]:
    """Number of each node by its id, in the file's order, and the nodes' features."""
    names = file.names
    if len(names) < 2 or names[0] != "node":
        raise file.wrong_header()
    if len(set(names)) < len(names):
        raise file.wrong(1, "two columns have the same name; give each feature its own")
    lines: dict[str, int] = {}
    values = array("d")
    for line, node, texts in _by_node(file, lines):
        try:
            numbers = [float(text) for text in texts]
        except ValueError:
            numbers = [math.nan]
        # A cheap check of the whole row. Python, unlike other programs, accepts 1_000 and digits of any script.
        written, total = "".join(texts), sum(map(abs, numbers))
        if not total <= LARGEST or "_" in written or not written.isascii():
            for name, text in zip(names[1:], texts, strict=True):
                number = _number(text)
                if number is None or not abs(number) <= LARGEST:
                    what = "empty or NaN" if text in ("", "NA", "NaN", "nan") else f"'{shown(text)}'"
                    raise file.wrong(
                        line, f"{shown(name)} of node {shown(node)} is {what}; allowed are numbers up to {LARGEST:.2g}"
                    )
        if total >= 2**53 or (0.0 in numbers and _MAY_VANISH.search(written)):
            numbers = list(map(_unlike_single, texts, numbers))
        values.extend(numbers)
    if len(lines) < 2:
        raise Refusal(f"{file.path}: {len(lines)} nodes; at least 2 are needed")
    features, rounded = single_precision(np.frombuffer(values, np.float64).reshape(len(lines), -1))
    file.notes += rounded
    return {node: number for number, node in enumerate(lines)}, features


def _unlike_single(text: str, number: float) -> float:
    """The number, or the float next to it if the number fits in single precision but the value in `text` does not."""
    if not number:
        return math.copysign(5e-324, number) if _NOT_ZERO.match(text) else number
    if abs(number) < 2**53 or np.float32(number) != number or (exact := Decimal(text)) == number:
        return number
    return math.nextafter(number, math.inf if exact > number else -math.inf)


def _edges(file: CsvFile, nodes: dict[str, int]) -> Numbers:
    """Edges as pairs of node numbers, `[2, num_edges]`."""
    if file.names != ["source", "target"]:
        raise file.wrong_header()
    ends = array("q")
    for line, row in file.rows():
        try:
            ends.extend([nodes[end] for end in row])
        except KeyError:
            name, given = next((name, end) for name, end in zip(file.names, row, strict=True) if end not in nodes)
            what = f"{name} {shown(given)} is no node of {FEATURES}" if given else f"{name} is empty"
            raise file.wrong(line, f"{what}; every edge joins two nodes listed there") from None
    if not ends:
        raise Refusal(f"{file.path}: no edges; at least one is needed")
    return np.ascontiguousarray(np.frombuffer(ends, np.int64).reshape(-1, 2).T)


def _labels(file: CsvFile, nodes: dict[str, int]) -> Numbers:
    """Labels of the nodes as numbers from 0, in the order of the labels; -1 for an empty label."""
    if file.names != ["node", "label"]:
        raise file.wrong_header()
    labels: dict[str, str] = {}
    for line, node, (label,) in _by_node(file, {}):
        if node not in nodes:
            raise file.wrong(line, f"node {shown(node)} is not in {FEATURES}; remove the row")
        labels[node] = label
    for node in nodes:
        if node not in labels:
            raise Refusal(f"{file.path}: no row for node {shown(node)} of {FEATURES}; add one, empty if it is unknown")
    known = sorted(set(labels.values()) - {""}, key=_label_order)
    if len(known) < 2:
        what = f"every label is {shown(known[0])}" if known else "every label is empty"
        raise Refusal(f"{file.path}: {what}; at least two classes are needed")
    if doubtful := sorted({"-1", "n/a", "na", "nan", "null"} & {label.lower() for label in known}):
        file.notes.append(f"{LABELS}: {doubtful[0]} is a class like any other; an unknown label is an empty one")
    numbers = {"": -1} | {label: number for number, label in enumerate(known)}
    return np.array([numbers[labels[node]] for node in nodes], np.int64)


def _label_order(label: str) -> tuple[bool, float, str]:
    """Sort key: numbers by value, then texts. Labels are compared as texts, so 1 and 1.0 differ, and nan is a text."""
    number = _number(label)
    return (True, 0.0, label) if number is None else (False, number, label)


def _number(text: str) -> float | None:
    """Parse a finite number; None if the text is not one."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and text.isascii() and "_" not in text else None


class CsvFile:
    """Rows below a header. Blanks around a value, empty rows, and empty columns without a name are ignored.

    `notes` list what was left out; they are complete once the rows have been read.
    """

    def __init__(self, path: Path, form: str) -> None:
        self.path, self.notes = path, list[str]()
        self._form = form
        self._header = next(_rows(path), (1, []))[1]
        self._named = [place for place, name in enumerate(self._header) if name]
        self.names = [self._header[place] for place in self._named]
        if len(self.names) < len(self._header):
            self._note_unnamed()

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the line of each row, and as many values as there are names; a missing value is empty."""
        rows = _rows(self.path)
        next(rows, None)
        plain = len(self._header) if self.names == self._header else -1
        for line, values in rows:
            if any(values):
                yield line, values if len(values) == plain else self._named_values(line, values)

    def wrong_header(self) -> Refusal:
        """Refusal of a file with other columns."""
        return self.wrong(1, f"the header is '{shown(','.join(self._header))}'; it must be {self._form}")

    def wrong(self, line: int, what: str) -> Refusal:
        """Refusal of a row."""
        return Refusal(f"{self.path}, line {line}: {what}")

    def _named_values(self, line: int, values: list[str]) -> list[str]:
        names, given = len(self._header), len(values)
        if any(values[names:]):
            raise self.wrong(line, f"{given} values, but the header has {names} names; remove the rest")
        for name, value in zip(self._header, values, strict=False):
            if value and not name:
                what = f"'{shown(value)}' is in a column without a name; name the column in line 1, or remove it"
                raise self.wrong(line, what)
        if given > names:
            self._note_unnamed()
        values += [""] * (names - given)
        return [values[place] for place in self._named]

    def _note_unnamed(self) -> None:
        self.notes = [f"{self.path.name}: an empty column without a name was ignored"]


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield each row's first line, counted from 1, and its values; quoted values may hold commas and line breaks."""
    line, record = 1, list[str]()

    def recorded() -> Iterator[str]:
        while text := stream.readline(MOST_CHARACTERS):
            if len(text) == MOST_CHARACTERS:
                raise csv.Error(f"a line of more than {MOST_CHARACTERS} characters")
            if "\0" in text:
                raise csv.Error("it holds a NUL, as other encodings than UTF-8 and damaged files do; save it as UTF-8")
            record.append(text)
            yield text

    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(recorded(), skipinitialspace=True)
            for values in reader:
                if any('"' in text for text in record) and (fault := _misquoted("".join(record))):
                    raise Refusal(f"{path}, line {line}: {fault}")
                yield line, [value.strip() for value in values]
                line = reader.line_num + 1
                record.clear()
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise Refusal(f"{path}: not UTF-8 text (it holds the byte 0x{byte:02x}); save it as UTF-8") from None
    except csv.Error as error:
        raise Refusal(f"{path}, line {line}: not readable as comma-separated values ({error})") from None


def _misquoted(record: str) -> str:
    """Fault in a row's quotation marks, or "" if none; Python would accept it and read "1"2 as 12."""
    try:
        list(csv.reader([_BLANKS_AFTER.sub('"', record)], strict=True, skipinitialspace=True))
    except csv.Error as error:
        if "unexpected end" in str(error):
            return "a quotation mark opens there that is never closed"
        return "a value goes on after its closing quotation mark; quote the whole value, or double the mark inside it"
    return ""
