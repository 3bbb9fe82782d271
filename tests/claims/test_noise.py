"""What another run would say: numbers made from two keep their intervals; a claim that it may turn is inconclusive."""

import math
from dataclasses import replace

import pytest

from gnn_checkpointing.analysis.results import Estimate, LeftOut, Robustness, RunToRun
from gnn_checkpointing.claims.queries import Asked
from gnn_checkpointing.claims.queries.effects import against, densest_over_sparsest, levels
from gnn_checkpointing.claims.queries.peaks import slope_ratio
from gnn_checkpointing.claims.rules import above, flipping, steady, within
from synthetic.findings import claim, empty, synthetic
from synthetic.graphs import generated_graphs
from synthetic.results import about, made, some_effects

UNKNOWN = {"measured": None, "degrees_of_freedom": None}


def test_the_errors_of_a_quotient_of_times_add_in_quadrature() -> None:
    findings = synthetic(lambda: generated_graphs(replicates=1))
    (value,) = against(Asked(findings, "GCN", "edge_blocks"), "time_ratio", "layers").estimates
    blocks = levels(Asked(findings, "GCN", "edge_blocks"))[-1].time_ratio
    layers = levels(Asked(findings, "GCN", "layers"))[-1].time_ratio
    assert value.estimate == pytest.approx(blocks.estimate / layers.estimate)
    reach = math.hypot(math.log(blocks.high / blocks.estimate), math.log(layers.estimate / layers.low))
    assert value.high == pytest.approx(value.estimate * math.exp(reach))


def test_change_with_density_divides_the_densest_by_the_sparsest() -> None:
    """GATv2 layers / none: 0.25 at degree 128 over 0.32 at degree 4."""
    (value,) = densest_over_sparsest(Asked(synthetic(), "GATv2", "layers"), "activation_ratio").estimates
    assert value.estimate == pytest.approx((65_500 / 259_000) / (3_500 / 11_000), rel=1e-3)


@pytest.mark.parametrize(
    ("run", "quantile"),
    [
        (None, 0.0),
        (RunToRun(deviation=0.04, seconds_deviation=0.1, **UNKNOWN), 1.95996),
        (RunToRun(deviation=0.04, seconds_deviation=0.1, measured=0.04, degrees_of_freedom=4), 2.77645),
    ],
)
def test_a_slope_ratio_has_the_difference_and_of_times_what_the_next_run_differs_by(
    run: RunToRun | None, quantile: float
) -> None:
    """In logarithms: what the difference leaves open, and 4 % of the next run, in quadrature.

    The quantile is the normal one for a deviation known from earlier runs, and Student's for the study's own repeats.
    """
    found = synthetic()
    findings = replace(found, effects=found.effects.model_copy(update={"run_to_run": run}))
    (known,) = (
        one
        for one in findings.regressions.interactions
        if (one.convolution, one.policy, one.response) == ("GCN", "layers", "step_time_seconds")
    )
    (value,) = slope_ratio(Asked(findings, "GCN", "layers"), "step_time_seconds").estimates
    assert value.estimate == known.slope_ratio
    fitted = 1 + known.difference_per_edge.high / known.none_per_edge.estimate
    reach = math.hypot(math.log(fitted / known.slope_ratio), quantile * 0.04)
    assert value.high == pytest.approx(known.slope_ratio * math.exp(reach), rel=1e-4)


@pytest.mark.parametrize(
    ("low", "middle", "high", "expected"),
    [
        (1.0, 1.0, 1.0, 0.0),  # not above 1, and no run differs
        (1.2, 1.4, 1.6, 0.0),
        (0.9, 1.0001, 1.11, 0.5),  # at the threshold every second run says the opposite
        # z = ln 1.05 / (ln(1.16 / 0.95) / 3.92) = 0.96 deviations of one run, 0.68 of two: 25 % of a normal lie beyond.
        (0.95, 1.05, 1.16, 0.25),
    ],
)
def test_the_share_of_runs_that_turn_a_claim(low: float, middle: float, high: float, expected: float) -> None:
    estimate = Estimate(estimate=middle, low=low, high=high)
    assert flipping(above(1), [estimate], 0.95) == pytest.approx(expected, abs=0.05)


def test_many_estimates_at_once_turn_more_easily_than_one() -> None:
    """Each alone turns in 2.5 % of the runs; of twelve one or more does in 26 %."""
    edge, limit = about(1.0, 0.1), within(0.868, 2)  # ln 0.868 is the root of two times ln(1.1 / 0.9) / 2
    assert flipping(limit, [edge], 0.95) < 0.05
    assert 0.15 < flipping(limit, [edge] * 12, 0.95) < 0.4
    assert steady("supported", 0.26) == steady("refuted", 0.26) == "inconclusive"
    assert steady("supported", 0.05) == "supported"
    assert steady("untested", 0.5) == "untested"


@pytest.mark.parametrize(
    ("whole", "lowest", "statement", "verdict"),
    [
        (1.1, 1.06, "densest_time_ratio", "inconclusive"),  # another run may put 1 between 1.04 and 1.08
        (1.1, 1.1, "densest_time_ratio", "supported"),  # no graph moves it
        (2.0, 1.92, "densest_time_ratio", "supported"),  # no run is so far off
        (1.1, 1.06, "densest_activation_ratio", "supported"),  # bytes are the same in every run
    ],
)
def test_a_statement_on_time_that_a_graph_would_turn_in_another_run_is_withdrawn(
    whole: float, lowest: float, statement: str, verdict: str
) -> None:
    """Of two runs 6.6 % apart, 1 comes between ends of 1.04 and 1.08 in 16 % of all, and 1.08 and 1.12 in 8 %."""
    one = made(
        LeftOut, statement=statement, whole=about(whole, 0.02), lowest=lowest, highest=whole, side="above", changes=[]
    )
    run = RunToRun(deviation=0.047, seconds_deviation=0.1, **UNKNOWN)
    effects = some_effects().model_copy(update={"run_to_run": run})
    found = empty(robustness=made(Robustness, left_out=[one]), effects=effects)
    assert claim(found, f"no-graph-turns-a-verdict:{one.convolution}").verdict == verdict


def test_bytes_never_flip_and_times_may() -> None:
    found = synthetic()
    assert claim(found, "layers-lower-the-peak:GATv2:layers").flips == 0
    assert claim(found, "edge-blocks-no-slower-than-layers:GATv2:edge_blocks").flips > 0
    assert claim(found, "layers-keep-half-the-throughput:GATv2:layers").verdict == "supported"
