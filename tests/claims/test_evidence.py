"""Numbers that are made from two estimates keep an interval that cannot be too narrow."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from gnn_checkpointing.analysis.results import RunToRun
from gnn_checkpointing.claims.queries.effects import against, densest_over_sparsest, levels
from gnn_checkpointing.claims.queries.peaks import slope_ratio
from gnn_checkpointing.claims.queries.query import Asked
from synthetic.findings import synthetic
from synthetic.graphs import generated_graphs

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


@pytest.mark.parametrize("run", [None, RunToRun(deviation=0.04, seconds_deviation=0.1, repeated_cells=0, **UNKNOWN)])
def test_a_slope_ratio_has_the_difference_and_of_times_what_the_next_run_differs_by(run: RunToRun | None) -> None:
    """In logarithms: what the difference leaves open, and 1.96 x 4 % of the next run, in quadrature."""
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
    reach = math.hypot(math.log(fitted / known.slope_ratio), 1.96 * 0.04 if run else 0.0)
    assert value.high == pytest.approx(known.slope_ratio * math.exp(reach), rel=1e-4)
