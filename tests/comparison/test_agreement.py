"""Medians and ranks of two machines: the same as their definitions, with intervals that hold."""

import numpy as np
import pytest
from scipy.stats import kendalltau, norm

from gnn_checkpointing.analysis.estimates import widened_tail
from gnn_checkpointing.comparison import ratios as agreement
from gnn_checkpointing.comparison.ratios import deviations, exact_rank_agreement, median_quotient, rank_agreement


def sample(cells: int = 30, graphs: int = 6) -> tuple[np.ndarray, np.ndarray, list[str]]:
    generator = np.random.default_rng(5)
    first = np.round(generator.normal(size=cells), 1)  # with ties
    return first, np.round(first + generator.normal(size=cells), 1), [f"g{n % graphs}" for n in range(cells)]


def test_tau_and_its_interval_are_those_of_cells_drawn_graph_by_graph() -> None:
    """The sums over pairs of graphs give what Kendall's tau-b gives of the cells written out as often as drawn."""
    first, second, graphs = sample()
    found = rank_agreement(first, second, graphs)
    assert found is not None
    assert found.estimate == pytest.approx(kendalltau(first, second).statistic)
    drawn = agreement._times_drawn(6, np.random.default_rng(agreement.SEED))
    places = np.array([int(graph[1:]) for graph in graphs])
    taus = []
    for times in drawn:
        cells = np.repeat(np.arange(len(first)), times[places])
        taus.append(kendalltau(first[cells], second[cells]).statistic)
    tail = widened_tail(6, agreement.CONFIDENCE)
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(taus, [tail, 1 - tail])))


def test_one_graph_leaves_only_its_own_interval_and_no_order() -> None:
    """A quotient of 2 known to a standard deviation of 0.1: 2 times e to the power of 1.96 of these, either way."""
    found = median_quotient(np.log([2.0]), np.array([0.1]), ["g"])
    assert (found.estimate, found.low, found.high) == pytest.approx(
        (2, 2 * np.exp(-0.196), 2 * np.exp(0.196)), rel=0.01
    )
    ranks = rank_agreement(np.array([1.0, 2.0]), np.array([1.0, 3.0]), ["g", "g"])
    assert ranks is not None
    assert (ranks.estimate, ranks.low, ranks.high) == (1, -1, 1)


def test_values_that_are_all_equal_have_no_order() -> None:
    assert rank_agreement(np.array([1.0, 1.0]), np.array([1.0, 2.0]), ["a", "b"]) is None
    assert rank_agreement(np.array([1.0]), np.array([2.0]), ["a"]) is None
    assert exact_rank_agreement([(1.0, 1.0), (1.0, 2.0), (1.0, 3.0)]) is None


def test_the_p_value_of_few_series_is_exact() -> None:
    """Of the 24 orders of four, one is the same and one the opposite: 2 / 24 are as far from 0."""
    found = exact_rank_agreement([(1.0, 1.5), (2.0, 1.6), (3.0, 1.7), (4.0, 1.8)])
    assert found is not None
    assert (found.tau, found.p_value) == (pytest.approx(1), pytest.approx(2 / 24))


def test_an_interval_gives_back_its_standard_deviation() -> None:
    reach = norm.isf(0.05) * np.array([0.2, 0.3])
    assert deviations(-reach, reach, 0.9) == pytest.approx([0.2, 0.3])


def test_the_median_lies_in_its_interval_as_often_as_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """12 graphs of six cells that share their graph's part: the true median is 1. 95 % of 100 runs are 95 +- 2.2.

    As if the 72 cells were independent, it would lie there 66 % of the time.
    """
    monkeypatch.setattr(agreement, "RESAMPLES", 400)
    generator, inside = np.random.default_rng(3), 0
    graphs = [f"g{number}" for number in range(12) for _ in range(6)]
    for _ in range(100):
        shared = np.repeat(generator.normal(0, 0.2, size=12), 6)
        found = median_quotient(shared + generator.normal(0, 0.05, size=72), np.full(72, 0.05), graphs)
        inside += found.low <= 1 <= found.high
    assert 90 <= inside < 100
