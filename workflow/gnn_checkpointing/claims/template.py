"""A claim before it is asked of a study: its sentence, the number it rests on, the rule that judges it, its source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gnn_checkpointing.claims.ledger import Kind
from gnn_checkpointing.claims.queries.query import Query
from gnn_checkpointing.claims.rules import Rule

OWN = "this study"

Need = Literal[
    "",
    "real graphs",
    "families",
    "graded graphs",
    "batches",
    "segments",
    "budgets",
    "censored cells",
    "depths",
    "ego networks",
    "Vision GNNs",
    "practice",
]


@dataclass(frozen=True)
class Template:
    """A claim for each convolution (and each variant of its policy), or for the study if it names no convolution."""

    id: str
    # May name {convolution} and {policy}; so may the quantity and the conditions.
    sentence: str
    query: Query
    rule: Rule
    policy: str = ""
    source: str = OWN
    kind: Kind = "study"
    # In other words than the query's.
    quantity: str = ""
    # What must have been measured, besides, for the claim to be made at all.
    needs: Need = ""
    # Kind of policy that the claim's own is compared with (its own: only itself): made only where both were measured.
    beside: str = ""
    # The convolutions that it speaks of; empty: all of them.
    only: tuple[str, ...] = ()
    # Under which it is tested here; {setting} is what the study measured with. Empty: the sentence says it all.
    conditions: str = ""
    # Standard deviations of a step time, from run to run, by which numbers about times are widened that lack intervals.
    margin: float = 0.0

    @property
    def of_study(self) -> bool:
        """Whether it speaks of the study as a whole."""
        return "{convolution}" not in self.sentence
