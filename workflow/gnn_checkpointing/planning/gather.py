"""From a study's findings to what a planner knows: laws taken apart into what grows with layers, channels and heads."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from gnn_checkpointing.analysis.laws.tensor_counts import Count, counted
from gnn_checkpointing.analysis.results import Predictions, PredictiveLaw, ResidentLaw, Response
from gnn_checkpointing.analysis.table import series
from gnn_checkpointing.planning.arithmetic import OF_EDGES
from gnn_checkpointing.planning.knowledge import (
    Blocks,
    Growth,
    Knowledge,
    KnownGraph,
    Limit,
    PlannedLaw,
    PolicyKnowledge,
    Resident,
    Size,
    Sizes,
)
from gnn_checkpointing.planning.well_known import WELL_KNOWN
from gnn_checkpointing.records.graph_facts import GraphFacts
from gnn_checkpointing.study.block_rule import (
    BYTES_PER_VALUE,
    EDGES_PER_NODE,
    LARGEST_BYTES,
    SMALLEST_BYTES,
    cuda_bounds,
)
from gnn_checkpointing.study.design import models
from gnn_checkpointing.study.policy_names import POLICIES, parse_policy
from gnn_checkpointing.study.study import Study
from gnn_checkpointing.study.vocabulary import VISION

Laws = Mapping[tuple[str, str, Response], PredictiveLaw]

_COUNT_MET = 1e-3
"""A law's bytes per edge that lie so near the count of tensors are that count, which knows heads apart."""

_CLEARLY_FASTER = 0.9
"""Ratios of times of two runs differ by up to a tenth."""

_SELF_LOOPS = ("GCN",)
_READS_FEATURES = ("SAGE", "SAGE-max", "GIN", "EdgeConv")
"""The others map features to channels before they gather them."""

_MEAN_OF_FEATURES = 4
"""Bytes of a node and feature that SAGE keeps, for the first layer's weights."""

_FIRST_LAYER: Mapping[str, dict[str, Growth]] = {
    "none": {"nodes": Growth(features=8, rest=4), "edges": Growth(features=4)},
    "layers": {"nodes": Growth(features=8, channels=4, rest=4), "edges": Growth(features=4)},
    "edge_blocks": {"nodes": Growth(features=8, rest=4), "edges_at_once": Growth(features=4, rest=8)},
}
"""SAGE's peak where features are wide: messages of the first layer, their sums and means, while little else is kept.

Counted from its tensors; of blocks it is the most, as if one block had all nodes. It holds where the laws are of graphs
with fewer features than channels; others have it in their own terms.
"""

_CACHE, _MEMORY = re.compile(r"(\d+)K"), re.compile(r"(\d+) MiB")
_BEYOND_GRAPHS = "the laws are carried on beyond that"
_BEYOND_MODELS = "other numbers are reckoned from the tensors that a layer keeps and works with"


def knowledge(
    study: Study,
    predictions: Predictions,
    graphs: Sequence[GraphFacts],
    slug: str,
    label: str,
    facts: Mapping[str, str],
) -> Knowledge:
    """Return what a planner knows after a study; `slug`, `label` and `facts` are the machine's."""
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
    known = [_policy(law, laws, resident[law.convolution, law.policy], measured, bounds) for law in activations]
    policies = list(study.policies)
    convolutions = list(dict.fromkeys(law.convolution for law in activations))
    places = {name: (architecture.convolutions.index(_base(name)), name) for name in convolutions}
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
    """Return the series that a plan can be reckoned from: stacks of the study's own depth.

    A Vision GNN's sizes come in threes, and its graph is not what anyone would name.
    """
    return {
        series({"convolution": convolution, "aggregation": aggregation, "model": models(study, convolution)[0].name})
        for convolution in study.architecture.convolutions
        for aggregation in study.architecture.aggregations
        if convolution not in VISION
    }


