"""Turn a study's findings into a planner's knowledge: split laws into what grows with layers, channels and heads."""

import re
from collections.abc import Mapping, Sequence

from gnn_checkpointing.analysis.laws.counts import counted, terms
from gnn_checkpointing.analysis.laws.counts import value as value_of
from gnn_checkpointing.analysis.results import Predictions, PredictiveLaw, Response
from gnn_checkpointing.analysis.table import grouped, series
from gnn_checkpointing.planning.arithmetic import OF_EDGES, grown, longest_segment, near
from gnn_checkpointing.planning.knowledge import (
    Blocks,
    Growth,
    Knowledge,
    Limit,
    PlannedLaw,
    PolicyKnowledge,
    Resident,
    Sizes,
    known_graphs,
)
from gnn_checkpointing.records.graph_facts import GraphFacts
from gnn_checkpointing.records.record import Machine
from gnn_checkpointing.study.block_size import BYTES_PER_VALUE, cpu_bounds, cuda_bounds
from gnn_checkpointing.study.convolutions import READS_FEATURES, VISION, is_own
from gnn_checkpointing.study.design import models
from gnn_checkpointing.study.policy_names import EDGES_PER_NODE, POLICIES, parse_policy
from gnn_checkpointing.study.study import Study

_CLEARLY_FASTER = 0.9
"""Below 1 by the difference of time ratios between two runs, up to a tenth."""

_COUNT_MET = 1e-3
"""If a law's bytes per edge are this near the count of tensors, the count replaces them; it has a term for heads."""

_MEAN_OF_FEATURES = 4  # bytes that SAGE keeps per node and feature, for the first layer's weights
_FIRST_LAYER: Mapping[str, dict[str, Growth]] = {
    "none": {"nodes": Growth(features=8, rest=4), "edges": Growth(features=4)},
    "layers": {"nodes": Growth(features=8, channels=4, rest=4), "edges": Growth(features=4)},
    "edge_blocks": {"nodes": Growth(features=8, rest=4), "edges_at_once": Growth(features=4, rest=16)},
}
"""SAGE's peak with wide features: messages of the first layer, their sums and means, while little else is kept.

Counted from its tensors. For blocks it is an upper bound, as if one block had all nodes; besides its features, an edge
of a block takes the 16 bytes that the closed forms of blocks count. Used if the laws come from graphs with no more
features than channels; other laws include it in their own terms.
"""

_GROWTHS = {"L F": "layer_channels", "L H": "layer_heads", "F": "channels", "H": "heads", "": "rest"}
_CACHE, _MEMORY = re.compile(r"(\d+)K"), re.compile(r"(\d+) MiB")


