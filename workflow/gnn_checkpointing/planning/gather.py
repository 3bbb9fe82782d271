"""From a study's findings to what a planner knows: laws split into what grows with layers, channels and heads."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from gnn_checkpointing.analysis.results import Predictions, PredictiveLaw
from gnn_checkpointing.analysis.table import series
from gnn_checkpointing.planning.arithmetic import near
from gnn_checkpointing.planning.growth import base, counts_features, planned_bytes, planned_resident, planned_seconds
from gnn_checkpointing.planning.knowledge import Blocks, Knowledge, KnownGraph, Limit, PolicyKnowledge, Sizes
from gnn_checkpointing.planning.well_known import WELL_KNOWN
from gnn_checkpointing.records.graph_facts import GraphFacts
from gnn_checkpointing.study.block_rule import EDGES_PER_NODE, LARGEST_BYTES, SMALLEST_BYTES, cuda_bounds
from gnn_checkpointing.study.convolutions import READS_FEATURES, VISION, is_own
from gnn_checkpointing.study.design import models
from gnn_checkpointing.study.policy_names import POLICIES, parse_policy
from gnn_checkpointing.study.study import Study

_CLEARLY_FASTER = 0.9
"""Ratios of times of two runs differ by up to a tenth."""

_SELF_LOOPS = ("GCN",)
_CACHE, _MEMORY = re.compile(r"(\d+)K"), re.compile(r"(\d+) MiB")


def knowledge(
    study: Study,
    predictions: Predictions,
    graphs: Sequence[GraphFacts],
    slug: str,
    label: str,
    facts: Mapping[str, str],
) -> Knowledge:
    """What a planner knows after a study; `slug`, `label` and `facts` are the machine's."""
    every = [*predictions.laws, *predictions.one_size]
    laws = {(law.convolution, law.policy, law.response): law for law in every}
    resident = {(law.convolution, law.policy): law for law in (*predictions.one_size_resident, *predictions.resident)}
    planned = _planned_series(study)
    activations = [
        law
        for law in every
        if law.response == "activation_bytes"
        and law.convolution in planned
        and not POLICIES[parse_policy(law.policy).kind].retired
    ]
    architecture = study.architecture
    measured = Sizes(
        num_layers=architecture.num_layers,
        hidden_channels=architecture.hidden_channels,
        heads=architecture.heads,
        num_features=activations[0].num_features if activations else 1,
    )
    bounds = _block_bounds(facts)
    known = []
    for law in activations:
        convolution, policy = law.convolution, law.policy
        seconds = laws.get((convolution, policy, "step_time_seconds"))
        known.append(
            PolicyKnowledge(
                convolution=convolution,
                policy=policy,
                self_loops=base(convolution) in _SELF_LOOPS,
                reads_features=base(convolution) in READS_FEATURES and not counts_features(law, measured),
                activation=planned_bytes(law, laws.get((convolution, policy, "saved_activation_bytes")), measured),
                seconds=None if seconds is None else planned_seconds(seconds, measured),
                resident=planned_resident(resident[convolution, policy], measured),
                blocks=_blocks(policy, bounds),
                faster_at=_faster_at(seconds, laws.get((convolution, "none", "step_time_seconds"))),
            )
        )
    policies = list(study.policies)
    convolutions = list(dict.fromkeys(law.convolution for law in activations))
    places = {name: (architecture.convolutions.index(base(name)), name) for name in convolutions}
    return Knowledge(
        hardware=slug,
        machine=label,
        study=study.name,
        confidence=predictions.confidence,
        measured=measured,
        limits=_limits(activations, measured),
        graphs=_graphs(graphs),
        policies=sorted(known, key=lambda one: (places[one.convolution], policies.index(one.policy))),
    )


def _planned_series(study: Study) -> set[str]:
    """The series that a plan can be computed from: stacks of the study's own depth.

    A Vision GNN's sizes come in threes, and its graph is not what anyone would name. How a user's own model grows with
    layers and channels is not known.
    """
    return {
        series({"convolution": convolution, "aggregation": aggregation, "model": models(study, convolution)[0].name})
        for convolution in study.architecture.convolutions
        for aggregation in study.architecture.aggregations
        if convolution not in VISION and not is_own(convolution)
    }


def _graphs(measured: Sequence[GraphFacts]) -> list[KnownGraph]:
    """The real graphs that were measured, and well-known ones."""
    fields = ("label", "num_nodes", "num_edges", "num_features")
    own = [
        KnownGraph(**{name: getattr(graph, name) for name in fields})
        for graph in measured
        if graph.family == "real" and graph.derivation is None
    ]
    names = {graph.label for graph in own}
    return [*own, *(graph for graph in WELL_KNOWN if graph.label not in names)]


def _faster_at(law: PredictiveLaw | None, none: PredictiveLaw | None) -> list[tuple[int, int]]:
    """Nodes and edges of the graphs on which the policy's step was clearly shorter than none's, over all draws.

    A graph near which another one was measured without that result does not count: it would not hold between them.
    """
    if law is None or none is None or law.policy == "none":
        return []
    plain = {one.graph: one.observed for one in none.residuals}
    ratios: dict[tuple[int, int], list[float]] = {}
    sizes: dict[tuple[int, int], tuple[int, int]] = {}
    for one in law.residuals:
        if one.graph in plain:
            level = one.num_nodes, round(one.num_edges / one.num_nodes)
            ratios.setdefault(level, []).append(one.observed / plain[one.graph])
            sizes.setdefault(level, (one.num_nodes, one.num_edges))
    faster = [sizes[level] for level, found in ratios.items() if max(found) <= _CLEARLY_FASTER]
    slower = [size for size in sizes.values() if size not in faster]
    return [size for size in faster if not any(near(size, other) for other in slower)]


def _blocks(policy: str, bounds: tuple[int, int]) -> Blocks | None:
    """The rule of a policy's blocks: the size in its brackets, or what suits nodes and channels."""
    name = parse_policy(policy)
    if name.kind not in EDGES_PER_NODE:
        return None
    smallest, largest = bounds
    per_node = EDGES_PER_NODE[name.kind]
    return Blocks(edges_per_node=per_node, smallest_bytes=smallest, largest_bytes=largest, edges=name.count)


def _block_bounds(facts: Mapping[str, str]) -> tuple[int, int]:
    """The fewest and the most bytes of a block on the device that was measured, as `block_plan.py` has them."""
    memory = _MEMORY.fullmatch(facts.get("accelerator memory", ""))
    if memory and facts.get("measured device") == "cuda":
        return cuda_bounds(int(memory[1]) * 2**20)
    cache = _CACHE.fullmatch(facts.get("last-level cache", ""))
    return SMALLEST_BYTES, max(int(cache[1]) * 1024 if cache else 0, LARGEST_BYTES)


def _limits(laws: Sequence[PredictiveLaw], measured: Sizes) -> list[Limit]:
    """What was measured, of sizes of the graph the narrowest of all laws."""
    if not laws:
        return []
    nodes = max(law.num_nodes[0] for law in laws), min(law.num_nodes[1] for law in laws)
    edges = max(law.num_edges[0] for law in laws), min(law.num_edges[1] for law in laws)
    model = [Limit.of(size, number, number) for size, number in measured.model_dump().items()]
    return [Limit.of("num_nodes", *nodes), Limit.of("num_edges", *edges), *model]
