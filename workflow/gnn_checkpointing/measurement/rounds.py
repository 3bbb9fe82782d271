"""Timed rounds: every policy once a round in a shuffled order, until the ratios are known or the time is spent.

Each process has its share of the rounds and of the time, and stops by itself.
"""

from __future__ import annotations

import gc
import math
import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

import torch

from gnn_checkpointing.measurement.probe import Announce
from gnn_checkpointing.measurement.ratios import paired_ratio
from gnn_checkpointing.measurement.sentinel import Sentinel
from gnn_checkpointing.measurement.step_time import StepTime, timed
from gnn_checkpointing.measurement.workload import Contestant
from gnn_checkpointing.records.policy import Steps
from gnn_checkpointing.study.design import Cell
from gnn_checkpointing.study.graph_design import derived_seed
from gnn_checkpointing.study.study import Study

Number = TypeVar("Number", int, float)

LOOK_EVERY = 10
"""Rounds of a process between looks at the intervals: fewer cannot tell a narrow interval from a lucky one."""

LOOK_CONFIDENCE = 0.999
"""Level of the intervals that are looked at: to stop when one of the published level is narrow is to prefer lucky ones;
the analysis plays the rule on known ratios (`analysis/robustness/stopping.py`)."""

LOOK_RESAMPLES = 2000


@dataclass(frozen=True)
class Share:
    """One process's share of the rounds and seconds that a study grants a cell."""

    at_least: int
    at_most: int
    seconds: float
    half_width: float

    @classmethod
    def of(cls, study: Study, rounds: tuple[int, int] | None = None) -> Share:
        """Return the share of each process; widths shrink by the root of the processes that are averaged.

        `rounds` are a cell's own fewest and most.
        """
        asked, processes = study.measurement, study.measurement.processes
        at_least, at_most = rounds or (asked.rounds.at_least, asked.rounds.at_most)
        return cls(
            at_least=math.ceil(at_least / processes),
            at_most=math.ceil(at_most / processes),
            seconds=asked.seconds_per_cell / processes,
            half_width=asked.ratio_half_width * math.sqrt(processes),
        )


def timed_rounds(
    study: Study,
    cell: Cell,
    process: int,
    contestants: dict[str, Contestant],
    device: torch.device,
    sentinel: Sentinel,
    announce: Announce,
) -> tuple[list[list[str]], dict[str, Steps]]:
    """Time rounds of all policies until the ratios are known well enough; return the orders and the policies' steps.

    Rounds stop when every ratio's interval is narrow enough or the budget is spent, after this process's share of
    `at_least`. `process` counts from 0; each has its own orders. The sentinel is timed once a round.
    """
    if not contestants or not cell.timed:
        return [], {}
    times: dict[str, list[StepTime]] = {policy: [] for policy in contestants}
    shuffler = random.Random(derived_seed(cell.seed, f"rounds {process}"))  # noqa: S311 - order of rounds, no secret
    share = Share.of(study, cell.rounds)
    orders: list[list[str]] = []
    spent = 0.0
    if device.type == "cuda":
        _fill_cache(contestants, announce)
    gc.collect()
    gc.disable()
    try:
        while len(orders) < share.at_most:
            order = list(contestants)
            shuffler.shuffle(order)
            sentinel.time()
            for policy in order:
                announce(policy, f"round {len(orders) + 1} of process {process + 1}")
                times[policy].append(timed(contestants[policy].forward, device))
                contestants[policy].drop_gradients()
                spent += times[policy][-1].wall_seconds
            orders.append(order)
            if len(orders) >= share.at_least and (
                spent >= share.seconds or (len(orders) % LOOK_EVERY == 0 and _narrow(times, share.half_width, cell))
            ):
                break
    finally:
        gc.enable()
    return orders, {policy: _steps(found) for policy, found in times.items()}


def _fill_cache(contestants: dict[str, Contestant], announce: Announce) -> None:
    """Run one step of each policy untimed, so that none of the timed ones waits for the driver to hand out memory.

    Counting bytes gave every free segment back; what another policy left may not fit.
    """
    for policy, contest in contestants.items():
        announce(policy, "untimed step")
        contest.step()
        contest.drop_gradients()


def _narrow(times: dict[str, list[StepTime]], half_width: float, cell: Cell) -> bool:
    """Tell whether every ratio is known to `half_width`; never where `none` or another policy is missing."""
    seconds = {policy: [time.wall_seconds for time in found] for policy, found in times.items()}
    reference = seconds.pop("none", [])
    return bool(seconds and reference) and all(
        paired_ratio([own], [reference], LOOK_CONFIDENCE, LOOK_RESAMPLES, cell.seed).half_width <= half_width
        for own in seconds.values()
    )


def _steps(times: list[StepTime]) -> Steps:
    return Steps(
        wall_seconds=[time.wall_seconds for time in times],
        forward_seconds=[time.forward_seconds for time in times],
        cpu_seconds=[time.cpu_seconds for time in times],
        system_seconds=[time.system_seconds for time in times],
        page_faults=[time.page_faults for time in times],
        voluntary_switches=[time.voluntary_switches for time in times],
        involuntary_switches=[time.involuntary_switches for time in times],
        device_seconds=_told(time.device_seconds for time in times),
        device_allocations=_told(time.device_allocations for time in times),
    )


def _told(values: Iterable[Number | None]) -> list[Number] | None:
    """Return what was told of each step, None where there is nothing to be told on this device."""
    return [value for value in values if value is not None] or None
