"""What is written down of counting a graph's ego-network encodings: `encodings.json`."""

from __future__ import annotations

from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from gnn_checkpointing.artefacts import read_json
from gnn_checkpointing.records.record import Record, complaint
from gnn_checkpointing.refusal import Refusal


class EncodingCost(Record):
    """What it takes to count the encodings of one graph: the fastest of several times, and the most bytes at once.

    `node_kinds` and `edge_kinds` are how many different places, and pairs of places, occur; `node_counts` and
    `edge_counts` how many counts there are in all, which is what a sparse encoding holds.
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
    """Read a study's `encodings.json`, or refuse naming the file and the field."""
    try:
        return TypeAdapter(list[EncodingCost]).validate_python(read_json(path))
    except ValidationError as error:
        raise Refusal(f"{path}: {complaint(error)}; make it again with `encode`") from None