def knowledge(study: Study, predictions: Predictions, graphs: Sequence[GraphFacts], machine: Machine) -> Knowledge:
    """A planner's knowledge from one study."""
    architecture = study.architecture
    # Only stacks of the study's own depth: a Vision GNN's sizes come in threes, and nobody would ask about its graph;
    # how a user's own model grows with layers and channels is not known.
    planned = {
        series({"convolution": convolution, "aggregation": aggregation, "model": models(study, convolution)[0].name})
        for convolution in architecture.convolutions
        for aggregation in architecture.aggregations
        if convolution not in VISION and not is_own(convolution)
    }
    every = [*predictions.laws, *predictions.one_size]
    laws = {(law.convolution, law.policy, law.response): law for law in every}
    resident = {(law.convolution, law.policy): law for law in (*predictions.one_size_resident, *predictions.resident)}
    activations = [
        law
        for law in every
        if (law.response == "activation_bytes" and law.convolution in planned)
        and not POLICIES[parse_policy(law.policy).kind].retired
    ]
    sizes = {name: getattr(architecture, name) for name in ("num_layers", "hidden_channels", "heads")}
    measured = Sizes(**sizes, num_features=activations[0].num_features if activations else 1)
    known = []
    for law in activations:
        convolution, policy = law.convolution, law.policy
        seconds, lives = laws.get((convolution, policy, "step_time_seconds")), resident[convolution, policy]
        known.append(
            PolicyKnowledge(
                convolution=convolution,
                policy=policy,
                self_loops=_base(convolution) == "GCN",
                reads_features=_base(convolution) in READS_FEATURES and not _counts_features(law, measured),
                activation=_planned_bytes(law, laws, measured),
                seconds=None if seconds is None else _planned_seconds(seconds, measured),
                resident=Resident(
                    parameters=lives.constant / (measured.num_layers * measured.hidden_channels**2),
                    per_node=lives.per_node - BYTES_PER_VALUE * measured.num_features,
                    per_feature=BYTES_PER_VALUE,
                    per_edge=lives.per_edge,
                ),
                blocks=_blocks(policy, machine.facts),
                faster_at=_faster_at(seconds, laws.get((convolution, "none", "step_time_seconds"))),
            )
        )
    order = architecture.convolutions.index
    return Knowledge(
        hardware=machine.slug,
        machine=machine.label,
        study=study.name,
        confidence=predictions.confidence,
        measured=measured,
        limits=_limits(activations, measured),
        graphs=known_graphs(graphs),
        policies=sorted(
            known, key=lambda one: (order(_base(one.convolution)), one.convolution, study.policies.index(one.policy))
        ),
    )


def _base(convolution: str) -> str:
    """The convolution of a series, whose name may include the aggregation."""
    return convolution.split(" ")[0]


def _planned_bytes(
    law: PredictiveLaw, laws: Mapping[tuple[str, str, Response], PredictiveLaw], measured: Sizes
) -> PlannedLaw:
    """The law of the activation peak, with each term split into what is kept for the backward pass and the rest.

    Kept bytes arise in every layer; the rest is the working memory of one layer. If the bytes per edge agree with the
    count of the edge's tensors, that count replaces both parts, with its own term for heads. A segment keeps its input,
    however many layers it has, and works with what `none` keeps of each of its layers.
    """
    if law.form == "power":
        return _planned_seconds(law, measured)
    saved = laws.get((law.convolution, law.policy, "saved_activation_bytes"))
    kept = saved.pieces[0] if saved is not None and len(saved.pieces) == 1 and saved.form != "power" else {}
    stored: dict[str, Growth] = {}
    if parse_policy(law.policy).kind == "segments":
        none = laws.get((law.convolution, "none", "activation_bytes"))
        kept = {}
        stored = {} if none is None or none.form == "power" else _planned_bytes(none, laws, measured).pieces[0]
    pieces = [
        {
            column: _split(term, kept.get(column, 0.0), stored.get(column, Growth()), measured, law, column)
            for column, term in piece.items()
        }
        for piece in law.pieces
    ]
    formula = counted(law.convolution, law.policy, law.response)
    if formula is not None:
        expected = value_of(formula, {"L": measured.num_layers, "F": measured.hidden_channels, "H": measured.heads})
        count = Growth(**{_GROWTHS[" ".join(names)]: number for number, names in terms(formula)})
        for piece, own in zip(pieces, law.pieces, strict=True):
            if "edges" in own and abs(own["edges"] - expected) <= _COUNT_MET * max(expected, 1):
                piece["edges"] = count
    if _counts_features(law, measured):
        pieces.append(_FIRST_LAYER[law.policy])
    return _planned(law, pieces)


def _planned_seconds(law: PredictiveLaw, measured: Sizes) -> PlannedLaw:
    """The law of the step time, which is assumed to grow entirely with layers x channels."""
    layers = measured.num_layers * measured.hidden_channels
    share, power = Growth(layer_channels=1.0 / layers), law.form == "power"
    pieces = [
        {column: Growth(rest=term) if power else Growth(layer_channels=term / layers) for column, term in piece.items()}
        for piece in law.pieces
    ]
    return _planned(law, pieces).model_copy(update={"link": "exponential", "factor": share} if power else {})