def _graphs(measured: Sequence[GraphFacts]) -> list[KnownGraph]:
    """Return the real graphs that were measured, and those that everyone knows."""
    own = [
        KnownGraph(
            label=graph.label,
            num_nodes=graph.num_nodes,
            num_edges=graph.num_edges,
            num_features=graph.num_features,
        )
        for graph in measured
        if graph.family == "real" and graph.derivation is None
    ]
    names = {graph.label for graph in own}
    return [*own, *(graph for graph in WELL_KNOWN if graph.label not in names)]


def _base(convolution: str) -> str:
    """Return the convolution of a series, whose name may tell the aggregation, too."""
    return convolution.split(" ")[0]


def _policy(
    law: PredictiveLaw, laws: Laws, resident: ResidentLaw, measured: Sizes, bounds: tuple[int, int]
) -> PolicyKnowledge:
    convolution, policy = law.convolution, law.policy
    seconds = laws.get((convolution, policy, "step_time_seconds"))
    return PolicyKnowledge(
        convolution=convolution,
        policy=policy,
        self_loops=_base(convolution) in _SELF_LOOPS,
        reads_features=_base(convolution) in _READS_FEATURES and not _counts_features(law, measured),
        activation=_bytes(law, laws.get((convolution, policy, "saved_activation_bytes")), measured),
        seconds=None if seconds is None else _seconds(seconds, measured),
        resident=_resident(resident, measured),
        blocks=_blocks(policy, bounds),
        faster_at=_faster_at(seconds, laws.get((convolution, "none", "step_time_seconds"))),
    )


def _faster_at(law: PredictiveLaw | None, none: PredictiveLaw | None) -> list[tuple[int, int]]:
    """Nodes and edges of the graphs on which the policy's step was clearly shorter than none's, over all draws."""
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
    return [sizes[level] for level, found in ratios.items() if max(found) <= _CLEARLY_FASTER]


def _bytes(law: PredictiveLaw, saved: PredictiveLaw | None, measured: Sizes) -> PlannedLaw:
    """Return the law of the activation peak with each term parted into what is kept for backward and the rest.

    What is kept is kept in every layer; the rest is what one layer works with. Where the bytes of an edge meet the
    count of its tensors, that count tells both, heads apart.
    """
    if law.form == "power":
        return _exponential(law, _each_layer(1.0, measured))
    kept = saved.pieces[0] if saved is not None and len(saved.pieces) == 1 and saved.form != "power" else {}
    pieces = [
        {
            column: _parted(term, kept.get(column, 0.0), measured, law, column)
            for column, term in piece.items()
        }
        for piece in law.pieces
    ]
    if _counts_features(law, measured):
        pieces.append(_FIRST_LAYER[law.policy])
    count = counted(law.convolution, law.policy, law.response)
    for piece, terms in zip(pieces, law.pieces, strict=False):
        if count is not None and "edges" in terms and _meets(terms["edges"], count, measured):
            piece["edges"] = _counted(count)
    return _planned(law, pieces)


def _seconds(law: PredictiveLaw, measured: Sizes) -> PlannedLaw:
    """Return the law of the step time, all of which is taken to grow with layers x channels."""
    if law.form == "power":
        return _exponential(law, _each_layer(1.0, measured))
    pieces = [{column: _each_layer(term, measured) for column, term in piece.items()} for piece in law.pieces]
    return _planned(law, pieces)


def _planned(law: PredictiveLaw, pieces: list[dict[str, Growth]]) -> PlannedLaw:
    return PlannedLaw(
        link="sum",
        pieces=pieces,
        factor=Growth(rest=1.0),
        knee=law.knee,
        half_width=law.half_width,
        num_nodes=law.num_nodes,
        num_edges=law.num_edges,
    )


def _exponential(law: PredictiveLaw, factor: Growth) -> PlannedLaw:
    pieces = [{column: Growth(rest=term) for column, term in piece.items()} for piece in law.pieces]
    return _planned(law, pieces).model_copy(update={"link": "exponential", "factor": factor})


def _each_layer(term: float, measured: Sizes) -> Growth:
    return Growth(layer_channels=term / (measured.num_layers * measured.hidden_channels))


def _width(convolution: str, column: str, measured: Sizes) -> int:
    """Return how many values a row of that column had where it was measured."""
    if column in OF_EDGES and _base(convolution) in _READS_FEATURES:
        return max(measured.hidden_channels, measured.num_features)
    return measured.hidden_channels


