"""The command that plans: the answer of the laws for one graph, one model and one memory."""

from dataclasses import asdict
from json import dumps
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import ValidationError

from gnn_checkpointing.cli.app import says
from gnn_checkpointing.graphs.graph import Graph
from gnn_checkpointing.graphs.storage import load_graph
from gnn_checkpointing.planning import Plan, Planner
from gnn_checkpointing.planning.knowledge import KnownGraph
from gnn_checkpointing.records.record import complaint
from gnn_checkpointing.refusal import Refusal, escaped
from gnn_checkpointing.report.plan_words import spoken
from gnn_checkpointing.study.architecture import Architecture
from gnn_checkpointing.study.policy_names import POLICIES

_MOST_NODES, _MOST_BLOCKS = 50_000_000, 20_000
"""Of what is walked through on fake tensors: 2 GiB of degrees, and about ten minutes for each policy."""

_CLASSES, _TRAINING_SHARE = 4, 0.6
"""Of a graph of which only sizes are known, as the study's generated graphs have them; bytes hardly depend on them."""


def plan(
    *,
    planner: Annotated[
        Path | None,
        says("a report or its planner.json, or report/<hardware> for all its studies (default: the one machine's)"),
    ] = None,
    nodes: Annotated[int | None, says("the graph's nodes, with --edges")] = None,
    edges: Annotated[int | None, says("its directed edges: an undirected one counts twice")] = None,
    known: Annotated[str | None, says("a real graph by name, such as Reddit; another name lists all")] = None,
    npz: Annotated[Path | None, says("a graph's .npz, as `graph` writes it")] = None,
    convolution: Annotated[str, says("one that the study has laws for, such as GATv2")],
    self_loops: Annotated[bool, says("add an edge from each node to itself")] = False,
    attention_dropout: Annotated[bool, says("drop shares of attention (GAT, GATv2)")] = False,
    layers: Annotated[int | None, says("convolution layers (default: as measured)")] = None,
    channels: Annotated[int | None, says("channels of each layer, heads concatenated (default: as measured)")] = None,
    heads: Annotated[int | None, says("attention heads (default: as measured)")] = None,
    features: Annotated[
        int | None, says("input features of a node (default: as the graph has, or as measured)")
    ] = None,
    memory_gib: Annotated[float, says("memory of a training step, in GiB")],
    exact: Annotated[bool, says("also find eager policies' peaks by fake tensors (needs torch)")] = False,
    json: Annotated[bool, says("print values instead of a table")] = False,
) -> None:
    laws = Planner.read(planner or _published())
    graph = _asked_graph(laws, nodes, edges, known, npz)
    found = laws.plan(
        num_nodes=graph.num_nodes,
        num_edges=graph.num_edges,
        convolution=convolution,
        memory_gib=memory_gib,
        num_layers=layers,
        hidden_channels=channels,
        heads=heads,
        self_loops=self_loops,
        attention_dropout=attention_dropout,
        num_features=graph.num_features if features is None else features,
    )
    if exact and ("(" in found.convolution or self_loops or attention_dropout):
        raise Refusal(
            f"--exact: {found.convolution} is counted by gathering and scattering, without self-loops and attention "
            "dropout; leave --exact out, or ask for a convolution without brackets and without either"
        )
    peaks = _exact_peaks(graph, found) if exact else {}
    values = asdict(found) | {"sizes": found.sizes.model_dump()} | ({"exact": peaks} if peaks else {})
    # A planner.json may be another's, and what it says goes to a terminal.
    print(escaped(dumps(values, indent=2) if json else spoken(found, laws.knowledge, peaks), "\n\u00a0"))


def _published() -> Path:
    """The folder of the one machine that has published a default study, or a refusal where there is none or several."""
    found = sorted(path.parent.parent for path in Path("report").glob("*/default/planner.json"))
    if len(found) == 1:
        return found[0]
    listed = ", ".join(map(str, found)) or "none below report/"
    raise Refusal(f"--planner: name the folder or the planner.json of the machine to plan for (found: {listed})")


def _asked_graph(
    laws: Planner, nodes: int | None, edges: int | None, known: str | None, npz: Path | None
) -> Graph | KnownGraph:
    """The graph that was asked for: by its sizes, by the name of one that was measured, or from its file."""
    if [npz is not None, known is not None, nodes is not None or edges is not None].count(True) > 1:
        raise Refusal("which graph? --nodes with --edges, --known and --npz each name one; keep one of them")
    if npz is not None:
        return load_graph(npz)
    if known is not None:
        graphs = {graph.label: graph for graph in laws.knowledge.graphs}
        if known not in graphs:
            raise Refusal(f"--known {known}: known are {', '.join(graphs)}")
        return graphs[known]
    if nodes is None or edges is None:
        raise Refusal("which graph? give --nodes and --edges, or --known NAME, or --npz FILE")
    return KnownGraph(label="", num_nodes=nodes, num_edges=edges)


def _exact_peaks(graph: Graph | KnownGraph, found: Plan) -> dict[str, int | str]:
    """Each policy's peak by fake tensors, or why there is none."""
    try:
        architecture = Architecture.model_validate(
            {"convolutions": [found.convolution], **found.sizes.model_dump(exclude={"num_features"})}
        )
    except ValidationError as error:
        raise Refusal(f"--exact: {complaint(error)}; lower it, or leave --exact out") from None
    in_a_block = POLICIES["edge_blocks"].edges_per_node * graph.num_nodes
    blocks = -(-graph.num_edges // in_a_block) * found.sizes.num_layers
    for what, asked, most in (("nodes", graph.num_nodes, _MOST_NODES), ("blocks of edges", blocks, _MOST_BLOCKS)):
        if asked > most:
            raise Refusal(f"--exact: {asked:,} {what}; at most {most:,} are walked through, so leave --exact out")
    from gnn_checkpointing.measurement.fake_tensors import StepSizes, even_degrees, exact_peak

    if isinstance(graph, KnownGraph):
        degrees = even_degrees(graph.num_nodes, graph.num_edges)
        classes, training = _CLASSES, int(_TRAINING_SHARE * graph.num_nodes)
    else:
        degrees = np.bincount(graph.edge_index[1], minlength=graph.num_nodes)
        classes, training = graph.num_classes, int(graph.train_mask.sum())
    sizes = StepSizes(degrees, found.sizes.num_features, classes, training)
    peaks: dict[str, int | str] = {}
    for one in found.policies:
        try:
            peaks[one.policy] = exact_peak(architecture.convolutions[0], one.policy, architecture, sizes)
        except Refusal as refusal:
            peaks[one.policy] = str(refusal)
    return peaks
