"""Turn a study's findings into a planner's knowledge: its laws, what it measured, and how far they reach."""

import re
from collections.abc import Mapping, Sequence
from statistics import median

from gnn_checkpointing.analysis.results import Predictions, PredictiveLaw
from gnn_checkpointing.analysis.table import Row, comparable, completed, grouped, series, under
from gnn_checkpointing.planning.knowledge import (
    Blocks,
    Knowledge,
    Limit,
    MeasuredGraph,
    PolicyKnowledge,
    Resident,
    Sizes,
    known_graphs,
)
from gnn_checkpointing.planning.splitting import base, form_of, planned_bytes, planned_seconds
from gnn_checkpointing.planning.times import near
from gnn_checkpointing.records.graph_facts import GraphFacts
from gnn_checkpointing.records.measurements_table import Value
from gnn_checkpointing.records.record import Machine
from gnn_checkpointing.study.block_size import BYTES_PER_VALUE, cpu_bounds, cuda_bounds
from gnn_checkpointing.study.convolutions import READS_FEATURES, VISION, is_own
from gnn_checkpointing.study.design import models
from gnn_checkpointing.study.policy_names import EDGES_PER_NODE, POLICIES, parse_policy
from gnn_checkpointing.study.study import Study

_CLEARLY_FASTER = 0.9
"""Below 1 by the difference of time ratios between two runs, up to a tenth."""

_CACHE, _MEMORY = re.compile(r"(\d+)K"), re.compile(r"(\d+) MiB")


def knowledge(
    study: Study,
    predictions: Predictions,
    graphs: Sequence[GraphFacts],
    machine: Machine,
    rows: Sequence[Mapping[str, Value]] = (),
) -> Knowledge:
    """A planner's knowledge from one study; `rows` are its table of measurements."""
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
    cells = _cells(rows, study.measurement.allocators[0], measured)
    classes = max((graph.num_classes or 1 for graph in graphs), default=1)
    known = []
    for law in activations:
        convolution, policy = law.convolution, law.policy
        seconds, lives = laws.get((convolution, policy, "step_time_seconds")), resident[convolution, policy]
        none = laws.get((convolution, "none", "step_time_seconds"))
        counted = form_of(law, predictions.closed_forms) is not None
        channels, features = measured.hidden_channels, measured.num_features
        weights = channels * (features + (measured.num_layers - 1) * channels)
        known.append(
            PolicyKnowledge(
                convolution=convolution,
                policy=policy,
                self_loops=base(convolution) == "GCN",
                reads_features=base(convolution) in READS_FEATURES and not counted,
                activation=planned_bytes(law, laws, predictions.closed_forms, measured, classes),
                seconds=None if seconds is None else planned_seconds(seconds, none, measured),
                resident=Resident(
                    parameters=lives.constant / weights,
                    first_layer=lives.constant / weights,
                    per_node=lives.per_node - BYTES_PER_VALUE * features,
                    per_feature=BYTES_PER_VALUE,
                    per_edge=lives.per_edge,
                ),
                blocks=_blocks(policy, machine.facts),
                counted=counted,
                faster_at=_faster_at(seconds, none),
                measured_at=cells.get((convolution, policy), []),
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
            known, key=lambda one: (order(base(one.convolution)), one.convolution, study.policies.index(one.policy))
        ),
    )


def _cells(
    rows: Sequence[Mapping[str, Value]], allocator: str, measured: Sizes
) -> dict[tuple[str, str], list[MeasuredGraph]]:
    """The graphs that were measured with a model of these sizes, by convolution and policy."""
    own = [
        row
        for row in comparable(under(completed(rows), allocator))
        if all(getattr(row, name) == size for name, size in measured.model_dump().items())
    ]
    return {
        key: [
            _measured(graph, same)
            for graph, same in sorted(grouped(each, lambda row: (row.num_nodes, row.num_edges)).items())
        ]
        for key, each in grouped(own, lambda row: (row.convolution, row.policy)).items()
    }


def _measured(graph: tuple[int, int], rows: Sequence[Row]) -> MeasuredGraph:
    peaks = [row.resident_bytes + row.activation_bytes for row in rows]
    seconds = [row.step_time_seconds for row in rows if row.step_time_seconds is not None]
    return *graph, min(peaks), max(peaks), median(seconds) if seconds else None


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
