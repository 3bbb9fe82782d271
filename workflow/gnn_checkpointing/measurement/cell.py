"""One cell: every policy's bytes and sameness first, then rounds that time all side by side, then two more readings.

All of it in the first process; `another_process.py` has the rounds of the others.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch

from gnn_checkpointing.checkpointing.compilation import forget_compiled
from gnn_checkpointing.graphs.graph import Graph
from gnn_checkpointing.measurement.byte_trace import ByteTrace
from gnn_checkpointing.measurement.clock import clock_governor, clock_mhz
from gnn_checkpointing.measurement.fake_tensors import fake_tensor_bytes
from gnn_checkpointing.measurement.high_water import HighWater, give_garbage_back
from gnn_checkpointing.measurement.memory_limit import over_limit
from gnn_checkpointing.measurement.probe import Announce, Probed, is_other_model, probed
from gnn_checkpointing.measurement.readings import agreement
from gnn_checkpointing.measurement.record_warnings import record_warnings
from gnn_checkpointing.measurement.rounds import timed_rounds
from gnn_checkpointing.measurement.sameness import StepResult
from gnn_checkpointing.measurement.sentinel import Sentinel
from gnn_checkpointing.measurement.unmeasured import described, now
from gnn_checkpointing.measurement.workload import Task, cell_task
from gnn_checkpointing.records.cell import CellRecord
from gnn_checkpointing.records.policy import Outcome, PolicyRecord, Readings
from gnn_checkpointing.refusal import Refusal, Unavailable
from gnn_checkpointing.study.design import Cell
from gnn_checkpointing.study.study import Study

ReadHighWater = Callable[[str, dict[str, int]], dict[str, HighWater]]
"""From a cell's id and the policies that completed, with their activation bytes, to high-water readings or reasons."""


def measure_cell(
    study: Study,
    cell: Cell,
    graph: Graph,
    device: torch.device,
    lost: dict[str, PolicyRecord],
    announce: Announce,
    read_high_water: ReadHighWater,
    context: dict[str, Any],
) -> tuple[CellRecord, dict[str, ByteTrace]]:
    """Measure every policy of `cell` that is not already `lost`; return the record and the policies' byte traces.

    `context` holds the record's fields that the commanding process knows: hardware, fingerprint, memory limit,
    restarts.
    """
    forget_compiled()  # another cell's kernels are of other sizes
    started, load_before, clock_before = now(), os.getloadavg()[0], clock_mhz()
    task = cell_task(graph, cell, device)
    cell = task.sized(cell)
    sentinel = Sentinel(device)
    measured, outcomes = _probed_policies(study, cell, task, lost, context["memory_limit_bytes"], announce)
    contestants = {policy: found.contest for policy, found in measured.items()}
    orders, steps = timed_rounds(study, cell, 0, contestants, device, sentinel, announce)
    load_after, clock_after = os.getloadavg()[0], clock_mhz()
    _read_otherwise(study, cell, graph, task, measured, read_high_water)
    outcomes |= {policy: found.record(steps.get(policy)) for policy, found in measured.items()}
    record = CellRecord(
        **described(study, cell, graph, device.type),
        **context,
        started=started,
        ended=now(),
        load_before=load_before,
        load_after=load_after,
        clock_mhz_before=clock_before,
        clock_mhz_after=clock_after,
        governor=clock_governor(),
        sentinel_seconds=sentinel.seconds,
        sentinel_by_round=True,
        measured_seconds=sum(found.seconds for found in measured.values())
        + sum(sum(timed.wall_seconds) for timed in steps.values()),
        round_orders=orders,
        parameters=_parameters(measured),
        policies=[outcomes[policy] for policy in study.policies],
        warnings=[],
    )
    traces = {policy: found.trace for policy, found in measured.items() if found.trace is not None}
    return record.model_copy(update={"warnings": record_warnings(record, study)}), traces


def _parameters(measured: dict[str, Probed]) -> int | None:
    """Return the parameters of the model that the policies train; None where none that trains it ran."""
    own = [found.contest.model for policy, found in measured.items() if not is_other_model(policy)]
    return sum(parameter.numel() for parameter in own[0].parameters()) if own else None


def _probed_policies(
    study: Study, cell: Cell, task: Task, lost: dict[str, PolicyRecord], limit_bytes: int, announce: Announce
) -> tuple[dict[str, Probed], dict[str, PolicyRecord]]:
    """Return what is measured of the policies that run, `none` first, and the outcomes of those that do not.

    A policy over the limit has run nevertheless: the others are still compared with what `none` computed.
    """
    measured: dict[str, Probed] = {}
    outcomes = dict(lost)
    reference: StepResult | None = None
    for policy in sorted(study.policies, key=lambda name: name != "none"):
        if policy in outcomes:
            continue
        try:
            found, result = probed(policy, cell, task, reference, study.measurement.gradient_tolerance, announce)
        except Refusal as refusal:
            outcome: Outcome = "unavailable" if isinstance(refusal, Unavailable) else "refused"
            outcomes[policy] = PolicyRecord(
                policy=policy, outcome=outcome, message=str(refusal), other_model=is_other_model(policy)
            )
            continue
        if policy == "none":
            reference = result
        message = over_limit(found.memory.peak_memory_bytes, limit_bytes)
        if message:
            outcomes[policy] = PolicyRecord(
                policy=policy, outcome="out_of_memory", message=message, other_model=is_other_model(policy)
            )
        else:
            measured[policy] = found
    return measured, outcomes


def _read_otherwise(
    study: Study,
    cell: Cell,
    graph: Graph,
    task: Task,
    measured: dict[str, Probed],
    read_high_water: ReadHighWater,
) -> None:
    """Give each policy its readings by the other two instruments, under the reference allocator alone.

    Both at the same time, since one waits for another process: bytes are bytes, and nothing is timed any more.
    """
    reference = study.measurement.allocators[0]
    if cell.allocator != reference:
        for found in measured.values():
            found.readings = Readings(notes=[f"the other instruments are read under allocator {reference}"])
        return
    node_map = graph.num_nodes * max(task.features.size(1), cell.architecture.hidden_channels) * 4
    give_garbage_back()
    with ThreadPoolExecutor(1) as waiting:
        reading = waiting.submit(
            read_high_water, cell.id, {policy: found.activation_bytes for policy, found in measured.items()}
        )
        fakes = {policy: _fake_reading(study, cell, found) for policy, found in measured.items()}
        marks = reading.result()
    for policy, found in measured.items():
        fake, why_not = fakes[policy]
        found.high_water_seconds = marks[policy].seconds
        found.readings = agreement(
            found.activation_bytes,
            num_edges=graph.num_edges + graph.num_nodes,  # GCN reads self-loops, too
            node_map_bytes=node_map,
            high_water=marks[policy].bytes,
            fake=fake,
            notes=[note for note in (marks[policy].note, why_not) if note],
            resident_bytes=found.memory.resident_bytes,
            device=found.device_bytes,
        )


def _fake_reading(study: Study, cell: Cell, found: Probed) -> tuple[int | None, str]:
    """Return the activation peak by fake tensors, or None and the reason."""
    if not study.measurement.fake_tensor_reading:
        return None, "no reading by fake tensors: the study leaves it out"
    return fake_tensor_bytes(cell, found.contest)
