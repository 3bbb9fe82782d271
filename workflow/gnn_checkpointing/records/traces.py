"""What is written down of live bytes over one training step: `traces.json`."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from gnn_checkpointing.records.record import Record, checked


class Trace(Record):
    """Live bytes over one training step of one policy: a point an allocator event, thinned with its extremes kept.

    `live_bytes` and `peak_bytes` are above `resident_bytes`; `seconds` count from the start of the forward pass, under
    the profiler, which slows small steps. `events` is the number of points before thinning. Of a model
    whose blocks were marked, and else empty: `block_numbers` count from 1; `block_bytes` are live where the first block
    begins and where each one ends in the forward pass, `block_peaks` the most that were live inside each;
    `block_degrees` are the neighbours of a node that each block reads.
    """

    graph: str
    graph_label: str
    num_nodes: int
    num_edges: int
    average_degree: float
    convolution: str
    aggregation: str
    policy: str
    events: int
    forward_ended_seconds: float
    resident_bytes: int
    saved_activation_bytes: int
    peak_bytes: int
    seconds: list[float]
    live_bytes: list[int]
    model: str = ""
    block_numbers: list[int] = Field([])
    block_bytes: list[int] = Field([])
    block_peaks: list[int] = Field([])
    block_degrees: list[float] = Field([])


class Traces(Record):
    """The content of `traces.json`: every policy of one cell per convolution and aggregation."""

    traces: list[Trace]


def read_traces(path: Path) -> list[Trace]:
    """Read `traces.json`, or refuse naming the file and the field."""
    return checked(path, Traces).traces
