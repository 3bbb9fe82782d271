"""A graph of the user's own: a folder with `edges.csv`, `features.csv` and `labels.csv`."""

from __future__ import annotations

import csv
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gnn_checkpointing.artefacts import sha256_of
from gnn_checkpointing.graphs.sources.loaded import Loaded
from gnn_checkpointing.graphs.sources.raw_files import below, check_sha256
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.graph_entries import RealGraph

EDGES, FEATURES, LABELS = "edges.csv", "features.csv", "labels.csv"
FORMS = {
    EDGES: "source,target",
    FEATURES: "node and a name for each feature, such as node,age,height",
    LABELS: "node,label",
}
_FIRST_LINE = 2
"""The line of a file on which its first row stands, below the header."""


def load_tables(source: RealGraph, data_root: Path | None, folder: Path) -> Loaded:
    """Load the three files; ids and labels may be any text, nodes are numbered as `features.csv` lists them.

    Every node has a row in `features.csv` (finite numbers) and one in `labels.csv`, whose label is empty where it is
    not known. Each refusal names the file and the line.
    """
    place = below(source, data_root, "csv", folder)
    if not place.is_dir():
        raise Refusal(
            f"real graph {source.name}: no folder {place.resolve()}; put {EDGES}, {FEATURES} and {LABELS} there, or "
            "correct csv or data_root"
        )
    digests = {}
    for name in FORMS:
        if not (place / name).is_file():
            raise Refusal(
                f"real graph {source.name}: {(place / name).resolve()} is missing; it has the columns {FORMS[name]}"
            )
        digests[name] = sha256_of(place / name)
        check_sha256(source, place / name, digests[name])
    nodes, features = _features(place / FEATURES)
    return Loaded(features, _edges(place / EDGES, nodes), _labels(place / LABELS, nodes), digests)


def _features(path: Path) -> tuple[pd.Index, NDArray[np.float32]]:
    """Return the ids of the nodes, in the file's order, and their features."""
    names = _header(path)
    if len(names) < 2 or names[0] != "node" or any(_is_number(name) for name in names):
        raise _wrong_header(path, names)
    if len(set(names)) < len(names):
        raise Refusal(f"{path}, line 1: two columns have the same name; give each feature its own")
    # Ids stay as they are written ("NA" and "007" are names), features turn into numbers where they can.
    table = _read(path, dtype={"node": str}, na_values={name: ["", "NA", "NaN", "nan"] for name in names[1:]})
    nodes = _ids(path, table["node"])
    columns = []
    for name in names[1:]:
        values = _numbers(table[name])
        wrong = np.flatnonzero(~(np.abs(values) <= np.finfo(np.float32).max))
        if wrong.size:
            given = table[name].iloc[wrong[0]]
            what = "empty or NaN" if pd.isna(given) else repr(str(given))
            raise Refusal(
                f"{path}, line {_line(table, wrong[0])}: {name} of node {nodes[wrong[0]]} is {what}; only finite "
                "numbers are allowed"
            )
        columns.append(values.astype(np.float32))
    return nodes, np.ascontiguousarray(np.stack(columns, axis=1))


def _edges(path: Path, nodes: pd.Index) -> NDArray[np.int64]:
    """Return the edges as numbers of nodes `[2, num_edges]`."""
    names = _header(path)
    if names != ["source", "target"]:
        raise _wrong_header(path, names)
    # As text, however many there are: read as a number, 007 would become the node 7.
    table = _read(path, dtype=str, na_values={}).apply(lambda column: column.str.strip())
    if table.empty:
        raise Refusal(f"{path}: no edges; at least one is needed")
    ends = []
    for name in names:
        places = nodes.get_indexer(pd.Index(table[name]))
        wrong = np.flatnonzero(places < 0)
        if wrong.size:
            given = table[name].iloc[wrong[0]]
            what = f"{name} is empty" if given == "" else f"{name} {given} is no node of {FEATURES}"
            raise Refusal(f"{path}, line {_line(table, wrong[0])}: {what}; every edge joins two nodes listed there")
        ends.append(places)
    return np.stack(ends).astype(np.int64)


