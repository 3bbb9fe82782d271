"""One colour, marker and line per policy, everywhere; one shape per family and a ramp for density on the frontier."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.policy_names import POLICIES, parse_policy

INK = "currentColor"
"""The colour of the text around a drawing, whichever face and theme it is in."""

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

# From gold over magenta to blue at a luminance that keeps 3:1 on either ground; red-green blindness leaves the order.
_RAMP = ((0xB0, 0x82, 0x00), (0xC8, 0x5C, 0x4A), (0xA9, 0x55, 0x9E), (0x4F, 0x66, 0xD0))


def looks(policies: Sequence[str]) -> dict[str, Look]:
    """Each policy's look: that of its kind, variants of one kind told apart; spare ones for unknown names."""
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
    """A look for each convolution: one colour, told apart by marker and line."""
    return {
        name: Look(colour, _OF_CONVOLUTIONS[place % len(_OF_CONVOLUTIONS)], _DASHES[place % len(_DASHES)])
        for place, name in enumerate(convolutions)
    }


def kind_of(policy: str) -> str:
    """The policy's kind: its name without the number in brackets, or all of it where nothing is known."""
    try:
        return parse_policy(policy).kind
    except Refusal:
        return policy


def family(policy: str) -> str:
    """What the policy has in common with others: it gives its shape on the frontier."""
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
