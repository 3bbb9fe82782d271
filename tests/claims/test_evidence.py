"""Numbers that are made from two estimates keep an interval that cannot be too narrow."""

from __future__ import annotations

import pytest

from analysis.tables import generated_graphs
from gnn_checkpointing.claims.evidence import against_layers, densest_over_sparsest, interaction, levels, slope_ratio

from .findings import synthetic


def test_a_quotient_reaches_from_worst_case_to_worst_case() -> None:
    findings = synthetic(generated_graphs(replicates=1))
    (value,) = against_layers(findings, "GCN", "edge_blocks", "time_ratio").estimates
    blocks = levels(findings.effects, "GCN", "edge_blocks")[-1].time_ratio
    layers = levels(findings.effects, "GCN", "layers")[-1].time_ratio
    assert value.estimate == pytest.approx(blocks.estimate / layers.estimate)
    assert (value.low, value.high) == (
        pytest.approx(blocks.low / layers.high),
        pytest.approx(blocks.high / layers.low),
    )


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
