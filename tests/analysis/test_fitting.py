"""The fit's intervals and weights are the ones that it says, checked against formulas written out here."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t as student

from gnn_checkpointing.analysis.fitting import fitted
from synthetic.graphs import generated_graphs

COLUMNS = np.array(
    [[1.0, graph.num_nodes, graph.num_edges] for graph in generated_graphs((500, 1000), (4.0, 8.0, 16.0), 1)]
)
TRUTH = np.array([1e-3, 2e-6, 1e-7])


def test_the_interval_is_hc3_with_students_t() -> None:
    """(X'X)^-1 X' diag(e^2 / (1 - h)^2) X (X'X)^-1, 6 rows less 3 columns leave 3 degrees of freedom."""
    response = COLUMNS @ TRUTH + 1e-4 * np.array([1.0, -2.0, 0.5, 1.5, -1.0, 2.0])
    fit = fitted(COLUMNS, response, "equal", 0.9)
    scaled = COLUMNS / COLUMNS.max(axis=0)
    inverse = np.linalg.inv(scaled.T @ scaled)
    hat = scaled @ inverse @ scaled.T
    residuals = response - hat @ response
    weights = (residuals / (1 - np.diag(hat))) ** 2
    errors = np.sqrt(np.diag(inverse @ (scaled.T * weights) @ scaled @ inverse)) / COLUMNS.max(axis=0)
    for value, error in zip(fit.coefficients, errors, strict=True):
        assert value.high - value.estimate == pytest.approx(student.ppf(0.95, 3) * error)
        assert value.estimate - value.low == pytest.approx(student.ppf(0.95, 3) * error)


def test_relative_weights_are_those_of_the_fit_not_of_what_happened_to_be_observed() -> None:
    """10 % noise: weights 1 / observed^2 alone would lower every fit by 2 x 0.1^2 = 2 %, and 200 tables show 0.2 %."""
    generator = np.random.default_rng(4)
    columns = np.repeat(COLUMNS, 6, axis=0)
    expected = columns @ TRUTH
    shares = []
    for _ in range(200):
        observed = expected * (1 + 0.1 * generator.standard_normal(len(columns)))
        shares.append((fitted(columns, observed, "relative", 0.95).fitted / expected).mean())
    assert np.mean(shares) == pytest.approx(1.0, abs=0.008)


def test_coefficients_are_in_base_units_whatever_the_scale() -> None:
    """1 GiB a constant, 1 KiB a node, nothing an edge: the edges' coefficient is 0, not 1e-10."""
    fit = fitted(COLUMNS, COLUMNS @ np.array([2.0**30, 1024.0, 0.0]), "equal", 0.95)
    constant, per_node, per_edge = fit.coefficients
    assert fit.exact
    assert (constant.estimate, per_node.estimate) == (pytest.approx(2.0**30), pytest.approx(1024.0))
    assert (per_edge.low, per_edge.estimate, per_edge.high) == (0.0, 0.0, 0.0)
