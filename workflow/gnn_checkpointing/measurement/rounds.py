"""Timed rounds: every policy once a round in a shuffled order, until the ratios are known or the time is spent."""

from __future__ import annotations

import gc
import random

import torch

from gnn_checkpointing.design import Cell
from gnn_checkpointing.graph_design import derived_seed
from gnn_checkpointing.measurement.probe import Announce, Probed
from gnn_checkpointing.measurement.ratios import Ratio, paired_ratio
from gnn_checkpointing.measurement.sentinel import Sentinel
from gnn_checkpointing.measurement.step_time import timed
from gnn_checkpointing.study import Study

_LOOK_EVERY = 5
"""Rounds between looks at the intervals: a bootstrap takes longer than a small step."""

_SENTINEL_SHARE = 0.1
"""Of the time budget, between two looks at the sentinel."""


def timed_rounds(
    study: Study,
    cell: Cell,
    measured: dict[str, Probed],
    device: torch.device,
    sentinel: Sentinel,
    announce: Announce,
) -> list[list[str]]:
    """Time rounds of all policies until the ratios are known well enough; return the orders.

    Rounds stop when every ratio's interval is narrow enough or the budget is spent, after `at_least` of them.
    """
    if not measured or not cell.timed:
        return []
    shuffler = random.Random(derived_seed(cell.seed, "rounds"))  # noqa: S311 - order of rounds, no secret
    rounds, budget = study.measurement.rounds, study.measurement.seconds_per_cell
    orders: list[list[str]] = []
    spent = looked = 0.0
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
            if spent - looked >= _SENTINEL_SHARE * budget:
                sentinel.time()
                looked = spent
            if len(orders) >= rounds.at_least and (
                spent >= budget or (len(orders) % _LOOK_EVERY == 0 and _narrow(study, cell, measured))
            ):
                break
    finally:
        gc.enable()
    return orders


def time_ratios(study: Study, cell: Cell, measured: dict[str, Probed]) -> dict[str, Ratio]:
    """Return each policy's time over that of `none`, paired round by round; nothing where nothing was timed."""
    if "none" not in measured or not cell.timed:
        return {}
    seconds = {policy: [time.wall_seconds for time in found.times] for policy, found in measured.items()}
    return {
        policy: paired_ratio(values, seconds["none"], study.analysis.confidence, 500, cell.seed)
        for policy, values in seconds.items()
        if policy != "none"
    }


def _narrow(study: Study, cell: Cell, measured: dict[str, Probed]) -> bool:
    ratios = time_ratios(study, cell, measured)
    return bool(ratios) and all(ratio.half_width <= study.measurement.ratio_half_width for ratio in ratios.values())
