"""Each rule can give each verdict, at the very edge too, and says in words what it does."""

from __future__ import annotations

import pytest

from gnn_checkpointing.analysis.results import Estimate
from gnn_checkpointing.claims.ledger import Verdict
from gnn_checkpointing.claims.rules import Above, AtMost, Below, Rule, Within, together


def interval(low: float, high: float) -> Estimate:
    return Estimate(estimate=(low + high) / 2, low=low, high=high)


@pytest.mark.parametrize(
    ("rule", "ends", "verdict"),
    [
        (Below(1), [(0.8, 0.9)], "supported"),
        (Below(1), [(0.9, 1.0)], "inconclusive"),
        (Below(1), [(0.9, 1.1)], "inconclusive"),
        (Below(1), [(1.0, 1.2)], "refuted"),
        (Below(1), [], "untested"),
        (Above(1), [(1.1, 1.2)], "supported"),
        (Above(1), [(1.0, 1.2)], "inconclusive"),
        (Above(1), [(0.9, 1.0)], "refuted"),
        (Above(1), [], "untested"),
        (AtMost(1), [(0.9, 1.0)], "supported"),
        (AtMost(1), [(0.9, 1.1)], "inconclusive"),
        (AtMost(1), [(1.0, 1.1)], "inconclusive"),
        (AtMost(1), [(1.1, 1.2)], "refuted"),
        (AtMost(1), [], "untested"),
        (Within(1, 2), [(1.0, 2.0)], "supported"),
        (Within(1, 2), [(0.9, 1.5)], "inconclusive"),
        (Within(1, 2), [(1.5, 2.1)], "inconclusive"),
        (Within(1, 2), [(0.5, 0.9)], "refuted"),
        (Within(1, 2), [(2.1, 2.2)], "refuted"),
        (Within(1, 2), [], "untested"),
        (Below(1), [(0.8, 0.9), (0.9, 1.1)], "inconclusive"),
        (Below(1), [(0.8, 0.9), (1.1, 1.2)], "refuted"),
        (Below(1), [(0.8, 0.9), (0.7, 0.9)], "supported"),
    ],
)
def test_a_rule_gives_its_verdict(rule: Rule, ends: list[tuple[float, float]], verdict: Verdict) -> None:
    assert rule.verdict([interval(*pair) for pair in ends]) == verdict


def test_a_point_at_the_limit_decides() -> None:
    point = [interval(1.0, 1.0)]
    verdicts = [rule.verdict(point) for rule in (Below(1), Above(1), AtMost(1), Within(1, 2))]
    assert verdicts == ["refuted", "refuted", "supported", "supported"]


@pytest.mark.parametrize(("rule", "threshold"), [(Below(0.5), "0.5"), (Above(1), "1"), (AtMost(0.01), "0.01")])
def test_the_words_name_the_threshold_that_judges(rule: Rule, threshold: str) -> None:
    assert rule.words.count(threshold) == 2
    assert rule.words.startswith("supported if")


@pytest.mark.parametrize(
    ("parts", "verdict"),
    [
        ([], "untested"),
        (["untested", "untested"], "untested"),
        (["supported", "supported"], "supported"),
        (["supported", "refuted"], "refuted"),
        (["supported", "inconclusive"], "inconclusive"),
        (["supported", "untested"], "inconclusive"),
    ],
)
def test_a_sentence_holds_only_if_its_parts_do(parts: list[Verdict], verdict: Verdict) -> None:
    assert together(parts) == verdict
