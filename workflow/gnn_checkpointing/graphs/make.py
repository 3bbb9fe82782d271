"""From a graph's description in the design to the graph: drawn, loaded, graded, a batch, or with ego networks."""

from __future__ import annotations

from numpy.random import PCG64, Generator

from gnn_checkpointing.graphs.edges import both_directions
from gnn_checkpointing.graphs.families.images import images_of, nearest_pixels, normalised, patches_of
from gnn_checkpointing.graphs.features import noisy_patterns, shuffled_labels, split
from gnn_checkpointing.graphs.graded.grade import graded
from gnn_checkpointing.graphs.graph import Graph
from gnn_checkpointing.study.dotted_names import imported
from gnn_checkpointing.study.families import FAMILIES
from gnn_checkpointing.study.graph_design import (
    BatchGraph,
    EgoGraph,
    GeneratedGraph,
    GradedGraph,
    GraphSpec,
    derived_seed,
)
from gnn_checkpointing.study.vision_shapes import PATCHES


def make_graph(spec: GraphSpec) -> Graph:
    """Return the graph that the design describes, or refuse; the same seed gives the same bytes on any machine."""
    if isinstance(spec, BatchGraph):
        # PyG takes seconds to import, and whole graphs that are drawn do without.
        from gnn_checkpointing.graphs.batches.batch import batch

        return batch(spec, make_graph(spec.base), stream(spec, "batch"))
    if isinstance(spec, EgoGraph):
        # What needs scipy is imported where it is used: a machine that only measures may lack it.
        from gnn_checkpointing.graphs.ego.inputs import with_egos

        return with_egos(spec, make_graph(spec.base))
    if isinstance(spec, GradedGraph):
        return graded(spec, make_graph(spec.base), stream(spec, "edges"))
    if isinstance(spec, GeneratedGraph):
        return _drawn_images(spec) if spec.family == "images" else _drawn(spec)
    from gnn_checkpointing.graphs.real import load_real_graph

    return load_real_graph(spec, stream(spec, "split"))


def stream(spec: GraphSpec, purpose: str) -> Generator:
    """Return the random numbers of one purpose, independent of those of every other."""
    return Generator(PCG64(derived_seed(spec.seed, purpose)))


def _drawn_images(spec: GeneratedGraph) -> Graph:
    pixels, masks = images_of(spec, stream(spec, "images"))
    patches = patches_of(pixels)
    labels = patches_of(masks[..., None]).max(axis=1)
    train_mask, test_mask = split(labels, stream(spec, "split"))
    number = spec.num_nodes // PATCHES
    return Graph(
        id=spec.id,
        label=f"{number} images, {spec.average_degree:g} neighbours a patch, replicate {spec.replicate}",
        family=spec.family,
        edge_index=nearest_pixels(patches, round(spec.average_degree)),
        features=normalised(patches),
        labels=labels,
        train_mask=train_mask,
        test_mask=test_mask,
        requested_average_degree=spec.average_degree,
        replicate=spec.replicate,
        num_classes=spec.num_classes,
    )


def _drawn(spec: GeneratedGraph) -> Graph:
    family = FAMILIES[spec.family]
    pairs = imported(family.drawer)
    labels = shuffled_labels(spec.num_nodes, spec.num_classes, stream(spec, "labels"))
    train_mask, test_mask = split(labels, stream(spec, "split"))
    return Graph(
        id=spec.id,
        label=f"{family.title}, {spec.num_nodes} nodes, degree {spec.average_degree:g}, replicate {spec.replicate}",
        family=spec.family,
        edge_index=both_directions(pairs(spec, labels, stream(spec, "edges")), spec.num_nodes),
        features=noisy_patterns(
            labels, spec.num_classes, spec.num_features, spec.feature_noise, stream(spec, "features")
        ),
        labels=labels,
        train_mask=train_mask,
        test_mask=test_mask,
        requested_average_degree=spec.average_degree,
        replicate=spec.replicate,
        num_classes=spec.num_classes,
    )