def _counts_features(law: PredictiveLaw, measured: Sizes) -> bool:
    return (
        law.convolution == "SAGE"
        and law.policy in _FIRST_LAYER
        and measured.num_features <= measured.hidden_channels
        and law.form != "power"
    )


def _parted(term: float, kept: float, measured: Sizes, law: PredictiveLaw, column: str) -> Growth:
    keeps_means = _counts_features(law, measured) and law.policy != "layers" and column == "nodes" and kept
    features = _MEAN_OF_FEATURES if keeps_means else 0
    return Growth(
        layer_channels=(kept - features * measured.num_features) / (measured.num_layers * measured.hidden_channels),
        channels=(term - kept) / _width(law.convolution, column, measured),
        features=features,
    )


def _meets(term: float, count: Count, measured: Sizes) -> bool:
    expected = count.bytes(measured.num_layers, measured.hidden_channels, measured.heads)
    return abs(term - expected) <= _COUNT_MET * max(expected, 1)


def _counted(count: Count) -> Growth:
    return Growth(
        layer_channels=count.layer_channels,
        layer_heads=count.layer_heads,
        channels=count.channels,
        heads=count.heads,
        rest=count.besides,
    )


def _resident(law: ResidentLaw, measured: Sizes) -> Resident:
    parameters = law.constant / (measured.num_layers * measured.hidden_channels**2)
    return Resident(
        parameters=parameters,
        per_node=law.per_node - BYTES_PER_VALUE * measured.num_features,
        per_feature=BYTES_PER_VALUE,
        per_edge=law.per_edge,
    )


def _blocks(policy: str, bounds: tuple[int, int]) -> Blocks | None:
    """Return the rule of a policy's blocks: the size in its brackets, or what suits nodes and channels."""
    name = parse_policy(policy)
    if name.kind not in EDGES_PER_NODE:
        return None
    return Blocks(
        edges_per_node=EDGES_PER_NODE[name.kind],
        smallest_bytes=bounds[0],
        largest_bytes=bounds[1],
        edges=name.count,
    )


def _block_bounds(facts: Mapping[str, str]) -> tuple[int, int]:
    """Return the fewest and the most bytes of a block on the device that was measured, as `block_plan.py` has them."""
    memory = _MEMORY.fullmatch(facts.get("accelerator memory", ""))
    if memory and facts.get("measured device") == "cuda":
        return cuda_bounds(int(memory[1]) * 2**20)
    cache = _CACHE.fullmatch(facts.get("last-level cache", ""))
    return SMALLEST_BYTES, max(int(cache[1]) * 1024 if cache else 0, LARGEST_BYTES)


def _limits(laws: Sequence[PredictiveLaw], measured: Sizes) -> list[Limit]:
    """Return what was measured, of sizes of the graph the narrowest of all laws."""
    if not laws:
        return []
    nodes = max(law.num_nodes[0] for law in laws), min(law.num_nodes[1] for law in laws)
    edges = max(law.num_edges[0] for law in laws), min(law.num_edges[1] for law in laws)
    found = [
        _limit("num_nodes", nodes, f"Graphs of {nodes[0]:,} to {nodes[1]:,} nodes were measured"),
        _limit("num_edges", edges, f"Graphs of {edges[0]:,} to {edges[1]:,} edges were measured"),
    ]
    words: tuple[tuple[Size, str], ...] = (
        ("num_layers", "layers"),
        ("hidden_channels", "channels"),
        ("heads", "heads"),
        ("num_features", "input features"),
    )
    for size, word in words:
        number = getattr(measured, size)
        found.append(_limit(size, (number, number), f"Models of {number:,} {word} were measured"))
    return found


def _limit(size: Size, ends: tuple[int, int], measured: str) -> Limit:
    beyond = _BEYOND_GRAPHS if size in ("num_nodes", "num_edges") else _BEYOND_MODELS
    return Limit(
        size=size, low=ends[0], high=ends[1], warning=f"{measured}: {beyond}, and no interval vouches for the result."
    )
