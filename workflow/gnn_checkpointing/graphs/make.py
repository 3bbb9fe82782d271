"""From a graph's description in the design to the graph, and from a graph to its description in words."""

from __future__ import annotations

import os
from pathlib import Path
from pkgutil import resolve_name

from numpy.random import PCG64, Generator

from gnn_checkpointing.graphs.edges import both_directions
from gnn_checkpointing.graphs.families.images import images_of, nearest_pixels, normalised, patches_of
from gnn_checkpointing.graphs.features import noisy_patterns, shuffled_labels, split
from gnn_checkpointing.graphs.graded import graded
from gnn_checkpointing.graphs.graph import Graph, facts
from gnn_checkpointing.study.families import FAMILIES
from gnn_checkpointing.study.graph_design import (
    BatchGraph,
    EgoGraph,
    GeneratedGraph,
    GradedGraph,
    GraphSpec,
    LoadedGraph,
    derived_seed,
)
from gnn_checkpointing.study.graph_entries import RealGraph
from gnn_checkpointing.study.vision_shapes import PATCHES
from gnn_checkpointing.study.vocabulary import slug


def make_graph(spec: GraphSpec) -> Graph:
    """The graph that the design describes, or a refusal; the same seed gives the same bytes on any machine."""
    # PyG takes seconds to import, and a machine that only measures may lack scipy: both only where they are used.
    if isinstance(spec, BatchGraph):
        from gnn_checkpointing.graphs.batches import batch

        return batch(spec, make_graph(spec.base), stream(spec, "batch"))
    if isinstance(spec, EgoGraph):
        from gnn_checkpointing.graphs.ego.inputs import with_egos

        return with_egos(spec, make_graph(spec.base))
    if isinstance(spec, GradedGraph):
        return graded(spec, make_graph(spec.base), stream(spec, "edges"))
    if isinstance(spec, GeneratedGraph):
        return _drawn(spec)
    from gnn_checkpointing.graphs.real import load_real_graph

    return load_real_graph(spec, stream(spec, "split"))


def stream(spec: GraphSpec, purpose: str) -> Generator:
    """The random numbers of one purpose, independent of those of every other."""
    return Generator(PCG64(derived_seed(spec.seed, purpose)))


def _drawn(spec: GeneratedGraph) -> Graph:
    if spec.family == "images":
        pixels, masks = images_of(spec, stream(spec, "images"))
        patches = patches_of(pixels)
        name = f"{spec.num_nodes // PATCHES} images, {spec.average_degree:g} neighbours a patch"
        edge_index, features = nearest_pixels(patches, round(spec.average_degree)), normalised(patches)
        labels = patches_of(masks[..., None]).max(axis=1)
    else:
        family = FAMILIES[spec.family]
        name = f"{family.title}, {spec.num_nodes} nodes, degree {spec.average_degree:g}"
        labels = shuffled_labels(spec.num_nodes, spec.num_classes, stream(spec, "labels"))
        pairs = resolve_name(family.drawer)(spec, labels, stream(spec, "edges"))
        edge_index = both_directions(pairs, spec.num_nodes)
        noise, rng = spec.feature_noise, stream(spec, "features")
        features = noisy_patterns(labels, spec.num_classes, spec.num_features, noise, rng)
    train_mask, test_mask = split(labels, stream(spec, "split"))
    return Graph(
        id=spec.id,
        label=f"{name}, replicate {spec.replicate}",
        family=spec.family,
        edge_index=edge_index,
        features=features,
        labels=labels,
        train_mask=train_mask,
        test_mask=test_mask,
        requested_average_degree=spec.average_degree,
        replicate=spec.replicate,
        num_classes=spec.num_classes,
    )


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
