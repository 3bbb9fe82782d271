"""A graph of the user's own: a folder with `edges.csv`, `features.csv` and `labels.csv`."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gnn_checkpointing.graphs.sources.csv_file import CsvFile
from gnn_checkpointing.graphs.sources.loaded import Loaded
from gnn_checkpointing.graphs.sources.raw_files import below, checked_sha256, user_path
from gnn_checkpointing.refusal import Refusal, shown
from gnn_checkpointing.study.graph_entries import RealGraph

EDGES, FEATURES, LABELS = "edges.csv", "features.csv", "labels.csv"
FORMS = {
    EDGES: "source,target",
    FEATURES: "node and a name for each feature, such as node,age,height",
    LABELS: "node,label",
}

LARGEST = float(np.finfo(np.float32).max)
"""Features are single-precision numbers."""


def load_tables(source: RealGraph, data_root: Path | None, folder: Path) -> Loaded:
    """The graph of the three files; ids and labels may be any text, nodes are numbered as `features.csv` lists them.

    Every node has a row in `features.csv` (finite numbers) and one in `labels.csv`, whose label is empty where it is
    not known. Each refusal names the file and the line.
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
    return Loaded(features, edges, labels, digests, tuple(note for file in files.values() for note in file.notes))


def _by_node(file: CsvFile, lines: dict[str, int]) -> Iterator[tuple[int, str, list[str]]]:
    """Each row's line, node and values; a row without an id is refused, and a second one of a node; `lines` has all."""
    for line, (node, *values) in file.rows():
        if not node:
            raise file.wrong(line, "node is empty; every row begins with a node's id")
        if lines.setdefault(node, line) != line:
            raise file.wrong(line, f"node {shown(node)} is on line {lines[node]} already; each node has one row")
        yield line, node, values


def _features(file: CsvFile) -> tuple[dict[str, int], NDArray[np.float32]]:
    """Each node's number by its id, in the file's order, and the nodes' features."""
    names = file.names
    if len(names) < 2 or names[0] != "node" or any(_number(name) is not None for name in names):
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
        # A cheap look at the whole row; Python reads 1_000 as a number, and no other program does.
        if not sum(map(abs, numbers)) <= LARGEST or "_" in "".join(texts):
            for name, text in zip(names[1:], texts, strict=True):
                number = _number(text)
                if number is None or not abs(number) <= LARGEST:
                    what = "empty or NaN" if text in ("", "NA", "NaN", "nan") else f"'{shown(text)}'"
                    raise file.wrong(
                        line, f"{shown(name)} of node {shown(node)} is {what}; only finite numbers are allowed"
                    )
        values.extend(numbers)
    if len(lines) < 2:
        raise Refusal(f"{file.path}: {len(lines)} nodes; at least 2 are needed")
    features = np.frombuffer(values, np.float64).reshape(len(lines), -1).astype(np.float32)
    return {node: number for number, node in enumerate(lines)}, features


def _edges(file: CsvFile, nodes: dict[str, int]) -> NDArray[np.int64]:
    """The edges as numbers of nodes `[2, num_edges]`."""
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


def _labels(file: CsvFile, nodes: dict[str, int]) -> NDArray[np.int64]:
    """The nodes' labels as numbers from 0, in the order of the labels; -1 where the label is empty."""
    if file.names != ["node", "label"]:
        raise file.wrong_header()
    labels: dict[str, str] = {}
    for line, node, (label,) in _by_node(file, {}):
        if node not in nodes:
            raise file.wrong(line, f"node {shown(node)} is not in {FEATURES}; remove the row")
        labels[node] = label
    for node in nodes:
        if node not in labels:
            raise Refusal(
                f"{file.path}: no row for node {shown(node)}, which {FEATURES} has; add one, with an empty label where "
                "it is not known"
            )
    known = sorted(set(labels.values()) - {""}, key=_label_order)
    if len(known) < 2:
        what = f"every label is {shown(known[0])}" if known else "every label is empty"
        raise Refusal(f"{file.path}: {what}; at least two classes are needed")
    numbers = {"": -1} | {label: number for number, label in enumerate(known)}
    return np.array([numbers[labels[node]] for node in nodes], np.int64)


def _label_order(label: str) -> tuple[bool, float, str]:
    """Numbers by value, then texts; a label is the text that is written, so 1 and 1.0 are two and nan is a text."""
    number = _number(label)
    return (True, 0.0, label) if number is None else (False, number, label)


def _number(text: str) -> float | None:
    """The finite number that a text is, None where it is none."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and "_" not in text else None
