"""Each rule can give each verdict, at the very edge too, and says in words what it does."""

import re
from collections import defaultdict
from typing import get_args

import pytest

from gnn_checkpointing.analysis.results import Estimate
from gnn_checkpointing.claims.ledger import Verdict
from gnn_checkpointing.claims.rules import RULES, Rule, above, at_least, at_most, below, exactly, respectively, within

BOTH = respectively(within(1, 2), exactly(16))


def interval(low: float, high: float) -> Estimate:
    return Estimate(estimate=(low + high) / 2, low=low, high=high)


CASES: list[tuple[Rule, list[tuple[float, float]], Verdict]] = [
    (below(1), [(0.8, 0.9)], "supported"),
    (below(1), [(0.9, 1.0)], "inconclusive"),
    (below(1), [(0.9, 1.1)], "inconclusive"),
    (below(1), [(1.0, 1.2)], "refuted"),
    (below(1), [], "untested"),
    (above(1), [(1.1, 1.2)], "supported"),
    (above(1), [(1.0, 1.2)], "inconclusive"),
    (above(1), [(0.9, 1.0)], "refuted"),
    (above(1), [], "untested"),
    (at_most(1), [(0.9, 1.0)], "supported"),
    (at_most(1), [(0.9, 1.1)], "inconclusive"),
    (at_most(1), [(1.0, 1.1)], "inconclusive"),
    (at_most(1), [(1.1, 1.2)], "refuted"),
    (at_most(1), [], "untested"),
    (within(1, 2), [(1.0, 2.0)], "supported"),
    (within(1, 2), [(0.9, 1.5)], "inconclusive"),
    (within(1, 2), [(1.5, 2.1)], "inconclusive"),
    (within(1, 2), [(0.5, 0.9)], "refuted"),
    (within(1, 2), [(2.1, 2.2)], "refuted"),
    (at_least(1), [(1.0, 1.1)], "supported"),
    (at_least(1), [(0.9, 1.1)], "inconclusive"),
    (at_least(1), [(0.9, 1.0)], "inconclusive"),
    (at_least(1), [(0.8, 0.9)], "refuted"),
    (at_least(1), [], "untested"),
    (within(1, 2), [], "untested"),
    (exactly(3), [(3.0, 3.0)], "supported"),
    (exactly(3), [(3.0, 4.0)], "inconclusive"),
    (exactly(3), [(3.1, 4.0)], "refuted"),
    (exactly(3), [(3.0, 3.0), (2.0, 2.0)], "refuted"),
    (exactly(3), [], "untested"),
    (BOTH, [(1.5, 1.6), (16.0, 16.0)], "supported"),
    (BOTH, [(1.5, 2.6), (16.0, 16.0)], "inconclusive"),
    (BOTH, [(1.5, 1.6), (12.0, 12.0)], "refuted"),
    (BOTH, [(1.5, 2.6), (12.0, 12.0)], "refuted"),
    (BOTH, [], "untested"),
    # A point at the limit decides.
    *((rule, [(1.0, 1.0)], "refuted") for rule in (below(1), above(1))),
    *((rule, [(1.0, 1.0)], "supported") for rule in (at_most(1), at_least(1), within(1, 2), exactly(1))),
    (below(1), [(0.8, 0.9), (0.9, 1.1)], "inconclusive"),
    (below(1), [(0.8, 0.9), (1.1, 1.2)], "refuted"),
    (below(1), [(0.8, 0.9), (0.7, 0.9)], "supported"),
]


@pytest.mark.parametrize(("rule", "ends", "verdict"), CASES)
def test_a_rule_gives_its_verdict(rule: Rule, ends: list[tuple[float, float]], verdict: Verdict) -> None:
    assert rule.verdict([interval(*pair) for pair in ends]) == verdict


@pytest.mark.parametrize(
    ("rule", "threshold"),
    [
        (below(0.5), "0.5"),
        (above(1), "1"),
        (at_most(0.01), "0.01"),
        (at_least(0.93), "0.93"),
        (exactly(16), "16"),
    ],
)
def test_the_words_name_the_threshold_that_judges(rule: Rule, threshold: str) -> None:
    assert rule.words.count(threshold) == 2
    assert rule.words.startswith("supported if")


def test_every_rule_of_the_house_is_shown_to_give_every_verdict() -> None:
    """A rule that is added without its cases above fails here."""
    shown: dict[str, set[str]] = defaultdict(set)
    for rule, _, verdict in CASES:
        shown[re.sub(r"[\d.]+", "", rule.words)].add(verdict)
    assert len(shown) == len(RULES) + 1  # and `respectively`
    assert all(verdicts == set(get_args(Verdict)) for verdicts in shown.values())


def test_rules_in_turn_name_each_their_quantity_and_want_as_many_numbers() -> None:
    assert BOTH.words.startswith("quantity 1: supported if every interval lies within 1 to 2; refuted")
    assert "; quantity 2: supported if every value is 16 exactly" in BOTH.words
    with pytest.raises(ValueError, match="shorter"):
        BOTH.verdict([interval(1.5, 1.6)])
