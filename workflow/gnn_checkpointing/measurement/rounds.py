"""Timed rounds: every policy once a round in a shuffled order, until the ratios are known or the time is spent.

Each process has its share of the rounds and of the time, and stops by itself.
"""

from __future__ import annotations

import gc
import random

import torch

from gnn_checkpointing.analysis.bootstrap import LOOK_CONFIDENCE, LOOK_RESAMPLES, Share
from gnn_checkpointing.measurement.probe import Announce
from gnn_checkpointing.measurement.ratios import paired_ratio
from gnn_checkpointing.measurement.step_time import Sentinel, StepTime, timed
from gnn_checkpointing.measurement.workload import Contestant
from gnn_checkpointing.records.policy import Steps
from gnn_checkpointing.study.design import Cell
from gnn_checkpointing.study.graph_design import derived_seed
from gnn_checkpointing.study.study import Study


def timed_rounds(
    study: Study,
    cell: Cell,
    process: int,
    contestants: dict[str, Contestant],
    device: torch.device,
    sentinel: Sentinel,
    announce: Announce,
) -> tuple[list[list[str]], dict[str, Steps]]:
    """Time rounds of all policies until the ratios are known well enough; the orders and the policies' steps.

    Rounds stop when every ratio's interval is narrow enough or the budget is spent, after this process's share of
    `at_least`. `process` counts from 0; each has its own orders. The sentinel is timed once a round.
    """
    if not contestants or not cell.timed:
        return [], {}
    asked = study.measurement
    rounds = cell.rounds or (asked.rounds.at_least, asked.rounds.at_most)
    share = Share.of(rounds, asked.processes, asked.ratio_half_width)
    times: dict[str, list[StepTime]] = {policy: [] for policy in contestants}
    shuffler = random.Random(derived_seed(cell.seed, f"rounds {process}"))  # noqa: S311 - order of rounds, no secret
    orders: list[list[str]] = []
    spent = 0.0
    if device.type == "cuda":
        # Counting bytes gave every free segment back, and what another policy left may not fit: without an untimed
        # step of each, the first timed ones would wait for the driver to hand out memory.
        for policy, contest in contestants.items():
            announce(policy, "untimed step")
            contest.step()
            contest.drop_gradients()
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
                spent >= asked.seconds_per_cell / asked.processes
                or (share.looks(len(orders)) and _narrow(times, share.half_width, cell))
            ):
                break
    finally:
        gc.enable()
    return orders, {policy: _steps(found) for policy, found in times.items()}


def _narrow(times: dict[str, list[StepTime]], half_width: float, cell: Cell) -> bool:
    """Whether every ratio is known to `half_width`; never where `none` or another policy is missing."""
    seconds = {policy: [time.wall_seconds for time in found] for policy, found in times.items()}
    reference = seconds.pop("none", [])
    return bool(seconds and reference) and all(
        paired_ratio([own], [reference], LOOK_CONFIDENCE, LOOK_RESAMPLES, cell.seed).half_width <= half_width
        for own in seconds.values()
    )


def _steps(times: list[StepTime]) -> Steps:
    """One list per field of the steps; None for what only a CUDA device says."""
    columns = zip(StepTime._fields, map(list, zip(*times, strict=True)), strict=True)
    return Steps.model_validate({name: None if None in values else values for name, values in columns})
