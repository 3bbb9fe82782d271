"""The rule that is played is the one that ends timing, and what is said of its coverage is true of it."""

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gnn_checkpointing.analysis import stopping as simulated
from gnn_checkpointing.analysis.results import StoppingRule
from gnn_checkpointing.analysis.stopping import interval, resampled, stopping
from gnn_checkpointing.measurement import rounds as real
from gnn_checkpointing.measurement.ratios import Ratio, paired_ratio
from gnn_checkpointing.measurement.rounds import StepTime
from synthetic.studies import small_study
from synthetic.tables import protocol

pytestmark = pytest.mark.slow


Rules = dict[tuple[str, float], StoppingRule]


def played(**changes: Any) -> Rules:
    rules = stopping(protocol(resamples=1000, **changes), np.random.default_rng(0))
    return {(rule.distribution, rule.noise): rule for rule in rules}


@pytest.fixture(scope="module")
def usual() -> Rules:
    return played(rounds=(10, 200))


@pytest.mark.parametrize("rounds", [5, 10, 17])
def test_the_interval_is_the_one_that_is_measured_with(rounds: int) -> None:
    """Of the same rounds, 400 times: both ends lie where the measuring code has them, and scatter no more."""
    ratios = 1.4 * np.exp(0.05 * np.random.default_rng(rounds).standard_normal(rounds))
    generator = np.random.default_rng(9)
    found = [interval(*resampled(np.log(ratios)[np.newaxis], 500, generator), 0.95) for _ in range(400)]
    middle, *ends = np.concatenate(found, axis=1)
    measured = [paired_ratio([list(ratios)], [[1.0] * rounds], 0.95, 500, seed) for seed in range(400)]
    assert middle == pytest.approx(np.full(400, measured[0].median), rel=1e-12)
    for own, theirs in zip(ends, ([each.low for each in measured], [each.high for each in measured]), strict=True):
        assert own.mean() == pytest.approx(np.mean(theirs), abs=0.5 * np.std(theirs) + 1e-12)
        assert own.std() <= np.std(theirs) + 1e-12


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize(("at_least", "at_most"), [(10, 60), (3, 20), (12, 41), (5, 5)])
def test_timing_looks_as_often_as_the_rule_lets_it(
    at_least: int, at_most: int, processes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real loop with steps that take no time, and intervals that are never narrow: it looks as often as it may."""
    seen: list[tuple[int, float, int]] = []

    def wide(seconds: Any, _reference: Any, confidence: float, resamples: int, _seed: int) -> Ratio:
        seen.append((len(seconds[0]), confidence, resamples))
        return Ratio(1.0, 0.5, 1.5)

    monkeypatch.setattr(real, "paired_ratio", wide)
    monkeypatch.setattr(real, "timed", lambda *_: StepTime(1e-9, 1e-9, 1e-9, 0.0, 0, 0, 0))
    study = small_study(
        ["GCN"], measurement={"processes": processes, "rounds": {"at_least": at_least, "at_most": at_most}}
    )
    subject: Any = SimpleNamespace(forward=None, drop_gradients=lambda: None)
    cell: Any = SimpleNamespace(seed=1, timed=True, rounds=None)
    cpu, sentinel = SimpleNamespace(type="cpu"), SimpleNamespace(time=lambda: None)
    policies = {"none": subject, "layers": subject}
    orders, steps = real.timed_rounds(study, cell, 0, policies, cpu, sentinel, lambda *_: None)  # type: ignore[arg-type]
    fewest, most = math.ceil(at_least / processes), math.ceil(at_most / processes)
    assert len(orders) == len(steps["none"].wall_seconds) == most
    assert seen == [(rounds, 0.999, 2000) for rounds in range(fewest, most + 1) if rounds % 10 == 0]


def test_little_noise_stops_at_the_first_look(usual: Rules) -> None:
    rule = usual["lognormal", 0.01]
    assert (rule.median_rounds, rule.reached_target) == (20, 1.0)
    assert rule.covered == pytest.approx(rule.fixed_covered, abs=0.02)


def test_much_noise_is_timed_for_as_long_as_its_interval_is_wide(usual: Rules) -> None:
    """A median's standard error is 1.2533 noise / sqrt(n): 1.96 of them within 3 % need 67 rounds, 3.29 need 189."""
    assert 67 <= usual["lognormal", 0.1].median_rounds <= 189
    assert usual["lognormal", 0.1].reached_target > 0.9


@pytest.mark.parametrize("rounds", [(10, 60), (10, 200), (3, 20)])
def test_intervals_hold_what_they_say_at_every_noise(rounds: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that are published, and 20 %."""
    monkeypatch.setattr(simulated, "NOISES", (*simulated.NOISES, ("lognormal", 0.2)))
    for rule in played(rounds=rounds).values():
        assert rule.covered >= 0.95 - 3 * rule.expected_error, rule


def test_an_interval_that_is_narrow_by_luck_would_end_timing_and_hold_less(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks every five rounds at the published level, as the rule once was: some dozen looks at 10 % noise."""
    monkeypatch.setattr(simulated, "LOOK_CONFIDENCE", 0.95)
    monkeypatch.setattr("gnn_checkpointing.analysis.bootstrap.LOOK_EVERY", 5)
    rule = played(rounds=(10, 200), processes=1)["lognormal", 0.1]
    assert rule.covered < rule.fixed_covered - 3 * rule.expected_error
    assert rule.covered < 0.95 - 3 * rule.expected_error


def test_the_monte_carlo_error_is_that_of_a_share(usual: Rules) -> None:
    """1,000 plays of 95 %: sqrt(0.95 * 0.05 / 1000) = 0.69 %."""
    rule = usual["heavy_tailed", 0.03]
    assert (rule.plays, rule.expected_error) == (1000, pytest.approx(0.00689, abs=1e-5))


def test_a_rule_that_cannot_stop_early_covers_as_rounds_fixed_beforehand() -> None:
    for rule in played(rounds=(30, 30), processes=1).values():
        assert rule.median_rounds == 30
        assert rule.covered == pytest.approx(rule.fixed_covered, abs=0.02)
        assert 0.92 <= rule.fixed_covered <= 0.98
