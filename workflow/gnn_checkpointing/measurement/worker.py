"""The measured process: measures the cells of one graph in turn and tells the commanding process by JSON lines."""

from __future__ import annotations

import argparse
import gc
import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import torch

from gnn_checkpointing.graphs.graph import Graph
from gnn_checkpointing.graphs.storage import load_graph
from gnn_checkpointing.measurement.allocator import refused_on_cuda
from gnn_checkpointing.measurement.another_process import time_again
from gnn_checkpointing.measurement.byte_trace import write_byte_traces
from gnn_checkpointing.measurement.cell import ReadHighWater, measure_cell
from gnn_checkpointing.measurement.device import accelerator, chosen_device, full_precision
from gnn_checkpointing.measurement.exclusive import die_with_parent
from gnn_checkpointing.measurement.high_water import HighWater, HighWaterReader, no_high_water
from gnn_checkpointing.measurement.memory_limit import memory_limit, spread_net
from gnn_checkpointing.measurement.other_processes import Neighbours, alone_on
from gnn_checkpointing.measurement.probe import Announce
from gnn_checkpointing.measurement.record_warnings import record_warnings
from gnn_checkpointing.measurement.unmeasured import unavailable_cell
from gnn_checkpointing.records.policy import PolicyRecord
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.design import Cell, graph_cells
from gnn_checkpointing.study.graph_design import graph_spec
from gnn_checkpointing.study.reading import parse_study
from gnn_checkpointing.study.study import Study

_OUT_OF_MEMORY_TEXTS = ("can't allocate memory", "not enough memory", "out of memory", "bad_alloc", "cannot allocate")


def main() -> None:
    """Read the job from standard input and measure; events go to the file descriptor given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, required=True)
    arguments = parser.parse_args()
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # as an exception it could be taken for a policy's own failure
    job = json.load(sys.stdin)
    with os.fdopen(arguments.events, "w", buffering=1) as events:
        try:
            _measure(job, events)
        except Refusal as refusal:
            _tell(events, event="refusal", message=str(refusal))
            raise SystemExit(2) from None


def _measure(job: dict[str, Any], events: TextIO) -> None:
    study = parse_study(job["study"], "study")
    device = chosen_device(study.measurement.device)
    # Before anything of this process is on the device.
    neighbours = alone_on(device) if device.type == "cuda" else None
    full_precision(device)
    everything = {cell.id: cell for cell in graph_cells(study, graph_spec(study, job["graph"]))}
    cells = {cell_id: everything[cell_id] for cell_id in job["cells"]}
    # What the imports made lives as long as the process; looking through it would cost more than many a step.
    gc.collect()
    gc.freeze()
    again = job["process"] > 0
    read_high_water = None if again else _high_water(study, Path(job["graph_file"]), cells, device, events)
    graph = load_graph(Path(job["graph_file"]), job["graph"])
    torch.set_num_threads(study.measurement.threads)
    spread_net(device)
    limit = memory_limit(device, study.measurement.memory_limit_gib)
    for cell in cells.values():
        if read_high_water is None:
            _time_one_again(job, study, cell, graph, device, neighbours, events)
            continue
        context = job["context"] | {
            "fingerprint": job["fingerprints"][cell.id],
            "memory_limit_bytes": limit,
            "accelerator": accelerator(device),
        }
        reason = refused_on_cuda(cell.allocator) if device.type == "cuda" else None
        if reason:
            record = unavailable_cell(study, cell, graph, device.type, reason, context)
            _tell(events, event="cell", record=record.model_dump(mode="json"))
            continue
        _measure_one(job, study, cell, graph, device, neighbours, read_high_water, context, events)


def _measure_one(
    job: dict[str, Any],
    study: Study,
    cell: Cell,
    graph: Graph,
    device: torch.device,
    neighbours: Neighbours | None,
    read_high_water: ReadHighWater,
    context: dict[str, Any],
    events: TextIO,
) -> None:
    """Measure one cell and tell its record."""
    lost = {policy: PolicyRecord.model_validate(found) for policy, found in job["lost"].get(cell.id, {}).items()}
    with _fatal_policies(cell, events) as announce:
        record, traces = measure_cell(study, cell, graph, device, lost, announce, read_high_water, context)
    if neighbours:
        record = record.model_copy(update={"others_on_device": neighbours.found()})
        record = record.model_copy(update={"warnings": record_warnings(record, study)})
    if traces:
        write_byte_traces(Path(job["folder"]) / f"{cell.id}.npz", traces)
    _tell(events, event="cell", record=record.model_dump(mode="json"))


def _time_one_again(
    job: dict[str, Any],
    study: Study,
    cell: Cell,
    graph: Graph,
    device: torch.device,
    neighbours: Neighbours | None,
    events: TextIO,
) -> None:
    """Time one cell once more and tell its rounds."""
    with _fatal_policies(cell, events) as announce:
        found = time_again(study, cell, graph, device, job["process"], job["timed"][cell.id], announce)
    if neighbours:
        found = found.model_copy(update={"others_on_device": neighbours.found()})
    _tell(events, event="again", cell=cell.id, rounds=found.model_dump(mode="json"))


@contextmanager
def _fatal_policies(cell: Cell, events: TextIO) -> Iterator[Announce]:
    """Give what is to be told of each step; a policy that fails ends the process.

    The commanding process starts it again without that policy.
    """
    last = {"policy": "", "phase": ""}

    def announce(policy: str, phase: str) -> None:
        last.update(policy=policy, phase=phase)
        _tell(events, event="step", cell=cell.id, policy=policy, phase=phase)

    try:
        yield announce
    except Exception as error:
        if isinstance(error, Refusal) or not last["policy"]:
            raise
        outcome = "out_of_memory" if _is_out_of_memory(error) else "failed"
        message = f"{type(error).__name__} in {last['phase']}: {_first_line(error)}"
        _tell(events, event="lost", cell=cell.id, policy=last["policy"], outcome=outcome, message=message)
        raise SystemExit(3) from error


def _high_water(
    study: Study, graph_file: Path, cells: dict[str, Cell], device: torch.device, events: TextIO
) -> ReadHighWater:
    """Return how high-water marks are read here; forks, so it comes before anything is computed."""
    reason = no_high_water(device)
    if reason is None and all(cell.allocator != study.measurement.allocators[0] for cell in cells.values()):
        reason = "no high-water reading: only under the reference allocator"
    if reason:
        return lambda cell, policies: dict.fromkeys(policies, HighWater(None, reason))  # noqa: ARG005 - one signature
    reader = HighWaterReader(study, graph_file, cells)

    def read(cell: str, policies: dict[str, int]) -> dict[str, HighWater]:
        return reader.readings(cell, policies, alive=lambda: _tell(events, event="alive"))

    return read


def _is_out_of_memory(error: Exception) -> bool:
    text = str(error).lower()
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or any(part in text for part in _OUT_OF_MEMORY_TEXTS)


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).strip().splitlines()] or ["no message"]
    said = [line for line in lines[1:] if "error:" in line][:1]  # of a compiler's output, its own words
    return ": ".join([lines[0], *said])[:300]


def _tell(events: TextIO, **fields: Any) -> None:
    events.write(json.dumps(fields) + "\n")


if __name__ == "__main__":
    main()
