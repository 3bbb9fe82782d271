"""From a real graph to one of another density."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from gnn_checkpointing.graphs.edges import both_directions
from gnn_checkpointing.graphs.graded.capped import capped
from gnn_checkpointing.graphs.graded.thinned import thinned
from gnn_checkpointing.graphs.graded.two_hop import two_hop
from gnn_checkpointing.graphs.graph import Graph
from gnn_checkpointing.records.graph_facts import Derivation
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.graph_design import GradedGraph, level_name
from gnn_checkpointing.study.vocabulary import Grading

Pairs = NDArray[np.int64]

METHODS: dict[Grading, tuple[str, Callable[[Pairs, int, float, Generator], Pairs]]] = {
    "thinned": ("thinned to degree {}", thinned),
    "capped": ("at most {} neighbours", capped),
    "two_hop": ("two-hop, degree {}", two_hop),
}


def graded(spec: GradedGraph, base: Graph, rng: Generator) -> Graph:
    """Return the real graph `base` with the edges that the description asks for; nodes and split stay."""
    words, method = METHODS[spec.method]
    pairs = base.edge_index[:, base.edge_index[0] > base.edge_index[1]]
    _refuse_twins(spec, base.num_nodes)
    try:
        edges = method(pairs, base.num_nodes, spec.level, rng)
    except Refusal as refusal:
        raise Refusal(f"real graph {spec.base.source.name}: {refusal}") from None
    return replace(
        base,
        id=spec.id,
        label=f"{base.label}, {words.format(level_name(spec.level))}",
        edge_index=both_directions(edges, base.num_nodes),
        derivation=Derivation(base=base.id, base_label=base.label, method=spec.method, size=spec.level),
    )


def _refuse_twins(spec: GradedGraph, num_nodes: int) -> None:
    """Refuse two levels of the study that give this graph equally many edges: only now its nodes are known."""
    if spec.method == "capped":
        return
    for other in getattr(spec.base.source.graded, spec.method):
        if other != spec.level and round(num_nodes * other / 2) == round(num_nodes * spec.level / 2):
            raise Refusal(
                f"real graph {spec.base.source.name}: graded.{spec.method} {spec.level} and {other} give {num_nodes} "
                "nodes equally many edges; name one of them"
            )
