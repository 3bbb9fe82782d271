"""The measured process: measures the cells of one graph in turn, and reports to its supervisor in lines of JSON."""

import errno
import gc
import json
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import torch

from gnn_checkpointing.graphs.storage import load_graph
from gnn_checkpointing.measurement.allocator import refused_on_cuda
from gnn_checkpointing.measurement.cell import Bench, ReadHighWater
from gnn_checkpointing.measurement.device import accelerator, chosen_device, full_precision, memory_limit, spread_net
from gnn_checkpointing.measurement.exclusive import die_with_parent
from gnn_checkpointing.measurement.gpu import Neighbours, alone_on
from gnn_checkpointing.measurement.high_water import HighWater, HighWaterReader, no_high_water
from gnn_checkpointing.measurement.job import unavailable_cell
from gnn_checkpointing.measurement.probe import Announce
from gnn_checkpointing.measurement.readings import with_warnings
from gnn_checkpointing.records.policy import PolicyRecord
from gnn_checkpointing.records.traces import byte_traces_file, write_byte_traces
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.design import Cell, graph_cells
from gnn_checkpointing.study.graph_design import graph_spec
from gnn_checkpointing.study.reading import parse_study
from gnn_checkpointing.study.study import Study

_OUT_OF_MEMORY_TEXTS = ("can't allocate memory", "not enough memory", "out of memory", "bad_alloc", "cannot allocate")


def main() -> None:
    """Read the job from standard input and measure; events go to the file descriptor that is the argument."""
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # KeyboardInterrupt could be mistaken for a policy's own failure
    job = json.load(sys.stdin)
    with os.fdopen(int(sys.argv[1]), "w", buffering=1) as events:
        try:
            _measure(job, events)
        except Refusal as refusal:
            _tell(events, event="refusal", message=str(refusal))
            raise SystemExit(2) from None
        except OSError as error:
            full = _full_disk(error)
            if full is None:
                raise
            where = os.fsdecode(full.filename) if full.filename else tempfile.gettempdir()
            message = f"{where}: {os.strerror(full.errno or 0).lower()}; free some space, and run it again"
            _tell(events, event="refusal", message=message)
            raise SystemExit(2) from error


def _measure(job: dict[str, Any], events: TextIO) -> None:
    study = parse_study(job["study"], "study")
    device = chosen_device(study.measurement.device)
    # Before this process puts anything on the device.
    neighbours = alone_on(device) if device.type == "cuda" else None
    full_precision(device)
    every_cell = {cell.id: cell for cell in graph_cells(study, graph_spec(study, job["graph"]))}
    cells = [every_cell[cell_id] for cell_id in job["cells"]]
    # Objects made by the imports live as long as the process; scanning them would take longer than many steps.
    gc.collect()
    gc.freeze()
    read_high_water = None if job["process"] else _high_water(study, Path(job["graph_file"]), cells, device, events)
    graph = load_graph(Path(job["graph_file"]), job["graph"])
    torch.set_num_threads(study.measurement.threads)
    spread_net(device)
    worker = Worker(job, Bench(study, graph, device), neighbours, events)
    for cell in cells:
        if read_high_water is None:
            worker.time_again(cell)
        else:
            worker.measure(cell, read_high_water)


@dataclass(frozen=True)
class Worker:
    """Measures cells and reports them; holds what the cells of one process share."""

    job: dict[str, Any]
    bench: Bench
    neighbours: Neighbours | None
    events: TextIO

    def measure(self, cell: Cell, read_high_water: ReadHighWater) -> None:
        """Measure one cell and report its record."""
        study, graph, device = self.bench.study, self.bench.graph, self.bench.device
        context = self.job["context"] | {
            "fingerprint": self.job["fingerprints"][cell.id],
            "memory_limit_bytes": memory_limit(device, study.measurement.memory_limit_gib),
            "accelerator": accelerator(device),
        }
        reason = refused_on_cuda(cell.allocator) if device.type == "cuda" else None
        if reason:
            record = unavailable_cell(study, cell, graph, device.type, reason, context)
        else:
            found = self.job["lost"].get(cell.id, {})
            lost = {policy: PolicyRecord.model_validate(values) for policy, values in found.items()}
            with fatal_policies(cell, self.events) as announce:
                record, traces = self.bench.measure(cell, lost, announce, read_high_water, context)
            if self.neighbours:
                record = record.model_copy(update={"others_on_device": self.neighbours.found()})
                record = with_warnings(record, study)
            if traces:
                write_byte_traces(byte_traces_file(Path(self.job["folder"]), cell.id), traces)
        _tell(self.events, event="cell", record=record.model_dump(mode="json"))

    def time_again(self, cell: Cell) -> None:
        """Time one cell again and report its rounds."""
        process, policies = self.job["process"], self.job["timed"][cell.id]
        with fatal_policies(cell, self.events) as announce:
            found = self.bench.time_again(cell, process, policies, announce)
        if self.neighbours:
            found = found.model_copy(update={"others_on_device": self.neighbours.found()})
        _tell(self.events, event="again", cell=cell.id, rounds=found.model_dump(mode="json"))


@contextmanager
def fatal_policies(cell: Cell, events: TextIO) -> Iterator[Announce]:
    """Yield a function that reports each step of a policy; if a policy fails, report that and end the process.

    The supervising process then starts another one without that policy.
    """
    last = {"policy": "", "phase": ""}

    def announce(policy: str, phase: str) -> None:
        last.update(policy=policy, phase=phase)
        _tell(events, event="step", cell=cell.id, policy=policy, phase=phase)

    try:
        yield announce
    except Exception as error:
        full = _full_disk(error)
        if full:
            raise full from None
        if isinstance(error, Refusal) or not last["policy"]:
            raise
        outcome = "out_of_memory" if _is_out_of_memory(error) else "failed"
        message = f"{type(error).__name__} in {last['phase']}: {_first_line(error)}"
        _tell(events, event="lost", cell=cell.id, policy=last["policy"], outcome=outcome, message=message)
        raise SystemExit(3) from error


def _high_water(
    study: Study, graph_file: Path, cells: list[Cell], device: torch.device, events: TextIO
) -> ReadHighWater:
    """Choose how high-water marks are read here; this forks, so call it before anything is computed."""
    reason = no_high_water(device)
    if reason is None and all(cell.allocator != study.measurement.allocators[0] for cell in cells):
        reason = "no high-water reading: only under the reference allocator"
    if reason:
        return lambda cell, policies: dict.fromkeys(policies, HighWater(None, reason))  # noqa: ARG005 - one signature
    reader = HighWaterReader(study, graph_file, {cell.id: cell for cell in cells})
    return lambda cell, policies: reader.readings(cell, policies, alive=lambda: _tell(events, event="alive"))


def _full_disk(error: BaseException | None) -> OSError | None:
    """The full-disk error behind another error, or None; a full disk says nothing about the policy."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            return error
        error = error.__cause__ or error.__context__
    return None


def _is_out_of_memory(error: Exception) -> bool:
    text = str(error).lower()
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or any(part in text for part in _OUT_OF_MEMORY_TEXTS)


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).strip().splitlines()] or ["no message"]
    said = [line for line in lines[1:] if "error:" in line][:1]  # the actual error in a compiler's output
    return ": ".join([lines[0], *said])[:300]


def _tell(events: TextIO, **fields: Any) -> None:
    events.write(json.dumps(fields) + "\n")


if __name__ == "__main__":
    main()
