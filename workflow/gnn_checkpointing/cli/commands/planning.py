"""Commands that plan: what a planner knows after a study, and its answer for one graph, one model and one memory."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from gnn_checkpointing.refusal import Refusal

if TYPE_CHECKING:
    from gnn_checkpointing.graphs.graph import Graph
    from gnn_checkpointing.planning import Plan, Planner
    from gnn_checkpointing.planning.knowledge import KnownGraph

_CLASSES, _TRAINING_SHARE = 4, 0.6
"""Of a graph of which only sizes are known, as the study's generated graphs have them; bytes hardly depend on them."""


def knowledge(options: argparse.Namespace) -> None:
    """Take the laws of a study apart into what a planner needs; write planner.json."""
    from gnn_checkpointing.analysis.analyse import read_analysis
    from gnn_checkpointing.analysis.rounding import all_significant
    from gnn_checkpointing.artefacts import read_json, seal, write_json
    from gnn_checkpointing.audit.inputs import machine_facts
    from gnn_checkpointing.planning.gather import knowledge as gathered
    from gnn_checkpointing.records.graph_facts import read_graphs
    from gnn_checkpointing.study.reading import read_study

    hardware = read_json(options.hardware_file)
    machine = machine_facts(hardware)
    found = gathered(
        read_study(options.study),
        read_analysis(options.analysis).predictions,
        read_graphs(options.graphs),
        machine.slug,
        str(hardware.get("label", machine.slug)),
        machine.facts,
    )
    # Ten digits, not eight: its numbers are quotients of rounded ones, and their products are bytes.
    write_json(options.output, all_significant(found.model_dump(mode="json"), digits=10))
    seal(options.output)


def plan(options: argparse.Namespace) -> None:
    """Say what each policy would need on your graph in your memory, and which one to take."""
    from gnn_checkpointing.planning import Planner
    from gnn_checkpointing.report.plan_words import spoken

    planner = Planner.read(options.planner or _published())
    graph = _asked_graph(options, planner)
    found = planner.plan(
        num_nodes=graph.num_nodes,
        num_edges=graph.num_edges,
        convolution=options.convolution,
        memory_gib=options.memory_gib,
        num_layers=options.layers,
        hidden_channels=options.channels,
        heads=options.heads,
        self_loops=options.self_loops,
        attention_dropout=options.attention_dropout,
        num_features=_features(graph) if options.features is None else options.features,
    )
    if options.exact and ("(" in found.convolution or options.self_loops or options.attention_dropout):
        raise Refusal(
            f"--exact: {found.convolution} is counted by gathering and scattering, without self-loops and attention "
            "dropout; leave --exact out, or ask for a convolution without brackets and without either"
        )
    exact = _exact_peaks(graph, found) if options.exact else {}
    if options.json:
        print(json.dumps(_values(found, exact), indent=2))
        return
    print(spoken(found, planner.knowledge, exact))


def _published() -> Path:
    """The folder of the one machine that has published a default study, or a refusal where there is none or several."""
    found = sorted(path.parent.parent for path in Path("report").glob("*/default/planner.json"))
    if len(found) == 1:
        return found[0]
    listed = ", ".join(map(str, found)) or "none below report/"
    raise Refusal(f"--planner: name the folder or the planner.json of the machine to plan for (found: {listed})")


def _asked_graph(options: argparse.Namespace, planner: Planner) -> Graph | KnownGraph:
    """Return the graph that was asked for: by its sizes, by the name of one that was measured, or from its file."""
    from gnn_checkpointing.planning.knowledge import KnownGraph

    if options.npz is not None:
        from gnn_checkpointing.graphs.storage import load_graph

        return load_graph(options.npz)
    if options.known is not None:
        graphs = {graph.label: graph for graph in planner.knowledge.graphs}
        if options.known not in graphs:
            raise Refusal(f"--known {options.known}: known are {', '.join(graphs)}")
        return graphs[options.known]
    if options.nodes is None or options.edges is None:
        raise Refusal("which graph? give --nodes and --edges, or --known NAME, or --npz FILE")
    return KnownGraph(label="", num_nodes=options.nodes, num_edges=options.edges)


def _features(graph: Graph | KnownGraph) -> int | None:
    """Return the features of a graph; None where it is known by its sizes alone."""
    from gnn_checkpointing.planning.knowledge import KnownGraph

    return graph.num_features if isinstance(graph, KnownGraph) else int(graph.features.shape[1])


def _exact_peaks(graph: Graph | KnownGraph, found: Plan) -> dict[str, int | str]:
    """Return each policy's peak by fake tensors, or why there is none."""
    import numpy as np

    from gnn_checkpointing.measurement.exact_peak import StepSizes, even_degrees, exact_peak
    from gnn_checkpointing.planning.knowledge import KnownGraph
    from gnn_checkpointing.study.architecture import Architecture

    if isinstance(graph, KnownGraph):
        degrees = even_degrees(graph.num_nodes, graph.num_edges)
        classes, training = _CLASSES, int(_TRAINING_SHARE * graph.num_nodes)
    else:
        degrees = np.bincount(graph.edge_index[1], minlength=graph.num_nodes)
        classes, training = graph.num_classes, int(graph.train_mask.sum())
    sizes = StepSizes(degrees, found.sizes.num_features, classes, training)
    architecture = Architecture.model_validate(
        {"convolutions": [found.convolution], **found.sizes.model_dump(exclude={"num_features"})}
    )
    peaks: dict[str, int | str] = {}
    for one in found.policies:
        try:
            peaks[one.policy] = exact_peak(architecture.convolutions[0], one.policy, architecture, sizes)
        except Refusal as refusal:
            peaks[one.policy] = str(refusal)
    return peaks


def _values(found: Plan, exact: dict[str, int | str]) -> dict[str, object]:
    values = asdict(found) | {"sizes": found.sizes.model_dump()}
    if exact:
        values["exact"] = exact
    return values
