"""The policies' names: what a study file or a user may write, and what is meant (torch-free)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gnn_checkpointing.refusal import Refusal, shown

_EDGES = r"(?:\(([1-9][0-9]{0,11})\))?"
_FORMS = {
    "none": r"none",
    "layers": r"layers",
    "segments": r"segments\(([1-9][0-9]{0,11})\)",
    "selective": r"selective",
    "edge_blocks": rf"edge_blocks{_EDGES}",
    "layers+edge_blocks": rf"layers\+edge_blocks{_EDGES}",
    "compiled": r"compiled",
    "memory_budget": r"memory_budget\((0(?:\.[0-9]{1,9})?|1(?:\.0{1,9})?)\)",
    "fused_edge_blocks": rf"fused_edge_blocks{_EDGES}",
    "reversible": r"reversible",
    "offloaded": r"offloaded",
    "compiled_edge_blocks": rf"compiled_edge_blocks{_EDGES}",
}
POLICY_HELP = (
    "none, layers, segments(NUMBER OF SEGMENTS), selective, edge_blocks, layers+edge_blocks, compiled, "
    "memory_budget(0 TO 1), fused_edge_blocks, reversible, offloaded; the edge_blocks forms take (EDGES PER BLOCK)"
)

OTHER_MODELS = frozenset({"reversible"})
"""Policies that train another model than `none` does, because the recomputation needs its structure."""

RETIRED = {"compiled_edge_blocks": "fused_edge_blocks and edge_blocks replace it"}
"""Policies of published reports that are measured no more, and why."""

COMPILED = frozenset({"compiled", "memory_budget", "fused_edge_blocks"})
"""Policies whose first step compiles: TorchInductor's kernels, or those of `fused_edge_blocks`."""

EAGER = frozenset({"none", "layers", "segments", "selective", "edge_blocks", "layers+edge_blocks"})
"""Policies of which every operator goes through PyTorch's dispatcher, one by one."""


@dataclass(frozen=True)
class PolicyName:
    """A policy's kind and the number in its brackets, if it has one."""

    kind: str
    argument: float | None

    @property
    def count(self) -> int | None:
        """The number in the brackets, of edges or segments."""
        return None if self.argument is None else int(self.argument)


def refuse_retired(policy: str) -> None:
    """Refuse a policy that can be read in a published report, but not applied."""
    if reason := RETIRED.get(parse_policy(policy).kind):
        raise Refusal(f"policy {policy} is no longer available: {reason}")


def parse_policy(policy: str) -> PolicyName:
    """What `policy` names, retired or not; raises `Refusal` where it names nothing."""
    for kind, form in _FORMS.items():
        match = re.fullmatch(form, policy)
        if match:
            argument = match.group(1) if match.groups() else None
            return PolicyName(kind, None if argument is None else float(argument))
    raise Refusal(f"unknown policy '{shown(policy)}'; allowed: {POLICY_HELP}")
