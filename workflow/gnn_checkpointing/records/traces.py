"""Live bytes over one training step: every event beside a cell's record (`.npz`), thinned ones in `traces.json`."""

from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, NonNegativeFloat, NonNegativeInt

from gnn_checkpointing.artefacts import seal, sealed_bytes, whole_file
from gnn_checkpointing.records.arrays import read_arrays
from gnn_checkpointing.records.record import Record, checked
from gnn_checkpointing.refusal import Refusal


class Trace(Record):
    """Live bytes over one training step of one policy: a point per allocator event, thinned with its extremes kept.

    `live_bytes` and `peak_bytes` are above `resident_bytes`; `seconds` count from the start of the forward pass, under
    the profiler, which slows small steps. `events` is the number of points before thinning. Of a model
    whose blocks were marked, and else empty: `block_numbers` count from 1; `block_bytes` are live where the first block
    begins and where each one ends in the forward pass, `block_peaks` the most that were live inside each;
    `block_degrees` are the neighbours of a node that each block reads.
    """

    graph: str
    graph_label: str
    num_nodes: NonNegativeInt
    num_edges: NonNegativeInt
    average_degree: NonNegativeFloat
    convolution: str
    aggregation: str
    policy: str
    events: NonNegativeInt
    forward_ended_seconds: NonNegativeFloat
    resident_bytes: NonNegativeInt
    saved_activation_bytes: NonNegativeInt
    peak_bytes: NonNegativeInt
    seconds: list[NonNegativeFloat]
    live_bytes: list[int]
    model: str = ""
    block_numbers: list[int] = Field([])
    block_bytes: list[int] = Field([])
    block_peaks: list[int] = Field([])
    block_degrees: list[NonNegativeFloat] = Field([])


class Traces(Record):
    """The content of `traces.json`: every policy of one cell per convolution and aggregation."""

    traces: list[Trace]


def read_traces(path: Path) -> list[Trace]:
    """The traces in `traces.json`."""
    return checked(path, Traces).traces


@dataclass(frozen=True)
class ByteTrace:
    """`seconds` since the step began and bytes live above what lived before, after each event of the allocator.

    The first `forward_events` of them happened in the forward pass, which ended at `forward_ended_seconds`.
    `block_events` has the number of events before the model's first block began and before each block ended; it is
    empty where blocks were not marked.
    """

    seconds: NDArray[np.float64]
    live_bytes: NDArray[np.int64]
    forward_events: int
    forward_ended_seconds: float
    block_events: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))

    def at_blocks(self) -> list[int]:
        """The bytes live where the first block began and where each one ended."""
        before = np.append(0, self.live_bytes)
        return [int(before[events]) for events in self.block_events]

    def within_blocks(self) -> list[int]:
        """The most bytes that were live inside each block's forward pass, its two ends included."""
        before = np.append(0, self.live_bytes)
        return [int(before[begin : end + 1].max()) for begin, end in pairwise(self.block_events)]


def byte_traces_file(folder: Path, cell: str) -> Path:
    """Where the byte traces of a cell are."""
    return folder / f"{cell}.npz"


def write_byte_traces(path: Path, traces: dict[str, ByteTrace]) -> None:
    """Write the traces of a cell's policies as one compressed .npz, without pickled objects."""
    found = list(traces.values())
    columns = {
        "policies": np.array(list(traces), dtype=np.str_),
        "events": np.array([len(trace.seconds) for trace in found], dtype=np.int64),
        "forward_events": np.array([trace.forward_events for trace in found], dtype=np.int64),
        "forward_ended_seconds": np.array([trace.forward_ended_seconds for trace in found], dtype=np.float64),
        "seconds": np.concatenate([np.empty(0, np.float64), *(trace.seconds for trace in found)]),
        "live_bytes": np.concatenate([np.empty(0, np.int64), *(trace.live_bytes for trace in found)]),
        "marks": np.array([len(trace.block_events) for trace in found], dtype=np.int64),
        "block_events": np.concatenate([np.empty(0, np.int64), *(trace.block_events for trace in found)]),
    }
    with whole_file(path) as stream:
        np.savez_compressed(stream, allow_pickle=False, **columns)
    seal(path)


def read_byte_traces(path: Path) -> dict[str, ByteTrace]:
    """The traces of a cell by policy, or a refusal that names the file."""
    remedy = "delete it and measure again"
    if path.exists():
        sealed_bytes(path)
    columns = read_arrays(path, _COLUMNS, remedy)
    try:
        for name, kinds in _COLUMNS.items():
            if columns[name].ndim != 1 or columns[name].dtype.kind not in kinds:
                raise ValueError(f"{name} is of type {columns[name].dtype} and of {columns[name].ndim} dimensions")
        events, marks, forward = columns["events"], columns["marks"], columns["forward_events"]
        for name, counts, of in (("live_bytes", events, "events"), ("block_events", marks, "marks")):
            if (counts < 0).any() or counts.sum() != columns[name].size:
                raise ValueError(f"{of} are not those of {name}")
        if columns["seconds"].size != events.sum() or not np.isfinite(columns["seconds"]).all():
            raise ValueError("seconds are not one finite number for each event")
        if not (np.all(forward >= 0) and np.all(forward <= events)):
            raise ValueError("a forward pass has more events than there are")
        parts = zip(
            columns["policies"].tolist(),
            np.split(columns["seconds"], np.cumsum(events)[:-1]),
            np.split(columns["live_bytes"], np.cumsum(events)[:-1]),
            forward.tolist(),
            columns["forward_ended_seconds"].tolist(),
            np.split(columns["block_events"], np.cumsum(marks)[:-1]),
            strict=True,
        )
        found = {policy: ByteTrace(*rest) for policy, *rest in parts}
        if len(found) < len(events):
            raise ValueError("one policy is there twice")
        for trace in found.values():
            marked = trace.block_events
            if marked.size and not (marked.min() >= 0 and marked.max() <= len(trace.seconds)):
                raise ValueError("a block ends after the last event")
    except ValueError as error:
        raise Refusal(f"{path}: not a file of byte traces ({error}); {remedy}") from None
    return found


_COLUMNS = {
    "policies": "U",
    **dict.fromkeys(("events", "forward_events", "live_bytes", "marks", "block_events"), "i"),
    **dict.fromkeys(("forward_ended_seconds", "seconds"), "f"),
}
"""The kinds of numbers that a file of byte traces has, by numpy's letters."""
