"""One colour and one marker per policy, everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

INK = "#010203"
"""Sentinel for the face's own text colour; each face replaces it by its own."""


@dataclass(frozen=True)
class Look:
    """How a policy is drawn."""

    colour: str
    marker: str


# From Okabe and Ito's colour-blind-safe set (https://jfly.uni-koeln.de/color/), the ones that keep a contrast of
# 3:1 on white and on the dark ground alike; none is drawn in the text colour, as the others are compared with it.
_FIXED = {
    "none": Look(INK, "o"),
    "layers": Look("#d55e00", "s"),
    "edge_blocks": Look("#1a80c4", "^"),
}
_SPARE = (
    Look("#009e73", "D"),
    Look("#b8639a", "v"),
    Look("#94802a", "P"),
    Look("#7a7fd0", "X"),
    Look("#bf5b5b", "<"),
    Look("#6b8e9e", ">"),
)


def looks(policies: Sequence[str]) -> dict[str, Look]:
    """Return each policy's look: fixed ones for known names, spare ones in order of appearance for the others."""
    unknown = [policy for policy in policies if policy not in _FIXED]
    spare = {policy: _SPARE[position % len(_SPARE)] for position, policy in enumerate(unknown)}
    return {policy: _FIXED.get(policy) or spare[policy] for policy in policies}
