"""A family that shifts a ratio is found and named, and one that does not is not."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gnn_checkpointing.analysis.results import FamilyFactor
from gnn_checkpointing.analysis.robustness.families import families, replicates
from gnn_checkpointing.analysis.table import completed
from synthetic import graphs
from synthetic.changes import changed
from synthetic.graphs import generated_graphs
from synthetic.rows import Table, table


def found(rows: Table) -> tuple[list[FamilyFactor], list[str]]:
    return families([row for row in completed(rows) if row.is_drawn])


def skewed(rows: Table, family: str, factor: float) -> Table:
    """Return the table with the time ratios of one family multiplied, intervals and all."""
    names = ("time_ratio", "time_ratio_low", "time_ratio_high")
    return [
        {**row, **{name: factor * float(row[name] or 0) for name in names}}
        if row["family"] == family and row["policy"] != "none"
        else row
        for row in rows
    ]


def gcn(seed: int, noise: float = 0.02) -> Table:
    return table(
        np.random.default_rng(seed), graphs.families(), convolutions=("GCN",), policies=("none", "layers"), noise=noise
    )


def test_families_of_equal_bytes_and_times_differ_in_nothing() -> None:
    result, missing = found(gcn(0, noise=0.0))
    assert missing == []
    assert [(one.quantity, one.p_value) for one in result] == [("activation_ratio", 1.0), ("time_ratio", 1.0)]
    assert all(one.largest_shift == pytest.approx(1) for one in result)
    assert result[0].families == ["erdos_renyi", "rmat", "sbm"]


def test_a_shifted_family_is_named_with_its_shift_from_the_mean_of_all() -> None:
    """One of three families 1.2 times as slow: log 1.2 above the others is 2/3 log 1.2 above the mean: 1.1292."""
    result, _ = found(skewed(gcn(0), "rmat", 1.2))
    memory, time = result
    assert memory.p_value == 1.0
    assert (time.furthest_family, time.largest_shift) == ("rmat", pytest.approx(1.1292, rel=0.03))
    assert time.p_value is not None and time.p_value < 1e-4
    exact, _ = found(skewed(gcn(0, noise=0.0), "rmat", 1.2))
    assert exact[1].largest_shift == pytest.approx(1.2 ** (2 / 3))
    assert exact[1].p_value == 0.0


def test_a_family_without_effect_is_found_no_more_often_than_chance_has_it() -> None:
    """200 tables: p below 0.05 in 10 on average, in more than 21 with probability 0.0005."""
    small = 0
    for seed in range(200):
        p_value = found(gcn(seed))[0][1].p_value
        assert p_value is not None
        small += p_value < 0.05
    assert 1 <= small <= 21


def test_density_is_not_taken_for_a_family() -> None:
    """The dense place of one family is missing: its ratios there would pull its mean, were places not held equal."""
    rows = [r for r in gcn(0, noise=0.0) if not (r["family"] == "sbm" and r["requested_average_degree"] == 32.0)]
    result, _ = found(rows)
    assert [one.p_value for one in result] == [1.0, 1.0]


def test_one_family_is_no_factor() -> None:
    result, missing = found(table(np.random.default_rng(0)))
    assert result == []
    assert missing == ["The family as a factor is not tried: all generated graphs are of one family, sbm."]


def test_families_that_never_meet_are_not_compared() -> None:
    rows = [r for r in gcn(0) if (r["family"] == "rmat") == (r["requested_average_degree"] == 4.0)]
    rows = [r for r in rows if r["family"] != "sbm"]
    assert found(rows)[1] == [
        f"GCN, layers: the family as a factor of {quantity} is not tried: no size and degree was measured on two "
        "families."
        for quantity in ("activation_ratio", "time_ratio")
    ]


def test_too_few_graphs_are_a_sentence() -> None:
    """Two families at one place, one draw each: two values for two means."""
    rows = [
        r
        for r in gcn(0)
        if r["family"] != "sbm" and r["requested_average_degree"] == 4.0 and str(r["graph"]).endswith("r0")
    ]
    assert "there are too few graphs to tell a family from chance" in found(rows)[1][0]


def test_none_alone_compares_nothing() -> None:
    rows = [row for row in gcn(0) if row["policy"] == "none"]
    assert found(rows)[1] == [
        "The family as a factor is not tried: no policy was measured beside none on a generated graph."
    ]


def test_the_spread_between_draws_is_that_of_the_pair_that_was_changed() -> None:
    """1.0 and 1.1 ms: standard deviation 0.1 / sqrt(2) over the mean 1.05; all other pairs are equal."""
    rows = table(np.random.default_rng(0), convolutions=("GCN",), noise=0.0)
    seconds = next(float(r["step_time_seconds"] or 0) for r in rows if r["cell"] == "sbm-n500-d16-r1-GCN")
    rows = changed(rows, "sbm-n500-d16-r1-GCN", "none", step_time_seconds=1.1 * seconds)
    result, missing = replicates(completed(rows))
    assert missing == []
    by_response = {one.response: one for one in result}
    time = by_response["step_time_seconds"]
    assert (time.places, time.median) == (18 * 3, 0.0)
    assert time.worst == pytest.approx(0.1 / math.sqrt(2) / 1.05)
    assert time.worst_at == "GCN, none, sbm of 500 nodes, degree 16"
    assert by_response["activation_bytes"].worst == by_response["saved_activation_bytes"].worst == 0.0


def test_single_draws_have_no_spread() -> None:
    rows = completed(table(np.random.default_rng(0), generated_graphs(replicates=1)))
    assert replicates(rows) == (
        [],
        ["The spread between draws is not tried: no size, degree and family was drawn twice."],
    )
