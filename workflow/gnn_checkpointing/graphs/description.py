"""A graph in words, for someone who wants to know what was read from their files."""

from __future__ import annotations

import os
from pathlib import Path

from gnn_checkpointing.graphs.graph import facts
from gnn_checkpointing.graphs.make import make_graph
from gnn_checkpointing.study.graph_design import LoadedGraph
from gnn_checkpointing.study.graph_entries import RealGraph
from gnn_checkpointing.study.vocabulary import slug


def described(folder: Path) -> list[str]:
    """Lines on what a folder of CSV files holds, refused as the study would; edges lead both ways."""
    place = Path(os.path.abspath(folder))  # noqa: PTH100 - links may lead in circles
    source = RealGraph(name=slug(place.name), csv=place, to_undirected=True)
    # As wide as the files are: the study decides what becomes of wide features.
    graph = make_graph(LoadedGraph("described", source, None, 2**62, 0))
    found = facts(graph)
    structure, provenance = found.structure, found.provenance
    assert structure is not None and provenance is not None
    low, _, middle, _, high = structure.degree_quantiles
    unlabelled = int((graph.labels < 0).sum())
    homophily = "unknown" if structure.homophily is None else f"{structure.homophily:.2f}"
    return [
        f"nodes: {found.num_nodes:,}, {structure.isolated_nodes:,} of them without edges",
        f"edges: {found.num_edges:,}, both directions counted ({provenance.reverses_added:,} reverses added, "
        f"{provenance.duplicates_removed:,} doubles and {provenance.self_loops_removed:,} self-loops left out)",
        f"degree: {found.average_degree:.1f} on average, median {middle}, 5 % to 95 % {low} to {high}, largest "
        f"{structure.maximum_degree:,}",
        f"features: {found.num_features:,}",
        f"classes: {found.num_classes:,}; {unlabelled:,} nodes without a label",
        f"clustering: {structure.clustering:.2f}; edges that join equal labels: {homophily}",
        *(f"note: {note}" for note in provenance.notes),
    ]
