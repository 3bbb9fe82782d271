"""What all published studies of one machine know together: every policy that one of them has a law of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gnn_checkpointing.planning.knowledge import FILE, Knowledge, Limit, PolicyKnowledge, read_knowledge
from gnn_checkpointing.refusal import Refusal

_FIRST = "default"


def machine_knowledge(folder: Path) -> Knowledge:
    """The knowledge of the studies below `report/<hardware>/`; sizes that a question leaves out are the default's."""
    found = [read_knowledge(path) for path in sorted(folder.glob(f"*/{FILE}"))]
    known = [one for one in found if one.policies]
    if not known:
        raise Refusal(f"{folder}: no study below it has a {FILE} with laws; make one with `knowledge`")
    return together(sorted(known, key=lambda one: (one.study != _FIRST, one.study)))


def together(known: Sequence[Knowledge]) -> Knowledge:
    """One knowledge of several, the first one's model and words.

    Each convolution is answered for by the study whose step without checkpointing reaches the most edges, so that its
    policies are compared within one study; others add the policies that it lacks.
    """
    first = known[0]
    policies: list[PolicyKnowledge] = []
    for convolution in dict.fromkeys(name for one in known for name in one.convolutions):
        ordered = sorted(known, key=lambda one: -_reach(one, convolution))
        ours = (one for knows in ordered for one in knows.policies if one.convolution == convolution)
        by_name: dict[str, PolicyKnowledge] = {}
        for one in ours:
            by_name.setdefault(one.policy, one)
        policies += by_name.values()
    graphs = {graph.label: graph for one in known for graph in one.graphs}
    return first.model_copy(
        update={
            "study": ", ".join(one.study for one in known),
            "limits": [*_graph_limits(policies), *(one for one in first.limits if one.size not in _GRAPH)],
            "graphs": list(graphs.values()),
            "policies": policies,
        }
    )


_GRAPH = {"num_nodes": "nodes", "num_edges": "edges"}


def _graph_limits(policies: Sequence[PolicyKnowledge]) -> list[Limit]:
    found = []
    for size, noun in _GRAPH.items():
        ranges = [getattr(one.activation, size) for one in policies]
        low, high = min(low for low, _ in ranges), max(high for _, high in ranges)
        words = f"Graphs of {low:,} to {high:,} {noun} were measured: beyond that, the laws are extrapolated, and"
        found.append(
            Limit.model_validate(
                {"size": size, "low": low, "high": high, "warning": f"{words} their intervals are untested."}
            )
        )
    return found


def _reach(known: Knowledge, convolution: str) -> int:
    """The most edges without checkpointing; more than one size of graph goes before one."""
    none = [one for one in known.policies if (one.convolution, one.policy) == (convolution, "none")]
    sizes = [one.activation.num_nodes[0] < one.activation.num_nodes[1] for one in none]
    return max((one.activation.num_edges[1] + 10**15 * many for one, many in zip(none, sizes, strict=True)), default=0)
