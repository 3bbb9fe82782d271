"""Colour, marker and dashes of each policy everywhere; on the frontier, colours for density."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import cycle

from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.policy_names import POLICIES, parse_policy

INK = "currentColor"
"""Colour of the text around a drawing, in any theme and in print."""

Dashes = tuple[float, ...]


@dataclass(frozen=True)
class Look:
    """How a policy is drawn; no `dashes` is a solid line."""

    colour: str
    marker: str
    dashes: Dashes = ()


_FIXED = {kind: Look(row.look[0] or INK, *row.look[1:]) for kind, row in POLICIES.items()}
_SPARE = (
    Look("#009e73", "D"),
    Look("#b8639a", "v"),
    Look("#94802a", "P"),
    Look("#7a7fd0", "X"),
    Look("#bf5b5b", "<"),
    Look("#6b8e9e", ">"),
)
_VARIANTS: tuple[tuple[str, Dashes], ...] = (("d", (1, 1.5)), (">", (6, 2, 1, 2)), ("p", (2, 2)), ("H", (8, 3)))
"""Marker and dashes of further variants of a kind, such as segments(3) beside segments(2), which keep its colour."""

_OF_CONVOLUTIONS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "*")
_DASHES: tuple[Dashes, ...] = ((), (4, 2), (1, 1.5), (6, 2, 1, 2), (2, 2), (8, 3))

# Gold to magenta to blue, with a contrast of 3:1 on light and dark grounds; the order survives red-green blindness.
_RAMP = ((0xB0, 0x82, 0x00), (0xC8, 0x5C, 0x4A), (0xA9, 0x55, 0x9E), (0x4F, 0x66, 0xD0))


def looks(policies: Sequence[str]) -> dict[str, Look]:
    """Look of each policy: its kind's, with another marker and dashes for variants; unknown names get spare looks."""
    found: dict[str, Look] = {}
    seen: set[str] = set()
    # No two policies share a marker, until the variants run out: the frontier tells them apart by it alone.
    variants, spare = cycle(_VARIANTS), cycle(_SPARE)
    for policy in policies:
        kind = kind_of(policy)
        if kind not in _FIXED:
            found[policy] = next(spare)
        elif kind in seen:
            marker, dashes = next(variants)
            found[policy] = replace(_FIXED[kind], marker=marker, dashes=dashes)
        else:
            found[policy] = _FIXED[kind]
        seen.add(kind)
    return found


def by_convolution(convolutions: Sequence[str], colour: str) -> dict[str, Look]:
    """Look of each convolution: one colour, distinguished by marker and dashes."""
    return {
        name: Look(colour, _OF_CONVOLUTIONS[place % len(_OF_CONVOLUTIONS)], _DASHES[place % len(_DASHES)])
        for place, name in enumerate(convolutions)
    }


def kind_of(policy: str) -> str:
    """Kind of a policy: its name without the number in brackets; the whole name if it is unknown."""
    try:
        return parse_policy(policy).kind
    except Refusal:
        return policy


def ramp(position: float) -> str:
    """The colour at a position from 0, the sparsest, to 1, the densest."""
    place = min(max(position, 0.0), 1.0) * (len(_RAMP) - 1)
    below = min(int(place), len(_RAMP) - 2)
    share = place - below
    mixed = (round(a + (b - a) * share) for a, b in zip(_RAMP[below], _RAMP[below + 1], strict=True))
    return "#" + "".join(f"{value:02x}" for value in mixed)
