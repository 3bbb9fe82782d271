"""Live bytes over one training step: all events in a file beside a cell's record (`.npz`), thinned in `traces.json`."""

from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, NonNegativeFloat, NonNegativeInt

from gnn_checkpointing.artefacts import seal, sealed_bytes, whole_file
from gnn_checkpointing.records.arrays import read_arrays
from gnn_checkpointing.records.record import Record, checked
from gnn_checkpointing.refusal import Refusal


class Trace(Record):
    """Live bytes over one training step of one policy: a point per allocator event, thinned but with its extremes.

    `live_bytes` and `peak_bytes` are above `resident_bytes`; `seconds` count from the start of the forward pass, under
    the profiler, which slows small steps. `events` is the number of points before thinning. The `block_*` lists are
    empty unless the model's blocks were marked: `block_numbers` count from 1; `block_bytes` are the bytes live where
    the first block begins and where each block ends in the forward pass; `block_peaks` are the most bytes live inside
    each block; `block_degrees` are the numbers of neighbours of a node that each block reads.
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
    """Read the traces in `traces.json`."""
    return checked(path, Traces).traces


@dataclass(frozen=True)
class ByteTrace:
    """After each allocator event: `seconds` since the step began, and `live_bytes` above those live before the step.

    The first `forward_events` events happened in the forward pass, which ended at `forward_ended_seconds`.
    `block_events` has the number of events before the model's first block began and before each block ended; it is
    empty if blocks were not marked.
    """

    seconds: NDArray[np.float64]
    live_bytes: NDArray[np.int64]
    forward_events: int
    forward_ended_seconds: float
    block_events: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))

    def at_blocks(self) -> list[int]:
        """Bytes live where the first block began and where each block ended."""
        before = np.append(0, self.live_bytes)
        return [int(before[events]) for events in self.block_events]

    def within_blocks(self) -> list[int]:
        """Most bytes live inside each block's forward pass, including its begin and end."""
        before = np.append(0, self.live_bytes)
        return [int(before[begin : end + 1].max()) for begin, end in pairwise(self.block_events)]


def byte_traces_file(folder: Path, cell: str) -> Path:
    """Path of the byte traces of a cell."""
    return folder / f"{cell}.npz"


def write_byte_traces(path: Path, traces: dict[str, ByteTrace]) -> None:
    """Write the traces of a cell's policies as one compressed .npz, without pickled objects."""
    columns = {"policies": np.array(list(traces), dtype=np.str_)}
    for number, trace in enumerate(traces.values()):
        columns |= {f"{number}.{name}": np.asarray(value) for name, value in vars(trace).items()}
    with whole_file(path) as stream:
        np.savez_compressed(stream, allow_pickle=False, **columns)
    seal(path)


def read_byte_traces(path: Path) -> dict[str, ByteTrace]:
    """Read the traces of a cell by policy; a refusal names the file."""
    remedy = "delete it and measure again"
    if path.exists():
        sealed_bytes(path)
    columns = read_arrays(path, None, remedy)
    try:
        policies = _of_kind(columns, "policies", "U", 1).tolist()
        found = {policy: _trace(columns, number) for number, policy in enumerate(policies)}
        if len(found) < len(policies):
            raise ValueError("one policy is there twice")
    except (ValueError, KeyError) as error:
        raise Refusal(f"{path}: not a file of byte traces ({error}); {remedy}") from None
    return found


def _trace(columns: dict[str, NDArray[Any]], number: int) -> ByteTrace:
    of_events = (("seconds", "f"), ("live_bytes", "i"), ("block_events", "i"))
    seconds, live, marked = (_of_kind(columns, f"{number}.{name}", kind, 1) for name, kind in of_events)
    forward = _of_kind(columns, f"{number}.forward_events", "i", 0)
    ended = _of_kind(columns, f"{number}.forward_ended_seconds", "f", 0)
    if seconds.size != live.size or not np.isfinite(seconds).all():
        raise ValueError("seconds are not one finite number for each event")
    if not 0 <= forward <= live.size:
        raise ValueError("a forward pass has more events than there are")
    if marked.size and not (marked.min() >= 0 and marked.max() <= live.size):
        raise ValueError("a block ends after the last event")
    return ByteTrace(seconds, live, int(forward), float(ended), marked)


def _of_kind(columns: dict[str, NDArray[Any]], name: str, kind: str, dimensions: int) -> NDArray[Any]:
    """A column, refused unless it has that kind (numpy's letter for the dtype) and number of dimensions."""
    found = columns[name]
    if (found.dtype.kind, found.ndim) != (kind, dimensions):
        raise ValueError(f"{name} is of type {found.dtype} and of {found.ndim} dimensions")
    return found
