"""Simulation of the rule that ends timing, on known ratios: does stopping at a narrow interval bias the interval?"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from gnn_checkpointing.analysis.bootstrap import LOOK_CONFIDENCE, LOOK_RESAMPLES, Share
from gnn_checkpointing.analysis.results import Distribution, StoppingRule
from gnn_checkpointing.analysis.rounding import Floats
from gnn_checkpointing.analysis.table import Protocol

PLAYS = 1000
TRUE_RATIO = 1.4
# Noise of one round's ratio: whatever slows a whole round slows both of its steps and cancels.
NOISES: tuple[tuple[Distribution, float], ...] = (
    ("lognormal", 0.01),
    ("lognormal", 0.03),
    ("lognormal", 0.1),
    ("heavy_tailed", 0.03),
)
# One round in ten is ten times as noisy as the others.
SPIKES, SPIKE = 0.1, 10.0


def stopping(protocol: Protocol, generator: np.random.Generator) -> list[StoppingRule]:
    """Simulate the study's rule at several noise levels, with one policy beside none: a single policy stops soonest.

    A cell's time budget, which also ends timing, does not depend on any ratio and is left out. All processes are
    simulated alike: differences between them are estimated and added afterwards, whatever the rule.
    """
    return [_played(distribution, noise, protocol, generator) for distribution, noise in NOISES]


def resampled(logarithms: Floats, resamples: int, generator: np.random.Generator) -> tuple[Floats, Floats]:
    """Median of each play, `[num_plays]`, and medians of resamples of its rounds, `[num_plays, resamples]`.

    All plays share the same stratified resamples, whose two middle positions have evenly spread probabilities (Latin
    hypercube; `analysis/bootstrap.py` explains the distribution of the positions).
    """
    ordered = np.sort(logarithms, axis=1)
    count = ordered.shape[1]
    lower, upper = (count - 1) // 2, count // 2
    one, two = ((generator.permutation(resamples) + 0.5) / resamples for _ in range(2))
    first = betaincinv(lower + 1, count - lower, one)
    second = first if lower == upper else 1 - (1 - first) * two ** (1 / (count - upper))
    places = [np.minimum((share * count).astype(np.int64), count - 1) for share in (first, second)]
    return (ordered[:, lower] + ordered[:, upper]) / 2, (ordered[:, places[0]] + ordered[:, places[1]]) / 2


def interval(middles: Floats, drawn: Floats, confidence: float) -> tuple[Floats, Floats, Floats]:
    """Ratios and the ends of their percentile intervals, from the log medians of plays and of resamples."""
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2], axis=1)
    return np.exp(middles), np.exp(np.minimum(low, middles)), np.exp(np.maximum(high, middles))


def _played(
    distribution: Distribution, noise: float, protocol: Protocol, generator: np.random.Generator
) -> StoppingRule:
    share = Share.of(protocol.rounds, protocol.processes, protocol.ratio_half_width)
    rounds = []
    for _ in range(protocol.processes):  # log ratios round by round, [num_plays, at_most]
        scatter = noise * generator.standard_normal((PLAYS, share.at_most))
        if distribution == "heavy_tailed":
            scatter *= np.where(generator.random(scatter.shape) < SPIKES, SPIKE, 1.0)
        rounds.append(math.log(TRUE_RATIO) + scatter)
    stops = [_stops(each, share, generator) for each in rounds]
    covered, narrow = _published(rounds, stops, protocol, generator)
    usual = int(np.median(stops))
    fixed, _ = _published(rounds, [np.full(PLAYS, usual) for _ in rounds], protocol, generator)
    return StoppingRule(
        distribution=distribution,
        noise=noise,
        target_half_width=protocol.ratio_half_width,
        processes=protocol.processes,
        at_least=protocol.rounds[0],
        at_most=protocol.rounds[1],
        plays=PLAYS,
        covered=covered,
        fixed_covered=fixed,
        expected_error=math.sqrt(protocol.confidence * (1 - protocol.confidence) / PLAYS),
        median_rounds=float(np.median(np.sum(stops, axis=0))),
        reached_target=narrow,
    )


def _stops(logarithms: Floats, share: Share, generator: np.random.Generator) -> NDArray[np.int64]:
    """Number of rounds after which each play stops in one process."""
    stops = np.full(len(logarithms), share.at_most)
    playing = np.arange(len(logarithms))
    for rounds in filter(share.looks, range(1, share.at_most)):
        if len(playing):
            found = resampled(logarithms[playing, :rounds], LOOK_RESAMPLES, generator)
            narrow = _half_width(*interval(*found, LOOK_CONFIDENCE)) <= share.half_width
            stops[playing[narrow]] = rounds
            playing = playing[~narrow]
    return stops


def _published(
    processes: Sequence[Floats], stops: Sequence[NDArray[np.int64]], protocol: Protocol, generator: np.random.Generator
) -> tuple[float, float]:
    """Shares of published intervals that contain the true ratio, and that are narrow enough.

    Published values are resampled from the rounds that each process has run when it stops, and averaged over processes.
    """
    middles, drawn = np.zeros(PLAYS), np.zeros((PLAYS, protocol.resamples))
    for logarithms, stopped in zip(processes, stops, strict=True):
        for rounds in np.unique(stopped):
            own = stopped == rounds
            found = resampled(logarithms[own, :rounds], protocol.resamples, generator)
            middles[own] += found[0] / len(processes)
            drawn[own] += found[1] / len(processes)
    ratio, low, high = interval(middles, drawn, protocol.confidence)
    narrow = _half_width(ratio, low, high) <= protocol.ratio_half_width
    return float(((low <= TRUE_RATIO) & (high >= TRUE_RATIO)).mean()), float(narrow.mean())


def _half_width(middle: Floats, low: Floats, high: Floats) -> Floats:
    return (high - low) / 2 / middle
