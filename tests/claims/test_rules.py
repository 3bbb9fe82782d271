"""Each rule can give each verdict, at the very edge too, and says in words what it does."""

from __future__ import annotations

import inspect
from collections import defaultdict
from typing import get_args

import pytest

from gnn_checkpointing.analysis.results import Estimate
from gnn_checkpointing.claims import rules
from gnn_checkpointing.claims.ledger import Verdict
from gnn_checkpointing.claims.rules import (
    Above,
    AtLeast,
    AtMost,
    Below,
    Exactly,
    Respectively,
    Rule,
    Within,
    together,
)

BOTH = Respectively((Within(1, 2), Exactly(16)))


def interval(low: float, high: float) -> Estimate:
    return Estimate(estimate=(low + high) / 2, low=low, high=high)


CASES: list[tuple[Rule, list[tuple[float, float]], Verdict]] = [
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
    (AtLeast(1), [(1.0, 1.1)], "supported"),
    (AtLeast(1), [(0.9, 1.1)], "inconclusive"),
    (AtLeast(1), [(0.9, 1.0)], "inconclusive"),
    (AtLeast(1), [(0.8, 0.9)], "refuted"),
    (AtLeast(1), [], "untested"),
    (Within(1, 2), [], "untested"),
    (Exactly(3), [(3.0, 3.0)], "supported"),
    (Exactly(3), [(3.0, 4.0)], "inconclusive"),
    (Exactly(3), [(3.1, 4.0)], "refuted"),
    (Exactly(3), [(3.0, 3.0), (2.0, 2.0)], "refuted"),
    (Exactly(3), [], "untested"),
    (BOTH, [(1.5, 1.6), (16.0, 16.0)], "supported"),
    (BOTH, [(1.5, 2.6), (16.0, 16.0)], "inconclusive"),
    (BOTH, [(1.5, 1.6), (12.0, 12.0)], "refuted"),
    (BOTH, [], "untested"),
    (Below(1), [(0.8, 0.9), (0.9, 1.1)], "inconclusive"),
    (Below(1), [(0.8, 0.9), (1.1, 1.2)], "refuted"),
    (Below(1), [(0.8, 0.9), (0.7, 0.9)], "supported"),
]


@pytest.mark.parametrize(("rule", "ends", "verdict"), CASES)
def test_a_rule_gives_its_verdict(rule: Rule, ends: list[tuple[float, float]], verdict: Verdict) -> None:
    assert rule.verdict([interval(*pair) for pair in ends]) == verdict


def test_a_point_at_the_limit_decides() -> None:
    point = [interval(1.0, 1.0)]
    strict = [rule.verdict(point) for rule in (Below(1), Above(1))]
    lenient = [rule.verdict(point) for rule in (AtMost(1), AtLeast(1), Within(1, 2), Exactly(1))]
    assert strict == ["refuted"] * 2
    assert lenient == ["supported"] * 4


@pytest.mark.parametrize(
    ("rule", "threshold"),
    [
        (Below(0.5), "0.5"),
        (Above(1), "1"),
        (AtMost(0.01), "0.01"),
        (AtLeast(0.93), "0.93"),
        (Exactly(16), "16"),
    ],
)
def test_the_words_name_the_threshold_that_judges(rule: Rule, threshold: str) -> None:
    assert rule.words.count(threshold) == 2
    assert rule.words.startswith("supported if")


def test_every_rule_of_the_house_is_shown_to_give_every_verdict() -> None:
    """A rule that is added without its cases above fails here."""
    shown: dict[type, set[str]] = defaultdict(set)
    for rule, _, verdict in CASES:
        shown[type(rule)].add(verdict)
    defined = {
        found
        for _, found in inspect.getmembers(rules, inspect.isclass)
        if found.__module__ == rules.__name__ and found is not Rule
    }
    assert set(shown) == defined
    assert all(verdicts == set(get_args(Verdict)) for verdicts in shown.values())


def test_rules_in_turn_name_each_their_quantity() -> None:
    assert BOTH.words.startswith("quantity 1: supported if every interval lies within 1 to 2; refuted")
    assert "; quantity 2: supported if every value is 16 exactly" in BOTH.words


def test_rules_in_turn_want_as_many_numbers() -> None:
    with pytest.raises(ValueError, match="shorter"):
        BOTH.verdict([interval(1.5, 1.6)])


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
