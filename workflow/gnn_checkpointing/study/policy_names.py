"""The policies, one row each, and the parsing of their names (torch-free)."""

import re
from dataclasses import dataclass

from gnn_checkpointing.refusal import Refusal, shown, unknown


@dataclass(frozen=True)
class Policy:
    """One policy; to add one, write its file in `checkpointing/` and its row here.

    `takes` is the argument in brackets after its name: NUMBER OF SEGMENTS, 0 TO 1, or EDGES PER BLOCK, which is
    optional. `words` complete the sentence "The policy ...". `look` is its colour, marker and dashes in figures. Flags:
    `eager` (every operator goes through PyTorch's dispatcher, one by one), `compiled` (its first step compiles),
    `other_model` (it trains a different model from `none`, because recomputation needs a special structure). `retired`
    says why it is no longer measured. A default block has `edges_per_node` edges for each node. `wrapper` is the dotted
    name of the function that puts it on a model: `(model, name, lenient)`; policies without one are in
    `checkpointing/policies.py`.
    """

    words: str
    look: tuple[str, str, tuple[float, ...]]
    takes: str = ""
    eager: bool = False
    compiled: bool = False
    other_model: bool = False
    retired: str = ""
    edges_per_node: int = 0
    wrapper: str = ""


SEGMENTS, SHARE, EDGES = "NUMBER OF SEGMENTS", "0 TO 1", "EDGES PER BLOCK"
_BRACKETS = {
    "": "",
    SEGMENTS: r"\(([1-9][0-9]{0,11})\)",
    SHARE: r"\((0(?:\.[0-9]{1,9})?|1(?:\.0{1,9})?)\)",
    EDGES: r"(?:\(([1-9][0-9]{0,11})\))?",
}
INK = ""
"""Stands for the colour of the text."""

# Colours from Okabe and Ito's colour-blind-safe set (https://jfly.uni-koeln.de/color/) and in between, chosen for a
# contrast of at least 3:1 on both white and the dark background. `none` has the colour of the text, because the other
# policies are compared with it. Policies of one idea have similar hues, and different markers and lines.
POLICIES: dict[str, Policy] = {
    "none": Policy("stores every activation", (INK, "o", ()), eager=True),
    "layers": Policy("recomputes each layer in the backward pass", ("#d55e00", "s", ()), eager=True),
    "segments": Policy(
        "recomputes that many groups of consecutive layers", ("#b97700", "D", (4, 2)), SEGMENTS, eager=True
    ),
    "selective": Policy(
        "keeps the results of chosen operators and recomputes the rest", ("#b4552f", "P", (1, 1.5)), eager=True
    ),
    "edge_blocks": Policy(
        "cuts the edges, sorted by destination, into blocks and recomputes the per-edge work of one block at a time",
        ("#1a80c4", "^", ()),
        EDGES,
        eager=True,
        edges_per_node=8,
    ),
    "layers+edge_blocks": Policy(
        "does both, one within the other", ("#4a6fd0", "<", (4, 2)), EDGES, eager=True, edges_per_node=8
    ),
    "compiled": Policy(
        "lets PyTorch's compiler generate the kernels of the whole step and decide what to keep",
        ("#009e73", "X", ()),
        compiled=True,
    ),
    "memory_budget": Policy(
        "gives the same compiler a budget: the share of activations that it may keep, 0 to recompute all it can",
        ("#5b8f1d", "v", (4, 2)),
        SHARE,
        compiled=True,
    ),
    "fused_edge_blocks": Policy(
        "runs compiled kernels for the forward pass and a hand-written backward pass; for attention it stores one "
        "softmax normaliser per node and head instead of any value per edge",
        ("#8a66c8", "*", (4, 2)),
        EDGES,
        compiled=True,
        edges_per_node=8,
    ),
    "reversible": Policy(
        "computes each layer's input back from its output, which needs a different model",
        ("#8a7a2a", "h", (1, 1.5)),
        other_model=True,
    ),
    "offloaded": Policy("moves what is stored to the host's memory and back", ("#6b8e9e", "8", (1, 1.5))),
    "compiled_edge_blocks": Policy(
        "is edge_blocks with the function of a block compiled",
        ("#b8639a", "p", ()),
        EDGES,
        retired="fused_edge_blocks and edge_blocks replace it",
    ),
}

POLICY_HELP = ", ".join(
    f"{kind}({row.takes})" if row.takes in (SEGMENTS, SHARE) else kind
    for kind, row in POLICIES.items()
    if not row.retired
) + f"; the edge_blocks forms take ({EDGES})"  # fmt: skip
OTHER_MODELS = frozenset(kind for kind, row in POLICIES.items() if row.other_model)
COMPILED = frozenset(kind for kind, row in POLICIES.items() if row.compiled)
EAGER = frozenset(kind for kind, row in POLICIES.items() if row.eager)
EDGES_PER_NODE = {kind: row.edges_per_node for kind, row in POLICIES.items() if row.edges_per_node}
"""Edges per node by policy, chosen so that a block's tensors are about as large as the node maps of a few layers."""


@dataclass(frozen=True)
class PolicyName:
    """A policy's kind and the number in its brackets, if it has one."""

    kind: str
    argument: float | None

    @property
    def count(self) -> int | None:
        """Number of edges or segments in the brackets, as an integer."""
        return None if self.argument is None else int(self.argument)


def refuse_retired(policy: str) -> None:
    """Refuse a retired policy, which published reports may contain but which cannot be applied."""
    if reason := POLICIES[parse_policy(policy).kind].retired:
        raise Refusal(f"policy {policy} is no longer available: {reason}")


def parse_policy(policy: str) -> PolicyName:
    """Parse a policy's name, retired or not; raises `Refusal` if it is unknown."""
    for kind, row in POLICIES.items():
        match = re.fullmatch(re.escape(kind) + _BRACKETS[row.takes], policy)
        if match:
            argument = match.group(1) if match.groups() else None
            return PolicyName(kind, None if argument is None else float(argument))
    raise Refusal(unknown(f"policy '{shown(policy)}'", policy, POLICIES, POLICY_HELP))
