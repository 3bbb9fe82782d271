"""Colour, marker and dashes of each policy everywhere; on the frontier, a shape per family and colours for density."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

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
_VARIANTS: tuple[tuple[str, Dashes], ...] = (("d", (1, 1.5)), (">", (6, 2, 1, 2)), ("8", (2, 2)), ("H", (8, 3)))
"""A second or third variant of a kind, such as segments(3) beside segments(2), keeps its colour."""

_OF_CONVOLUTIONS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "*")
_DASHES: tuple[Dashes, ...] = ((), (4, 2), (1, 1.5), (6, 2, 1, 2), (2, 2), (8, 3))

_OTHER = "another model, or offloaded"
_MARKERS = {
    "nothing recomputed": "o",
    "whole layers or operators": "s",
    "edge blocks": "^",
    "compiler": "D",
    "fused edge blocks": "*",
}

# Gold to magenta to blue, with a contrast of 3:1 on light and dark grounds; the order survives red-green blindness.
_RAMP = ((0xB0, 0x82, 0x00), (0xC8, 0x5C, 0x4A), (0xA9, 0x55, 0x9E), (0x4F, 0x66, 0xD0))


def looks(policies: Sequence[str]) -> dict[str, Look]:
    """Look of each policy: its kind's, with another marker and dashes for variants; unknown names get spare looks."""
    found: dict[str, Look] = {}
    seen: dict[str, int] = {}
    for policy in policies:
        kind = kind_of(policy)
        number = seen.get(kind, 0)
        seen[kind] = number + 1
        if kind in _FIXED:
            marker, dashes = _VARIANTS[(number - 1) % len(_VARIANTS)]
            found[policy] = replace(_FIXED[kind], marker=marker, dashes=dashes) if number else _FIXED[kind]
        else:
            unknown = sum(name not in _FIXED for name in seen) - 1
            found[policy] = _SPARE[unknown % len(_SPARE)]
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


def family(policy: str) -> str:
    """Family of a policy, by its idea: it decides the shape on the frontier."""
    row = POLICIES.get(kind_of(policy))
    return row.idea if row else _OTHER


def shape(family: str) -> str:
    """The marker of a family on the frontier."""
    return _MARKERS.get(family, "X")


def ramp(position: float) -> str:
    """The colour at a position from 0, the sparsest, to 1, the densest."""
    place = min(max(position, 0.0), 1.0) * (len(_RAMP) - 1)
    below = min(int(place), len(_RAMP) - 2)
    share = place - below
    mixed = (round(a + (b - a) * share) for a, b in zip(_RAMP[below], _RAMP[below + 1], strict=True))
    return "#" + "".join(f"{value:02x}" for value in mixed)