def _labels(path: Path, nodes: pd.Index) -> NDArray[np.int64]:
    """Return the nodes' labels as numbers from 0, in the order of the labels; -1 where the label is empty."""
    names = _header(path)
    if names != ["node", "label"]:
        raise _wrong_header(path, names)
    table = _read(path, dtype=str, na_values={})
    listed = _ids(path, table["node"])
    place = listed.get_indexer(nodes)
    for wrong in np.flatnonzero(nodes.get_indexer(listed) < 0)[:1]:
        raise Refusal(f"{path}, line {_line(table, wrong)}: node {listed[wrong]} is not in {FEATURES}; remove the row")
    for wrong in np.flatnonzero(place < 0)[:1]:
        raise Refusal(
            f"{path}: no row for node {nodes[wrong]}, which {FEATURES} has; add one, with an empty label where it is "
            "not known"
        )
    labels = table["label"].str.strip().to_numpy(object)[place]
    known = sorted(set(labels) - {""}, key=lambda label: (not _is_number(label), _number(label), label))
    if len(known) < 2:
        what = f"every label is {known[0]}" if known else "every label is empty"
        raise Refusal(f"{path}: {what}; at least two classes are needed")
    numbers = {"": -1} | {label: number for number, label in enumerate(known)}
    return np.array([numbers[label] for label in labels], np.int64)


def _ids(path: Path, column: pd.Series) -> pd.Index:
    """Return the ids of a column without doubles, or refuse."""
    ids = column.str.strip()
    empty = np.flatnonzero(ids == "")
    if empty.size:
        raise Refusal(f"{path}, line {_line(column, empty[0])}: node is empty; every row begins with a node's id")
    double = np.flatnonzero(ids.duplicated())
    if double.size:
        again = ids.iloc[double[0]]
        first = np.flatnonzero(ids == again)[0]
        raise Refusal(
            f"{path}, line {_line(column, double[0])}: node {again} stands on line {_line(column, first)} already; "
            "each node has one row"
        )
    if len(ids) < 2:
        raise Refusal(f"{path}: {len(ids)} nodes; at least 2 are needed")
    return pd.Index(ids)


def _header(path: Path) -> list[str]:
    """Return the names in the first line."""
    try:
        with path.open(encoding="utf-8-sig") as stream:
            line = stream.readline()
    except (OSError, UnicodeDecodeError) as error:
        raise Refusal(f"{path}: not readable as UTF-8 text ({error})") from None
    return [name.strip().strip('"') for name in line.split(",")]


def _wrong_header(path: Path, names: list[str]) -> Refusal:
    shown = ",".join(names)
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    return Refusal(f"{path}, line 1: the header is {shown!r}; it must be {FORMS[path.name]}")


def _read(path: Path, na_values: dict[str, list[str]], dtype: type | dict[str, type] | None = None) -> pd.DataFrame:
    """Return the rows below the header; an empty line is no row, and a row keeps the number of its line."""
    try:
        with warnings.catch_warnings():
            # That a row is longer than the header, pandas calls a warning, and drops what is too much.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            table = pd.read_csv(
                path,
                dtype=dtype,
                na_values=na_values,
                keep_default_na=False,
                skip_blank_lines=False,
                skipinitialspace=True,
                index_col=False,
                encoding="utf-8-sig",
                on_bad_lines="error",
                low_memory=False,
            )
    except pd.errors.ParserWarning:
        line, found, names = _longer_row(path)
        raise Refusal(
            f"{path}, line {line}: {found} values, but the header has {names} names; remove the rest"
        ) from None
    except (ValueError, OSError) as error:  # pandas' ParserError, and UnicodeDecodeError, are ValueErrors
        reason = " ".join(str(error).removeprefix("Error tokenizing data. C error: ").split())
        raise Refusal(f"{path}: not readable as a table of comma-separated values ({reason})") from None
    table.columns = [str(name).strip() for name in table.columns]
    return table[~((table == "") | table.isna()).all(axis=1)]


def _longer_row(path: Path) -> tuple[int, int, int]:
    """Return the line of the first row with more values than the header has names, and both numbers."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = csv.reader(stream)
        names = len(next(rows))
        return next((rows.line_num, len(row), names) for row in rows if len(row) > names)


def _line(rows: pd.DataFrame | pd.Series, position: int) -> int:
    """Return the line of the file on which a row stands."""
    return int(rows.index[position]) + _FIRST_LINE


def _numbers(column: pd.Series) -> NDArray[np.float64]:
    """Return a column as numbers, NaN where it holds none."""
    try:
        return pd.to_numeric(column, errors="coerce").to_numpy(np.float64)
    except OverflowError:  # a whole number beyond any float
        return np.array([float(text) if _is_number(str(text)) else np.nan for text in column.astype(str)])


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _number(text: str) -> float:
    return float(text) if _is_number(text) else 0.0
