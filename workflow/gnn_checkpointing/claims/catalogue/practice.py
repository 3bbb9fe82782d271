"""Claims that the answer of bare stacks holds for stacks with what people add."""

from __future__ import annotations

from gnn_checkpointing.claims.queries.practice import in_practice
from gnn_checkpointing.claims.rules import at_most
from gnn_checkpointing.claims.template import Template

_CONDITIONS = "{setting}; with dropout, a norm and residual connections; for attention, self-loops and dropout, too"
_MOST = 1.1
"""What the answer says is rounded more coarsely than to a tenth of it."""

_WITH = "On {convolution} with dropout, norm and residual connections, {policy}"

PLACE = 6
CLAIMS = tuple(
    Template(
        id=f"{policy.replace('_', '-')}-{name}-in-practice",
        sentence=f"{_WITH} {words} than on the bare stack.",
        query=query,
        rule=at_most(_MOST),
        policy=policy,
        needs="practice",
        conditions=_CONDITIONS,
    )
    for policy in ("layers", "edge_blocks")
    for name, query, words in (
        ("saves", in_practice("activation_ratio"), "leaves at most a tenth more of none's activation memory"),
        ("costs", in_practice("time_ratio"), "takes at most a tenth more of none's time"),
    )
)
