"""Numbers that are made from two estimates keep an interval that cannot be too narrow."""

from __future__ import annotations

import math

import pytest

from analysis.tables import generated_graphs
from gnn_checkpointing.claims.evidence import against_layers, densest_over_sparsest, interaction, levels, slope_ratio

from .findings import synthetic


def test_the_errors_of_a_quotient_of_times_add_in_quadrature() -> None:
    findings = synthetic(generated_graphs(replicates=1))
    (value,) = against_layers(findings, "GCN", "edge_blocks", "time_ratio").estimates
    blocks = levels(findings.effects, "GCN", "edge_blocks")[-1].time_ratio
    layers = levels(findings.effects, "GCN", "layers")[-1].time_ratio
    assert value.estimate == pytest.approx(blocks.estimate / layers.estimate)
    reach = math.hypot(math.log(blocks.high / blocks.estimate), math.log(layers.estimate / layers.low))
    assert value.high == pytest.approx(value.estimate * math.exp(reach))


def test_change_with_density_divides_the_densest_by_the_sparsest() -> None:
    """GATv2 layers / none: 0.25 at degree 128 over 0.32 at degree 4."""
    (value,) = densest_over_sparsest(synthetic(), "GATv2", "layers", "activation_ratio").estimates
    assert value.estimate == pytest.approx((65_500 / 259_000) / (3_500 / 11_000), rel=1e-3)


def test_a_slope_ratio_takes_its_interval_from_the_difference() -> None:
    findings = synthetic()
    found = interaction(findings, "GCN", "layers", "step_time_seconds")
    assert found is not None
    (value,) = slope_ratio(findings, "GCN", "layers", "step_time_seconds").estimates
    assert value.estimate == found.slope_ratio
    assert value.high - value.low == pytest.approx(
        (found.difference_per_edge.high - found.difference_per_edge.low) / found.none_per_edge.estimate
    )
