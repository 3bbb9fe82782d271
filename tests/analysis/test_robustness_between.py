"""A family, a draw or an hour that shifts a result is found with its size, and one that does not is not."""

import math

import numpy as np
import pytest

from gnn_checkpointing.analysis.results import FamilyFactor, RunDrift
from gnn_checkpointing.analysis.robustness import drift, families, order, replicates
from gnn_checkpointing.analysis.table import completed
from synthetic import graphs
from synthetic.changes import changed
from synthetic.graphs import DEGREES, Graph, generated_graphs
from synthetic.rows import Table, table

RATIOS = ("time_ratio", "time_ratio_low", "time_ratio_high")
TIME = "step_time_seconds"


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
    return table(seed, graphs.families(), convolutions=("GCN",), policies=policies, noise=noise)


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
    ("rows", "subject", "reason"),
    [
        (table(0), "The family as a factor", "all generated graphs are of one family, sbm"),
        (
            [row for row in ROWS if row["policy"] == "none"],
            "The family as a factor",
            "no policy was measured beside none on a generated graph",
        ),
        (APART, "", "no size and degree was measured on two families"),
        (SINGLE, "", "there are too few graphs to tell a family from chance"),
    ],
)
def test_what_compares_nothing_is_a_sentence(rows: Table, subject: str, reason: str) -> None:
    subject = subject or "GCN, layers: the family as a factor of activation_ratio"
    result, missing = found(rows)
    assert (result, missing[0]) == ([], f"{subject} is not tried: {reason}.")


def test_the_spread_between_draws_is_that_of_the_pair_that_was_changed() -> None:
    """1.0 and 1.1 ms: standard deviation 0.1 / sqrt(2) over the mean 1.05; all other pairs are equal."""
    rows, cell = table(0, convolutions=("GCN",), noise=0.0), "sbm-n500-d16-r1-GCN"
    seconds = next(float(row[TIME] or 0) for row in rows if row["cell"] == cell)
    result, missing = replicates(completed(changed(rows, cell, "none", step_time_seconds=1.1 * seconds)))
    assert missing == []
    by_response = {one.response: one for one in result}
    time = by_response[TIME]
    assert (time.places, time.median) == (18 * 3, 0.0)
    assert time.worst == pytest.approx(0.1 / math.sqrt(2) / 1.05)
    assert time.worst_at == "GCN, none, sbm of 500 nodes, degree 16"
    assert by_response["activation_bytes"].worst == by_response["saved_activation_bytes"].worst == 0.0
    assert replicates(completed(table(0, generated_graphs(replicates=1)))) == (
        [],
        ["The spread between draws is not tried: no size, degree and family was drawn twice."],
    )


def drifting(
    generator: np.random.Generator, change: float, graphs: list[Graph] | None = None, noise: float = 0.02
) -> Table:
    """A table of one policy measured in a random order, whose steps take longer by `change` from end to end."""
    rows = table(generator, graphs, convolutions=("GCN",), policies=("none",), noise=noise)
    places = generator.permutation(len(rows))
    return [
        {
            **row,
            "started": f"2026-01-01T{place // 60:02}:{place % 60:02}:00+00:00",
            "ended": f"2026-01-01T{place // 60:02}:{place % 60:02}:30+00:00",
            TIME: float(row[TIME] or 0) * (1 + change * (place / (len(rows) - 1) - 0.5)),
        }
        for row, place in zip(rows, places, strict=True)
    ]


def drifted(rows: Table) -> tuple[list[RunDrift], list[str]]:
    typed = completed(rows)
    return drift(typed, typed, 0.95)


def test_the_order_runs_from_minus_a_half_to_a_half_over_all_cells() -> None:
    rows = table(0, generated_graphs((500,), (4.0, 8.0, 16.0), 1), convolutions=("GCN",))
    assert list(order(completed(rows)).items()) == [
        (f"sbm-n500-d{degree}-r0-GCN", place) for degree, place in ((4, -0.5), (8, 0.0), (16, 0.5))
    ]


ONCE = generated_graphs(num_nodes=(250, 500, 1000, 2000), replicates=1)


@pytest.mark.parametrize("graphs", [ONCE, generated_graphs(), generated_graphs((1000,), DEGREES, 4)])
def test_a_planted_drift_is_found_with_its_size(graphs: list[Graph]) -> None:
    """20 % over the run beside 2 % noise, told by a law of 24 single draws, by 18 pairs, or by 6 sets of four of one
    size that carry no law: the slope's standard error is about 0.02 / (0.29 sqrt(24 - 4)) = 1.5 %."""
    ((one,), missing) = drifted(drifting(np.random.default_rng(1), 0.2, graphs))
    assert missing == []
    assert (one.convolution, one.policy, one.response) == ("GCN", "none", TIME)
    assert one.change.estimate == pytest.approx(0.2, abs=0.05)
    assert 0.1 < one.change.low < one.change.high < 0.3
    assert one.p_value < 1e-5


@pytest.mark.parametrize("graphs", [ONCE, generated_graphs()])
@pytest.mark.parametrize("change", [0.0, 0.1])
def test_the_interval_holds_the_true_change_about_as_often_as_it_says(change: float, graphs: list[Graph]) -> None:
    """200 runs: 95 % shows 90 to 99 % (0.999)."""
    generator = np.random.default_rng(5)
    runs = [drifted(drifting(generator, change, graphs))[0] for _ in range(200)]
    held = sum(one.change.low <= change <= one.change.high for found in runs for one in found)
    assert 0.90 <= held / 200 <= 0.99


def test_without_noise_and_drift_there_is_exactly_none_and_single_draws_of_one_size_cannot_tell() -> None:
    ((one,), _) = drifted(drifting(np.random.default_rng(1), 0.0, noise=0.0))
    assert (one.change.estimate, one.change.low, one.change.high, one.p_value) == (0.0, 0.0, 0.0, 1.0)
    assert drifted(drifting(np.random.default_rng(1), 0.2, generated_graphs((1000,), DEGREES, 1))) == (
        [],
        [
            "GCN, none: drift of step_time_seconds is not tried: these cells carry no additive law, and too few of "
            "them are draws of one size and density."
        ],
    )


def test_a_law_that_bends_is_not_taken_for_a_drift_where_draws_tell() -> None:
    """Times that grow with the square of the edges, twice each: the law is far off, and the draws are not."""
    rows = [
        {**row, TIME: 1e-12 * float(row["num_edges"] or 0) ** 2 * float(row[TIME] or 0)}
        for row in drifting(np.random.default_rng(1), 0.2, noise=0.001)
    ]
    ((one,), _) = drifted(rows)
    assert one.change.estimate == pytest.approx(0.2, abs=0.01)
