"""What is taken from one factorisation is what a fit without the group says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from statsmodels.regression.linear_model import OLS

from gnn_checkpointing.analysis.interaction import interactions
from gnn_checkpointing.analysis.robustness import slopes
from gnn_checkpointing.analysis.robustness.refits import Refits
from gnn_checkpointing.analysis.robustness.slopes import differences_without
from gnn_checkpointing.analysis.table import Row, completed

from .tables import Table, changed, generated_graphs, table

GROUPS = [f"g{place // 3}" for place in range(60)]


@pytest.fixture
def fit() -> tuple[np.ndarray, np.ndarray]:
    """Columns that are nearly in step, as nodes and edges are."""
    generator = np.random.default_rng(0)
    first = generator.normal(size=60)
    columns = np.column_stack([np.ones(60), first, first + 1e-4 * generator.normal(size=60)])
    return columns, columns @ [1.0, 2.0, 3.0] + generator.normal(size=60)


def test_moves_are_those_of_refits(fit: tuple[np.ndarray, np.ndarray]) -> None:
    columns, target = fit
    refits = Refits.of(columns, target, GROUPS)
    whole = OLS(target, columns).fit().params
    for group in dict.fromkeys(GROUPS):
        kept = np.array(GROUPS) != group
        expected = OLS(target[kept], columns[kept]).fit()
        number = refits.numbers[group]
        assert refits.inverse @ refits.moves[number] == pytest.approx(expected.params - whole, rel=1e-8)


def test_shares_of_single_rows_are_leverages(fit: tuple[np.ndarray, np.ndarray]) -> None:
    rows = [str(place) for place in range(60)]
    refits = Refits.of(*fit, rows)
    leverages = OLS(fit[1], fit[0]).fit().get_influence().hat_matrix_diag
    assert [refits.shares[refits.numbers[row]] for row in rows] == pytest.approx(leverages)


def rows_of(found: Table) -> tuple[list[Row], list[Row]]:
    rows = completed(found)
    return [row for row in rows if row.policy == "none"], [row for row in rows if row.policy == "layers"]


def noisy(seed: int, *graphs: object) -> Table:
    """Return a table whose bytes scatter by a twentieth."""
    generator = np.random.default_rng(seed)
    found = table(generator, *graphs, convolutions=("GATv2",), policies=("none", "layers"))  # type: ignore[arg-type]
    for row in list(found):
        value = int(float(row["activation_bytes"] or 0) * generator.normal(1, 0.05))
        found = changed(found, str(row["cell"]), str(row["policy"]), activation_bytes=value)
    return found


def by_refits(rows: Table) -> dict[str, tuple[float, float, float]]:
    cells = completed(rows)
    found = {}
    for graph in {row.graph for row in cells}:
        for one in interactions([row for row in cells if row.graph != graph], 0.95, ("activation_bytes",))[0]:
            answer = one.difference_per_edge
            found[graph] = (answer.estimate, answer.low, answer.high)
    return found


@pytest.mark.parametrize("seed", range(3))
def test_differences_and_their_intervals_are_those_of_refits(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = noisy(seed)
    expected = by_refits(rows)
    # Another fit than the whole one is not asked for: no graph of this table is heavy.
    monkeypatch.setattr(slopes, "interactions", lambda *_: pytest.fail("a refit"))
    found = differences_without(*rows_of(rows), 0.95)
    assert found.keys() == expected.keys()
    for graph, one in found.items():
        assert (one.estimate, one.low, one.high) == pytest.approx(expected[graph], rel=1e-9)


def test_exact_bytes_stay_exact() -> None:
    rows = table(np.random.default_rng(0), convolutions=("GCN",), policies=("none", "layers"))
    found = differences_without(*rows_of(rows), 0.95)
    assert len(found) == len({row["graph"] for row in rows})
    for one in found.values():
        assert (one.estimate, one.low, one.high) == pytest.approx((-20.0, -20.0, -20.0), rel=1e-5)


def test_a_policy_that_changes_nothing_differs_by_exactly_nothing() -> None:
    rows = table(np.random.default_rng(0), convolutions=("GCN",), policies=("none", "layers"))
    none, other = rows_of(rows)
    as_none = [replace(row, activation_bytes=own.activation_bytes) for row, own in zip(other, none, strict=True)]
    for one in differences_without(none, as_none, 0.95).values():
        assert (one.estimate, one.low, one.high) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("num_nodes", "degrees"),
    [((500, 1000), (4.0, 8.0, 16.0)), ((500, 4000), (4.0, 8.0, 512.0)), ((500, 501, 502), (4.0, 5.0, 6.0))],
)
def test_graphs_that_cannot_be_spared_are_refitted(num_nodes: tuple[int, ...], degrees: tuple[float, ...]) -> None:
    """One graph a place: without one, a level or a size may be gone, or a leverage near 1."""
    rows = noisy(7, generated_graphs(num_nodes=num_nodes, degrees=degrees, replicates=1))
    rows = [row for row in rows if (row["num_nodes"], row["requested_average_degree"]) != (num_nodes[0], degrees[-1])]
    expected = by_refits(rows)
    found = differences_without(*rows_of(rows), 0.95)
    assert found.keys() == expected.keys()
    for graph, one in found.items():
        assert (one.estimate, one.low, one.high) == pytest.approx(expected[graph], rel=1e-9)
