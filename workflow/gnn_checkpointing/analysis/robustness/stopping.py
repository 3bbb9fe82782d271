"""Does it bias an interval that timing stops as soon as the interval is narrow? The rule, played on known ratios."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gnn_checkpointing.analysis.protocol import Protocol
from gnn_checkpointing.analysis.results import StoppingRule

Floats = NDArray[np.float64]
Distribution = Literal["lognormal", "heavy_tailed"]

PLAYS = 1000
TRUE_RATIO = 1.4
# Of one round's ratio: what slows a whole round slows both of its steps, and cancels.
NOISES: tuple[tuple[Distribution, float], ...] = (
    ("lognormal", 0.01),
    ("lognormal", 0.03),
    ("lognormal", 0.1),
    ("heavy_tailed", 0.03),
)
# One round in ten is ten times as noisy as the others.
SPIKES, SPIKE = 0.1, 10.0
# As the rule that is played (measurement/rounds.py), which this package cannot import.
LOOK_EVERY = 5
LOOK_RESAMPLES = 500


def stopping(protocol: Protocol, generator: np.random.Generator) -> list[StoppingRule]:
    """Return how the study's rule fares at several noises, timing one policy beside none.

    The time budget of a cell, which also ends timing, knows no ratio, and so is left out. With several policies timing
    goes on until all of their intervals are narrow: one alone stops soonest.
    """
    return [_played(distribution, noise, protocol, generator) for distribution, noise in NOISES]


def looks(at_least: int, at_most: int) -> list[int]:
    """Return the numbers of rounds after which the rule looks whether it may stop before `at_most`."""
    return [rounds for rounds in range(at_least, at_most) if rounds % LOOK_EVERY == 0]


def median_interval(
    ratios: Floats, confidence: float, resamples: int, generator: np.random.Generator
) -> tuple[Floats, Floats, Floats]:
    """Return medians of each play's ratios ([num_plays, num_rounds]) and the ends of their bootstrap intervals.

    Percentiles of the medians of resamples. A resample's median is the sorted ratio at the middle one of the places
    drawn, and that is a rounded order statistic of uniform numbers: Beta, and the next above it the least of the rest.
    So a resample takes two random numbers instead of one a round.
    """
    plays, rounds = ratios.shape
    ordered = np.sort(ratios, axis=1)
    lower, upper = (rounds - 1) // 2, rounds // 2
    first = generator.beta(lower + 1, rounds - lower, size=(plays, resamples))
    medians = _at(ordered, first)
    if upper > lower:
        second = 1 - (1 - first) * generator.random((plays, resamples)) ** (1 / (rounds - upper))
        medians = (medians + _at(ordered, second)) / 2
    low, high = np.quantile(medians, [(1 - confidence) / 2, (1 + confidence) / 2], axis=1)
    return (ordered[:, lower] + ordered[:, upper]) / 2, low, high


def _at(ordered: Floats, shares: Floats) -> Floats:
    """Return each play's ratios at shares of its rounds, from 0 for the least to 1."""
    rounds = ordered.shape[1]
    return np.take_along_axis(ordered, np.minimum((shares * rounds).astype(np.int64), rounds - 1), axis=1)


def _played(
    distribution: Distribution, noise: float, protocol: Protocol, generator: np.random.Generator
) -> StoppingRule:
    at_least, at_most = protocol.rounds
    ratios = _ratios(distribution, noise, at_most, generator)
    stops = _stops(ratios, protocol, generator)
    covered, narrow = _published(ratios, stops, protocol, generator)
    usual = float(np.median(stops))
    fixed, _ = _published(ratios, np.full(PLAYS, int(usual)), protocol, generator)
    return StoppingRule(
        distribution=distribution,
        noise=noise,
        target_half_width=protocol.ratio_half_width,
        at_least=at_least,
        at_most=at_most,
        plays=PLAYS,
        covered=covered,
        fixed_covered=fixed,
        expected_error=math.sqrt(protocol.confidence * (1 - protocol.confidence) / PLAYS),
        median_rounds=usual,
        reached_target=narrow,
    )


def _ratios(distribution: Distribution, noise: float, at_most: int, generator: np.random.Generator) -> Floats:
    """Return the plays' ratios round by round ([num_plays, at_most]), whose true median is `TRUE_RATIO`."""
    logarithms = noise * generator.standard_normal((PLAYS, at_most))
    if distribution == "heavy_tailed":
        logarithms *= np.where(generator.random((PLAYS, at_most)) < SPIKES, SPIKE, 1.0)
    return TRUE_RATIO * np.exp(logarithms)


def _stops(ratios: Floats, protocol: Protocol, generator: np.random.Generator) -> NDArray[np.int64]:
    """Return after how many rounds each play stops."""
    stops = np.full(len(ratios), protocol.rounds[1])
    playing = np.arange(len(ratios))
    for rounds in looks(*protocol.rounds):
        if len(playing):
            found = median_interval(ratios[playing, :rounds], protocol.confidence, LOOK_RESAMPLES, generator)
            narrow = _half_width(*found) <= protocol.ratio_half_width
            stops[playing[narrow]] = rounds
            playing = playing[~narrow]
    return stops


def _published(
    ratios: Floats, stops: NDArray[np.int64], protocol: Protocol, generator: np.random.Generator
) -> tuple[float, float]:
    """Return the shares of published intervals that hold the truth and that are narrow enough.

    What is published is resampled anew, and finer, from the rounds that there are when timing has stopped.
    """
    held = narrow = 0
    for rounds in np.unique(stops):
        played = ratios[stops == rounds, :rounds]
        middle, low, high = median_interval(played, protocol.confidence, protocol.resamples, generator)
        held += int(((low <= TRUE_RATIO) & (high >= TRUE_RATIO)).sum())
        narrow += int((_half_width(middle, low, high) <= protocol.ratio_half_width).sum())
    return held / len(ratios), narrow / len(ratios)


def _half_width(middle: Floats, low: Floats, high: Floats) -> Floats:
    return (high - low) / 2 / middle
