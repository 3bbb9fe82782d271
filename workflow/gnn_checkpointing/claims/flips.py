"""How often another run would turn a claim: its estimates drawn again from what processes and hours differ by."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from gnn_checkpointing.analysis.results import Estimate
from gnn_checkpointing.claims.ledger import Verdict
from gnn_checkpointing.claims.rules import Rule
from gnn_checkpointing.sourced import plain

RUNS = 500
MOST_FLIPS = 0.05
"""A claim that more runs than this would turn is neither supported nor refuted."""


def flipping(rule: Rule, estimates: Sequence[Estimate], confidence: float) -> float:
    """The share of simulated runs in which the rule decides otherwise of the numbers alone than it does of these.

    The interval of each estimate holds what differs between processes and hours, so its reach gives the standard
    deviation of another run: of the logarithm where all is positive.
    """
    if not estimates:
        return 0.0
    generator = np.random.Generator(np.random.PCG64(0))
    drawn = np.array([_again(one, confidence, generator.standard_normal(RUNS)) for one in estimates])
    here = _decided(rule, [plain(one.estimate) for one in estimates])
    return sum(_decided(rule, column) != here for column in drawn.T.tolist()) / RUNS


def steady(verdict: Verdict, flips: float) -> Verdict:
    """The verdict, unless another run might turn it."""
    return "inconclusive" if flips > MOST_FLIPS and verdict in ("supported", "refuted") else verdict


def _again(one: Estimate, confidence: float, draws: NDArray[np.float64]) -> NDArray[np.float64]:
    middle, low, high = (plain(value) for value in (one.estimate, one.low, one.high))
    quantile = NormalDist().inv_cdf((1 + confidence) / 2)
    if low > 0:
        found: NDArray[np.float64] = np.exp(draws * (math.log(high / low) / 2 / quantile)) * middle
        return found
    around: NDArray[np.float64] = draws * ((high - low) / 2 / quantile) + middle
    return around


def _decided(rule: Rule, values: Sequence[float]) -> Verdict:
    return rule.verdict([Estimate.model_construct(estimate=value, low=value, high=value) for value in values])
