"""A drift that is in the times is found with its size, and one that is not is not."""

from __future__ import annotations

import numpy as np
import pytest

from gnn_checkpointing.analysis.results import RunDrift
from gnn_checkpointing.analysis.robustness.drift import drift, order
from gnn_checkpointing.analysis.table import completed
from synthetic.graphs import DEGREES, Graph, generated_graphs
from synthetic.rows import Table, table


def drifting(
    generator: np.random.Generator, change: float, graphs: list[Graph] | None = None, noise: float = 0.02
) -> Table:
    """Return a table of one policy measured in a random order, whose steps take longer by `change` from end to end."""
    rows = table(generator, graphs, convolutions=("GCN",), policies=("none",), noise=noise)
    places = generator.permutation(len(rows))
    return [
        {
            **row,
            "started": f"2026-01-01T{place // 60:02}:{place % 60:02}:00+00:00",
            "ended": f"2026-01-01T{place // 60:02}:{place % 60:02}:30+00:00",
            "step_time_seconds": float(row["step_time_seconds"] or 0) * (1 + change * (place / (len(rows) - 1) - 0.5)),
        }
        for row, place in zip(rows, places, strict=True)
    ]


def found(rows: Table) -> tuple[list[RunDrift], list[str]]:
    typed = completed(rows)
    return drift(typed, typed, 0.95)


def test_the_order_runs_from_minus_a_half_to_a_half_over_all_cells() -> None:
    rows = completed(
        table(np.random.default_rng(0), generated_graphs((500,), (4.0, 8.0, 16.0), 1), convolutions=("GCN",))
    )
    assert order(rows) == {"sbm-n500-d4-r0-GCN": -0.5, "sbm-n500-d8-r0-GCN": 0.0, "sbm-n500-d16-r0-GCN": 0.5}


ONCE = generated_graphs(num_nodes=(250, 500, 1000, 2000), replicates=1)


@pytest.mark.parametrize("graphs", [ONCE, generated_graphs(), generated_graphs((1000,), DEGREES, 4)])
def test_a_planted_drift_is_found_with_its_size(graphs: list[Graph]) -> None:
    """20 % over the run beside 2 % noise, told by a law of 24 single draws, by 18 pairs, or by 6 sets of four of one
    size that carry no law: the slope's standard error is about 0.02 / (0.29 sqrt(24 - 4)) = 1.5 %."""
    ((one,), missing) = found(drifting(np.random.default_rng(1), 0.2, graphs))
    assert missing == []
    assert (one.convolution, one.policy, one.response) == ("GCN", "none", "step_time_seconds")
    assert one.change.estimate == pytest.approx(0.2, abs=0.05)
    assert 0.1 < one.change.low < one.change.high < 0.3
    assert one.p_value < 1e-5


@pytest.mark.parametrize("graphs", [ONCE, generated_graphs()])
@pytest.mark.parametrize("change", [0.0, 0.1])
def test_the_interval_holds_the_true_change_about_as_often_as_it_says(change: float, graphs: list[Graph]) -> None:
    """200 runs: 95 % shows 90 to 99 % (0.999)."""
    generator = np.random.default_rng(5)
    held = sum(
        one.change.low <= change <= one.change.high
        for _ in range(200)
        for one in found(drifting(generator, change, graphs))[0]
    )
    assert 0.90 <= held / 200 <= 0.99


def test_without_noise_and_drift_there_is_exactly_none() -> None:
    ((one,), _) = found(drifting(np.random.default_rng(1), 0.0, noise=0.0))
    assert (one.change.estimate, one.change.low, one.change.high, one.p_value) == (0.0, 0.0, 0.0, 1.0)


def test_single_draws_of_one_size_cannot_tell() -> None:
    result, missing = found(drifting(np.random.default_rng(1), 0.2, generated_graphs((1000,), DEGREES, 1)))
    assert result == []
    assert missing == [
        "GCN, none: drift of step_time_seconds is not tried: these cells carry no additive law, and too few of them "
        "are draws of one size and density."
    ]


def test_a_law_that_bends_is_not_taken_for_a_drift_where_draws_tell() -> None:
    """Times that grow with the square of the edges, twice each: the law is far off, and the draws are not."""
    rows = [
        {**row, "step_time_seconds": 1e-12 * float(row["num_edges"] or 0) ** 2 * float(row["step_time_seconds"] or 0)}
        for row in drifting(np.random.default_rng(1), 0.2, noise=0.001)
    ]
    ((one,), _) = found(rows)
    assert one.change.estimate == pytest.approx(0.2, abs=0.01)
