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

RATIOS = ("time_ratio", "time_ratio_low", "time_ratio_high")


def found(rows: Table) -> tuple[list[FamilyFactor], list[str]]:
    return families([row for row in completed(rows) if row.is_drawn])


def skewed(rows: Table) -> Table:
    """The table with the time ratios of one family 1.2 times as high, intervals and all."""
    slow = [row["family"] == "rmat" and row["policy"] != "none" for row in rows]
    return [
        {**row, **{name: (1.2 if one else 1.0) * float(row[name] or 0) for name in RATIOS}}
        for row, one in zip(rows, slow, strict=True)
    ]


def gcn(seed: int, noise: float = 0.02) -> Table:
    policies = ("none", "layers")
    return table(np.random.default_rng(seed), graphs.families(), convolutions=("GCN",), policies=policies, noise=noise)


def test_families_of_equal_bytes_and_times_differ_in_nothing() -> None:
    """With a dense place of one family missing, too: it would pull its mean, were places not held equal."""
    rows = gcn(0, noise=0.0)
    uneven = [row for row in rows if (row["family"], row["requested_average_degree"]) != ("sbm", 32.0)]
    for each in (rows, uneven):
        result, missing = found(each)
        assert missing == []
        assert [(one.quantity, one.p_value) for one in result] == [("activation_ratio", 1.0), ("time_ratio", 1.0)]
        assert all(one.largest_shift == pytest.approx(1) for one in result)
        assert result[0].families == ["erdos_renyi", "rmat", "sbm"]


def test_a_shifted_family_is_named_with_its_shift_from_the_mean_of_all() -> None:
    """One of three families 1.2 times as slow: log 1.2 above the others is 2/3 log 1.2 above the mean: 1.1292."""
    (memory, time), _ = found(skewed(gcn(0)))
    assert memory.p_value == 1.0
    assert (time.furthest_family, time.largest_shift) == ("rmat", pytest.approx(1.1292, rel=0.03))
    assert time.p_value < 1e-4
    (_, exact), _ = found(skewed(gcn(0, noise=0.0)))
    assert (exact.largest_shift, exact.p_value) == (pytest.approx(1.2 ** (2 / 3)), 0.0)


def test_a_family_without_effect_is_found_no_more_often_than_chance_has_it() -> None:
    """200 tables: p below 0.05 in 10 on average, in more than 21 with probability 0.0005."""
    assert 1 <= sum(found(gcn(seed))[0][1].p_value < 0.05 for seed in range(200)) <= 21


ROWS = gcn(0)
APART = [row for row in ROWS if row["family"] == {4.0: "rmat", 32.0: "erdos_renyi"}[row["requested_average_degree"]]]
SINGLE = [
    row for row in ROWS if row["family"] != "sbm" and row["requested_average_degree"] == 4.0 and row["replicate"] == 0
]


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        (
            table(np.random.default_rng(0)),
            "The family as a factor is not tried: all generated graphs are of one family, sbm.",
        ),
        (
            [row for row in ROWS if row["policy"] == "none"],
            "The family as a factor is not tried: no policy was measured beside none on a generated graph.",
        ),
        (
            APART,
            "GCN, layers: the family as a factor of activation_ratio is not tried: no size and degree was measured on "
            "two families.",
        ),
        (
            SINGLE,
            "GCN, layers: the family as a factor of activation_ratio is not tried: there are too few graphs to tell a "
            "family from chance.",
        ),
    ],
)
def test_what_compares_nothing_is_a_sentence(rows: Table, sentence: str) -> None:
    result, missing = found(rows)
    assert (result, missing[0]) == ([], sentence)


def test_the_spread_between_draws_is_that_of_the_pair_that_was_changed() -> None:
    """1.0 and 1.1 ms: standard deviation 0.1 / sqrt(2) over the mean 1.05; all other pairs are equal."""
    rows = table(np.random.default_rng(0), convolutions=("GCN",), noise=0.0)
    seconds = next(float(row["step_time_seconds"] or 0) for row in rows if row["cell"] == "sbm-n500-d16-r1-GCN")
    rows = changed(rows, "sbm-n500-d16-r1-GCN", "none", step_time_seconds=1.1 * seconds)
    result, missing = replicates(completed(rows))
    assert missing == []
    by_response = {one.response: one for one in result}
    time = by_response["step_time_seconds"]
    assert (time.places, time.median) == (18 * 3, 0.0)
    assert time.worst == pytest.approx(0.1 / math.sqrt(2) / 1.05)
    assert time.worst_at == "GCN, none, sbm of 500 nodes, degree 16"
    assert by_response["activation_bytes"].worst == by_response["saved_activation_bytes"].worst == 0.0
    assert replicates(completed(table(np.random.default_rng(0), generated_graphs(replicates=1)))) == (
        [],
        ["The spread between draws is not tried: no size, degree and family was drawn twice."],
    )