def _planned(law: PredictiveLaw, pieces: list[dict[str, Growth]]) -> PlannedLaw:
    same = {name: getattr(law, name) for name in ("knee", "half_width", "num_nodes", "num_edges")}
    return PlannedLaw(link="sum", pieces=pieces, factor=Growth(rest=1.0), **same)


def _counts_features(law: PredictiveLaw, measured: Sizes) -> bool:
    """Whether the bytes of features are counted in addition to the law, whose graphs have too few features to show."""
    few = measured.num_features <= measured.hidden_channels
    return law.convolution == "SAGE" and law.policy in _FIRST_LAYER and few and law.form != "power"


def _split(term: float, kept: float, stored: Growth, measured: Sizes, law: PredictiveLaw, column: str) -> Growth:
    more = Growth(segment_channels=stored.layer_channels, segment_heads=stored.layer_heads)
    rest = term - kept - grown(more, measured, 0, longest_segment(law.policy, measured.num_layers))
    keeps_means = _counts_features(law, measured) and law.policy != "layers" and column == "nodes" and kept
    features = _MEAN_OF_FEATURES if keeps_means else 0
    width = measured.hidden_channels
    if column in OF_EDGES and _base(law.convolution) in READS_FEATURES:
        width = max(width, measured.num_features)
    return Growth(
        layer_channels=(kept - features * measured.num_features) / (measured.num_layers * measured.hidden_channels),
        channels=rest / width,
        features=features,
        segment_channels=more.segment_channels,
        segment_heads=more.segment_heads,
    )


def _faster_at(law: PredictiveLaw | None, none: PredictiveLaw | None) -> list[tuple[int, int]]:
    """Nodes and edges of the graphs on which the policy's step was clearly shorter than none's, over all draws.

    A graph is left out if a nearby one was measured without that result: the result would not hold between them.
    """
    if law is None or none is None or law.policy == "none":
        return []
    plain = {one.graph: one.observed for one in none.residuals}
    own = [one for one in law.residuals if one.graph in plain]
    levels = grouped(own, lambda one: (one.num_nodes, round(one.num_edges / one.num_nodes))).values()
    faster = {
        (draws[0].num_nodes, draws[0].num_edges): all(
            one.observed / plain[one.graph] <= _CLEARLY_FASTER for one in draws
        )
        for draws in levels
    }
    slower = [size for size, everywhere in faster.items() if not everywhere]
    return [size for size in faster if not any(near(size, other) for other in slower)]


def _blocks(policy: str, facts: Mapping[str, str]) -> Blocks | None:
    """The rule of a policy's block size: the one in its name, or one that suits nodes and channels.

    The fewest and the most bytes of a block are those of the measured device.
    """
    name = parse_policy(policy)
    if name.kind not in EDGES_PER_NODE:
        return None
    memory = _MEMORY.fullmatch(facts.get("accelerator memory", ""))
    cache = _CACHE.fullmatch(facts.get("last-level cache", ""))
    bounds = cpu_bounds(int(cache[1]) * 1024 if cache else None)
    if memory and facts.get("measured device") == "cuda":
        bounds = cuda_bounds(int(memory[1]) * 2**20)
    per_node = EDGES_PER_NODE[name.kind]
    return Blocks(edges_per_node=per_node, smallest_bytes=bounds[0], largest_bytes=bounds[1], edges=name.count)


def _limits(laws: Sequence[PredictiveLaw], measured: Sizes) -> list[Limit]:
    """The measured ranges; for sizes of the graph, the narrowest range of all laws."""
    if not laws:
        return []
    nodes = max(law.num_nodes[0] for law in laws), min(law.num_nodes[1] for law in laws)
    edges = max(law.num_edges[0] for law in laws), min(law.num_edges[1] for law in laws)
    model = [Limit.of(size, number, number) for size, number in measured.model_dump().items()]
    return [Limit.of("num_nodes", *nodes), Limit.of("num_edges", *edges), *model]
