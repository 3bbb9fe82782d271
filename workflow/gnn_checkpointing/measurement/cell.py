"""One cell: every policy's bytes and sameness first, then rounds that time all of them side by side."""

from __future__ import annotations

import gc
import os
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import torch

from gnn_checkpointing.design import Cell, derived_seed
from gnn_checkpointing.graphs.graph import Graph, facts
from gnn_checkpointing.measurement.device import chosen_device
from gnn_checkpointing.measurement.peak_memory import step_bytes
from gnn_checkpointing.measurement.ratios import Ratio, paired_ratio
from gnn_checkpointing.measurement.sameness import StepResult, compared, step_result
from gnn_checkpointing.measurement.step_time import StepTime, timed
from gnn_checkpointing.measurement.workload import Contestant, cell_task, contestant, seeded
from gnn_checkpointing.records import SCHEMA_VERSION, CellRecord, Memory, Outcome, PolicyRecord, Sameness, Steps
from gnn_checkpointing.refusal import Refusal, Unavailable
from gnn_checkpointing.study import Study

_LOOK_EVERY = 5
"""Rounds between looks at the intervals: a bootstrap takes longer than a small step."""

Announce = Callable[[str, str], None]
"""Told the policy and the phase before each of its steps; a policy that dies is known by its last announcement."""


@dataclass
class _Measured:
    """What has been found out about one policy so far."""

    contest: Contestant
    memory: Memory
    sameness: Sameness | None
    warm_up_seconds: float
    counted_seconds: float
    times: list[StepTime] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """Time inside measured steps: the first one, the one whose bytes are counted, the timed rounds."""
        return self.warm_up_seconds + self.counted_seconds + sum(time.wall_seconds for time in self.times)

    def record(self) -> PolicyRecord:
        steps = (
            None
            if not self.times
            else Steps(
                wall_seconds=[time.wall_seconds for time in self.times],
                cpu_seconds=[time.cpu_seconds for time in self.times],
                system_seconds=[time.system_seconds for time in self.times],
                page_faults=[time.page_faults for time in self.times],
                forward_seconds=[time.forward_seconds for time in self.times],
                voluntary_switches=[time.voluntary_switches for time in self.times],
                involuntary_switches=[time.involuntary_switches for time in self.times],
            )
        )
        return PolicyRecord(
            policy=self.contest.policy,
            outcome="completed",
            memory=self.memory,
            sameness=self.sameness,
            warm_up_seconds=self.warm_up_seconds,
            steps=steps,
        )


def measure_cell(
    study: Study,
    cell: Cell,
    graph: Graph,
    lost: dict[str, PolicyRecord],
    announce: Announce,
    context: dict[str, Any],
) -> CellRecord:
    """Measure every policy of `cell` that is not already `lost`, and return the record.

    `context` holds the record's fields that the commanding process knows: hardware, fingerprint, memory limit,
    restarts.
    """
    started, load_before = _now(), os.getloadavg()[0]
    device = chosen_device(study.measurement.device)
    task = cell_task(graph, cell, device)
    outcomes = dict(lost)
    measured: dict[str, _Measured] = {}
    reference: StepResult | None = None
    for policy in sorted(study.policies, key=lambda name: name != "none"):
        if policy in outcomes:
            continue
        try:
            contest = contestant(cell, task, policy)
        except Refusal as refusal:
            outcome: Outcome = "unavailable" if isinstance(refusal, Unavailable) else "refused"
            outcomes[policy] = PolicyRecord(policy=policy, outcome=outcome, message=str(refusal))
            continue
        announce(policy, "first step")
        measured[policy], reference = _probed(contest, cell, reference, study.measurement.gradient_tolerance)
    orders = _timed_rounds(study, cell, measured, device, announce)
    outcomes |= {policy: found.record() for policy, found in measured.items()}
    load_after = os.getloadavg()[0]
    return CellRecord(
        schema_version=SCHEMA_VERSION,
        study=study.name,
        cell=cell.id,
        graph=facts(graph),
        convolution=cell.convolution,
        architecture=cell.architecture.model_dump(mode="json", exclude={"convolutions"}),
        aggregation=cell.aggregation,
        seed=cell.seed,
        device=device.type,
        threads=study.measurement.threads,
        allocator=cell.allocator,
        timed=cell.timed,
        started=started,
        ended=_now(),
        load_before=load_before,
        load_after=load_after,
        clock_mhz_before=None,
        clock_mhz_after=None,
        governor=None,
        sentinel_seconds=[],
        measured_seconds=sum(found.seconds for found in measured.values()),
        round_orders=orders,
        policies=[outcomes[policy] for policy in study.policies],
        warnings=_warnings(study, cell, measured, max(load_before, load_after)),
        **context,
    )


