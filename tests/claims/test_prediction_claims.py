"""Claims about the laws: each bar is met, missed or not tried."""

from __future__ import annotations

import pytest

from gnn_checkpointing.analysis.results import Capacity, Estimate, Predictions
from synthetic.findings import claim, empty, ledger
from synthetic.results import about, candidate, capacity, censored, count, coverage, effect, made, some_effects, summary

CAPACITY = "edge-blocks-raise-capacity-tenfold:GATv2:edge_blocks"
FITS = "laws-foresee-what-does-not-fit"


@pytest.mark.parametrize(("worse", "verdict"), [(0.019, "supported"), (0.021, "refuted")])
def test_only_the_chosen_law_of_each_policy_is_held_to_its_score(worse: float, verdict: str) -> None:
    board = [
        candidate("none", 0.001),
        candidate("layers", worse, "blocks"),
        candidate("layers", 0.5, chosen=False),
    ]
    found = claim(empty(predictions=made(Predictions, leaderboard=board)), "chosen-law-predicts-memory:GATv2")
    assert found.verdict == verdict
    assert found.reason == "chosen: additive for none, blocks for layers"
    assert (
        claim(empty(predictions=made(Predictions, leaderboard=board)), "chosen-law-predicts-memory:GCN").verdict
        == "untested"
    )


def test_the_scorecard_has_a_bar_for_the_median_and_one_for_the_worst() -> None:
    scores = [summary("activation_bytes", 0.01, 0.06), summary("step_time_seconds", 0.1, 0.5)]
    found = empty(
        predictions=made(Predictions, summaries=scores), effects=some_effects(real=(effect("GCN", "layers", "Cora"),))
    )
    verdicts = {id: claim(found, f"scorecard-{id}").verdict for id in ("memory-median", "memory-worst", "time-median")}
    assert verdicts == {"memory-median": "supported", "memory-worst": "refuted", "time-median": "supported"}
    assert "worst at Cora, GCN, none" in claim(found, "scorecard-memory-worst").reason


def test_without_real_graphs_there_is_no_scorecard_to_claim() -> None:
    assert not any(one.id.startswith("scorecard") for one in ledger(empty()).claims)
    alone = empty(effects=some_effects(real=(effect("GCN", "layers", "Cora"),)))
    assert claim(alone, "scorecard-memory-median").verdict == "untested"


def test_the_published_intervals_are_judged_not_those_of_least_squares() -> None:
    tried = [
        coverage("activation_bytes", 0.93, 0.05),
        coverage("saved_activation_bytes", 1.0, 0.01),
        coverage("activation_bytes", 0.5, 0.9, "least_squares"),
        coverage("step_time_seconds", 0.85, 0.26),
    ]
    found = empty(predictions=made(Predictions, coverage=tried))
    ids = ("memory-hold", "memory-are-narrow", "time-hold", "time-are-narrow")
    verdicts = [claim(found, f"intervals-of-{id}").verdict for id in ids]
    assert verdicts == ["supported", "supported", "refuted", "refuted"]


def test_a_law_foresees_what_does_not_fit_if_it_predicts_at_least_the_limit() -> None:
    known = [censored("a", 8.0), censored("b", 20.0), censored("c", None)]
    found = claim(empty(predictions=made(Predictions, censored=known)), FITS)
    assert (found.verdict, found.reason) == (
        "supported",
        "2 of 3 measurements that ran out of memory or time have a law",
    )
    missed = claim(empty(predictions=made(Predictions, censored=[*known, censored("d", 7.9)])), FITS)
    assert missed.verdict == "refuted"


def test_where_everything_fits_or_nothing_has_a_law_no_law_is_blamed() -> None:
    assert not any(one.id == FITS for one in ledger(empty()).claims)
    assert claim(empty(predictions=made(Predictions, censored=[censored("c", None)])), FITS).verdict == "untested"


@pytest.mark.parametrize(
    ("none", "blocks", "verdict"),
    [
        # 900 / 50 = 18 times; by the intervals' worst ends 800 / 55 = 14.5.
        (about(50, 5), about(900, 100), "supported"),
        (about(50, 5), about(500, 100), "inconclusive"),  # 400 / 55 = 7.3 to 600 / 45 = 13.3
        (about(50, 5), about(300, 50), "refuted"),  # at most 350 / 45 = 7.8
        (about(99.9), about(1200), "supported"),  # ten times 99.9 is the complete graph of 1,000 nodes
    ],
)
def test_capacity_is_the_quotient_of_the_degrees_that_fit(none: Estimate, blocks: Estimate, verdict: str) -> None:
    found = made(Predictions, capacities=[capacity("none", none), capacity("edge_blocks", blocks)])
    judged = claim(empty(predictions=found, effects=some_effects(effect("GATv2", "edge_blocks"))), CAPACITY)
    assert judged.verdict == verdict
    assert judged.reason == "1,000 nodes in 1 GiB, extrapolated"


@pytest.mark.parametrize(
    "none",
    [capacity("none", about(200)), capacity("none", about(999), unbounded=True)],
    ids=["ten times 200 exceeds 999", "none has no end either"],
)
def test_no_graph_is_denser_than_complete(none: Capacity) -> None:
    found = made(Predictions, capacities=[none, capacity("edge_blocks", about(999), unbounded=True)])
    judged = claim(empty(predictions=found, effects=some_effects(effect("GATv2", "edge_blocks"))), CAPACITY)
    assert judged.verdict == "untested"
    assert judged.reason == "a complete graph of 1,000 nodes is not 10 times as dense as what none takes"


def test_bytes_are_compared_with_those_that_somebody_counted() -> None:
    """101 / 100 lies within 2 %, 107 / 100 not within 5 %; what costs nothing, or was not counted, has no quotient."""
    counts = [count("none", 101, 107), count("edge_blocks", 0.1, 0.1), count("compiled", 9, 9, None)]
    found = empty(predictions=made(Predictions, analytic=counts))
    assert claim(found, "measured-bytes-are-the-counted-ones:GATv2").verdict == "supported"
    assert claim(found, "laws-agree-with-the-counted-bytes:GATv2").verdict == "refuted"
    assert claim(found, "measured-bytes-are-the-counted-ones:GCN").verdict == "untested"


def test_saved_bytes_per_edge_stand_in_for_a_law_where_all_graphs_have_one_size() -> None:
    kept = count("layers", 0.4, 0.0, 0.0).model_copy(update={"response": "saved_activation_bytes"})
    found = claim(
        empty(predictions=made(Predictions, analytic=[kept])), "recomputed-layers-keep-nothing-per-edge:GATv2:layers"
    )
    assert (found.verdict, found.reason) == (
        "supported",
        "between the two densest levels of graphs of 1,000 nodes",
    )
