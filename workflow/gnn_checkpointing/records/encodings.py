"""The record of counting a graph's ego-network encodings: `encodings.json`."""

from __future__ import annotations

from pathlib import Path

from gnn_checkpointing.records.record import Record, checked


class EncodingCost(Record):
    """The fastest of several counts of one graph's encodings, and the most bytes at once.

    `node_kinds` and `edge_kinds` are the numbers of different places, and pairs of places; `node_counts` and
    `edge_counts` are the numbers of counts in all, which is what a sparse encoding holds.
    """

    graph: str
    label: str
    num_nodes: int
    num_edges: int
    average_degree: float
    radius: int
    seconds: float
    peak_bytes: int
    node_kinds: int
    edge_kinds: int
    node_counts: int
    edge_counts: int


def read_encodings(path: Path) -> list[EncodingCost]:
    """The records in a study's `encodings.json`."""
    return checked(path, list[EncodingCost], "make it again with `encode`")
