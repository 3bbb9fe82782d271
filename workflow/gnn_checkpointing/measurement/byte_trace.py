"""Live bytes over one step, a point an allocator event: stored beside the record, thinned for a figure (torch-free)."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from gnn_checkpointing.artefacts import seal, sealed_bytes, whole_file
from gnn_checkpointing.refusal import Refusal


@dataclass(frozen=True)
class ByteTrace:
    """`seconds` since the step began and bytes live above what lived before, after each event of the allocator.

    The first `forward_events` of them happened in the forward pass, which ended at `forward_ended_seconds`. So many
    events as `block_events` says came before the model's first block began and before each block ended; it is empty
    where nobody marked that.
    """

    seconds: NDArray[np.float64]
    live_bytes: NDArray[np.int64]
    forward_events: int
    forward_ended_seconds: float
    block_events: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))

    def at_blocks(self) -> list[int]:
        """Return the bytes live where the first block began and where each one ended."""
        before = np.concatenate([np.zeros(1, np.int64), self.live_bytes])
        return [int(before[events]) for events in self.block_events]

    def within_blocks(self) -> list[int]:
        """Return the most bytes that were live inside each block's forward pass, its two ends included."""
        before = np.concatenate([np.zeros(1, np.int64), self.live_bytes])
        return [int(before[begin : end + 1].max()) for begin, end in pairwise(self.block_events)]


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
    """Read the traces of a cell by policy, or refuse naming the file."""
    try:
        with np.load(BytesIO(sealed_bytes(path)), allow_pickle=False) as columns:
            policies, events = columns["policies"].tolist(), columns["events"]
            forward_events, forward_ended = (
                columns["forward_events"].tolist(),
                columns["forward_ended_seconds"].tolist(),
            )
            cuts = np.cumsum(events)[:-1]
            seconds, live = np.split(columns["seconds"], cuts), np.split(columns["live_bytes"], cuts)
            marks = np.split(columns["block_events"], np.cumsum(columns["marks"])[:-1])
    except (OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error) as error:
        raise Refusal(f"{path}: not a file of byte traces ({error}); delete it and measure again") from None
    return {
        policy: ByteTrace(*parts)
        for policy, *parts in zip(policies, seconds, live, forward_events, forward_ended, marks, strict=True)
    }