def _probed(
    contest: Contestant, cell: Cell, reference: StepResult | None, tolerance: float
) -> tuple[_Measured, StepResult | None]:
    """Run a policy's first step and its byte count; return them with the reference, which `none` sets."""
    start = time.perf_counter()
    loss = seeded(contest, cell.seed, contest.forward)
    loss.backward()  # type: ignore[no-untyped-call] # torch annotates it partly
    warm_up = time.perf_counter() - start
    result = step_result(contest.model, loss)
    del loss
    if contest.policy == "none":
        reference = result
    sameness = None if reference is None else compared(result, reference, tolerance)
    contest.drop_gradients()
    gc.collect()
    total, added = contest.resident()
    start = time.perf_counter()
    found = step_bytes(contest.forward, contest.task.features.device)
    counted = time.perf_counter() - start
    contest.drop_gradients()
    memory = Memory(
        resident_bytes=total,
        policy_resident_bytes=added,
        saved_activation_bytes=found.saved,
        transient_bytes=found.peak - found.saved,
        peak_memory_bytes=total + found.peak,
    )
    return _Measured(contest, memory, sameness, warm_up, counted), reference


def _timed_rounds(
    study: Study, cell: Cell, measured: dict[str, _Measured], device: torch.device, announce: Announce
) -> list[list[str]]:
    """Time rounds of all policies in shuffled order until the ratios are known well enough; return the orders."""
    if not measured or not cell.timed:
        return []
    shuffler = random.Random(derived_seed(cell.seed, "rounds"))  # noqa: S311 - order of rounds, no secret
    rounds, budget = study.measurement.rounds, study.measurement.seconds_per_cell
    orders: list[list[str]] = []
    spent = 0.0
    gc.collect()
    gc.disable()
    try:
        while len(orders) < rounds.at_most:
            order = list(measured)
            shuffler.shuffle(order)
            for policy in order:
                announce(policy, f"round {len(orders) + 1}")
                found = measured[policy]
                found.times.append(timed(found.contest.forward, device))
                found.contest.drop_gradients()
                spent += found.times[-1].wall_seconds
            orders.append(order)
            if len(orders) >= rounds.at_least and (
                spent >= budget or (len(orders) % _LOOK_EVERY == 0 and _narrow(study, cell, measured))
            ):
                break
    finally:
        gc.enable()
    return orders


def _ratios(study: Study, cell: Cell, measured: dict[str, _Measured]) -> dict[str, Ratio]:
    if "none" not in measured or not cell.timed:
        return {}
    seconds = {policy: [time.wall_seconds for time in found.times] for policy, found in measured.items()}
    return {
        policy: paired_ratio(values, seconds["none"], study.analysis.confidence, 500, cell.seed)
        for policy, values in seconds.items()
        if policy != "none"
    }


def _narrow(study: Study, cell: Cell, measured: dict[str, _Measured]) -> bool:
    ratios = _ratios(study, cell, measured)
    return bool(ratios) and all(ratio.half_width <= study.measurement.ratio_half_width for ratio in ratios.values())


def _warnings(study: Study, cell: Cell, measured: dict[str, _Measured], load: float) -> list[str]:
    """Return what the record says against itself."""
    target = study.measurement.ratio_half_width
    warnings = [
        f"time ratio of {policy} is known to +-{ratio.half_width:.1%}, not to the +-{target:.0%} asked for"
        for policy, ratio in _ratios(study, cell, measured).items()
        if ratio.half_width > target
    ]
    if load > study.measurement.threads + 0.75:
        warnings.append(f"load {load:.1f} with {study.measurement.threads} measuring threads: the machine was shared")
    warnings += [
        f"{policy} changes what is computed"
        for policy, found in measured.items()
        if (same := found.sameness) and not (same.same_loss and same.same_gradients and same.same_buffers)
    ]
    return warnings


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
