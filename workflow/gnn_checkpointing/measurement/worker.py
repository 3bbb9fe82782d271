"""The measured process: measures the cells of one graph in turn and tells the commanding process by JSON lines."""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
from pathlib import Path
from typing import Any, TextIO

import torch

from gnn_checkpointing.design import graph_cells
from gnn_checkpointing.graphs.storage import load_graph
from gnn_checkpointing.measurement.cell import measure_cell
from gnn_checkpointing.measurement.device import chosen_device
from gnn_checkpointing.measurement.exclusive import die_with_parent
from gnn_checkpointing.measurement.memory_limit import limit_memory
from gnn_checkpointing.records import PolicyRecord
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study import parse_study

_OUT_OF_MEMORY_TEXTS = ("can't allocate memory", "not enough memory", "out of memory", "bad_alloc", "cannot allocate")


def main() -> None:
    """Read the job from standard input and measure; events go to the file descriptor given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, required=True)
    arguments = parser.parse_args()
    die_with_parent()
    job = json.load(sys.stdin)
    with os.fdopen(arguments.events, "w", buffering=1) as events:
        try:
            _measure(job, events)
        except Refusal as refusal:
            _tell(events, event="refusal", message=str(refusal))
            raise SystemExit(2) from None


def _measure(job: dict[str, Any], events: TextIO) -> None:
    study = parse_study(job["study"], "study")
    graph = load_graph(Path(job["graph_file"]))
    torch.set_num_threads(study.measurement.threads)
    # What the imports made lives as long as the process; looking through it would cost more than many a step.
    gc.collect()
    gc.freeze()
    limit = limit_memory(chosen_device(study.measurement.device), study.measurement.memory_limit_gib)
    cells = {cell.id: cell for cell in graph_cells(study, job["graph"])}
    for cell_id in job["cells"]:
        last = {"policy": "", "phase": ""}

        def announce(policy: str, phase: str, cell_id: str = cell_id, last: dict[str, str] = last) -> None:
            last.update(policy=policy, phase=phase)
            _tell(events, event="step", cell=cell_id, policy=policy, phase=phase)

        lost = {policy: PolicyRecord.model_validate(found) for policy, found in job["lost"].get(cell_id, {}).items()}
        context = job["context"] | {"fingerprint": job["fingerprints"][cell_id], "memory_limit_bytes": limit}
        try:
            record = measure_cell(study, cells[cell_id], graph, lost, announce, context)
        except Exception as error:
            if isinstance(error, Refusal) or not last["policy"]:
                raise
            outcome = "out_of_memory" if _is_out_of_memory(error) else "failed"
            message = f"{type(error).__name__} in {last['phase']}: {_first_line(error)}"
            _tell(events, event="lost", cell=cell_id, policy=last["policy"], outcome=outcome, message=message)
            raise SystemExit(3) from error
        _tell(events, event="cell", cell=cell_id, record=record.model_dump(mode="json"))


def _is_out_of_memory(error: Exception) -> bool:
    text = str(error).lower()
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or any(part in text for part in _OUT_OF_MEMORY_TEXTS)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else "no message"


def _tell(events: TextIO, **fields: Any) -> None:
    events.write(json.dumps(fields) + "\n")


if __name__ == "__main__":
    main()
