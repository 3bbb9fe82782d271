"""A claim before it is asked of a study: its sentence, its source, the number it rests on, the rule that judges it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from gnn_checkpointing.analysis.analyse import Findings
from gnn_checkpointing.claims.evidence import Picked
from gnn_checkpointing.claims.ledger import Kind
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
]
Pick = Callable[[Findings, str, str], Picked]


@dataclass(frozen=True)
class Template:
    """A claim for each convolution (and each variant of its policy), or for the whole study."""

    id: str
    # May name {convolution} and {policy}; so may the quantity and the conditions.
    sentence: str
    source: str
    quantity: str
    unit: str
    rule: Rule
    # Findings, convolution, policy -> the numbers.
    pick: Pick
    policy: str = ""
    scope: Literal["convolution", "study"] = "convolution"
    kind: Kind = "study"
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


def of_convolution(pick: Callable[..., Picked], **settings: Any) -> Pick:
    """Return a picker that asks for a convolution, whatever the policy."""
    return lambda findings, convolution, _policy: pick(findings, convolution, **settings)


def of_study(pick: Callable[..., Picked], **settings: Any) -> Pick:
    """Return a picker that asks for the study as a whole."""
    return lambda findings, _convolution, _policy: pick(findings, **settings)
