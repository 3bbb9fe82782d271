"""Make the graph that a description in the design asks for: generated, loaded, or derived from another graph."""

import os
from dataclasses import replace
from errno import EDQUOT, ENOSPC
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import numpy as np
from numpy.random import PCG64, Generator
from numpy.typing import NDArray

from gnn_checkpointing.graphs.families.images import images_of, nearest_pixels, normalised, patches_of
from gnn_checkpointing.graphs.features import noisy_patterns, projected, shuffled_labels, split
from gnn_checkpointing.graphs.files import Loaded
from gnn_checkpointing.graphs.graded import graded
from gnn_checkpointing.graphs.graph import Graph, facts
from gnn_checkpointing.graphs.pairs import Numbers, both_directions, missing_reverses, simple_edges
from gnn_checkpointing.records.graph_facts import Derivation, Provenance
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.convolutions import PATCHES
from gnn_checkpointing.study.families import FAMILIES
from gnn_checkpointing.study.graph_design import (
    DerivedGraph,
    GeneratedGraph,
    GraphSpec,
    LoadedGraph,
    derived_seed,
    level_name,
)
from gnn_checkpointing.study.graph_entries import RealGraph
from gnn_checkpointing.study.vocabulary import expanded, slug

_LABELS = {
    "thinned": "thinned to degree {size}",
    "capped": "at most {size} neighbours",
    "two_hop": "two-hop, degree {size}",
    "neighbours": "batch {draw} of {size} neighbours a layer",
    "clusters": "batch {draw} of one of {size} clusters",
    "encodings": "ego encodings of radius {size}",
    "ego_networks": "ego networks of radius {size}",
}


def make_graph(spec: GraphSpec) -> Graph:
    """Make the graph that `spec` describes, or refuse; the same seed gives the same bytes on any machine."""
    if isinstance(spec, DerivedGraph):
        return _derived(spec, make_graph(spec.base))
    parts = _drawn(spec) if isinstance(spec, GeneratedGraph) else _loaded(spec)
    train_mask, test_mask = split(parts["labels"], stream(spec, "split"))
    return Graph(id=spec.id, train_mask=train_mask, test_mask=test_mask, **parts)


def stream(spec: GraphSpec, purpose: str) -> Generator:
    """Random generator for one purpose, independent of the generators for all others."""
    return Generator(PCG64(derived_seed(spec.seed, purpose)))


def _derived(spec: DerivedGraph, base: Graph) -> Graph:
    # PyG takes seconds to import, and a machine that only measures may lack scipy: import both only when needed.
    if spec.method in ("neighbours", "clusters"):
        from gnn_checkpointing.graphs.batches import batch

        arrays = batch(spec, base, stream(spec, "batch"))
    elif spec.method in ("encodings", "ego_networks"):
        from gnn_checkpointing.graphs.ego import with_egos

        arrays = with_egos(spec, base)
    else:
        arrays = {"edge_index": graded(spec, base, stream(spec, "edges"))}
    made = Derivation(base=base.id, base_label=base.label, method=spec.method, size=spec.size, draw=spec.draw)
    words = _LABELS[spec.method].format(size=level_name(spec.size), draw=spec.draw)
    return replace(
        base,
        id=spec.id,
        label=f"{base.label}, {words}",
        requested_average_degree=None,
        derivation=made,
        **arrays,  # type: ignore[arg-type] # by the names of the fields
    )


def _drawn(spec: GeneratedGraph) -> dict[str, Any]:
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
    return {
        "label": f"{name}, replicate {spec.replicate}",
        "family": spec.family,
        "edge_index": edge_index,
        "features": features,
        "labels": labels,
        "num_classes": spec.num_classes,
        "requested_average_degree": spec.average_degree,
        "replicate": spec.replicate,
    }


def _loaded(spec: LoadedGraph) -> dict[str, Any]:
    """Load the parts of a real graph, or refuse in one sentence; changes are noted in its provenance."""
    source = spec.source
    try:
        loaded = _read(source, None if spec.data_root is None else expanded(Path(spec.data_root)))
        for name, sha256 in loaded.files.items():
            # Otherwise the graph would be published with the wrong checksums.
            if sha256 != (expected := source.files.get(name, sha256)):
                raise Refusal(
                    f"{name} has SHA-256 {sha256}, but the study lists {expected}; if it changed while the study was "
                    "measured, run again"
                )
        labels, num_classes = _numbered(loaded.labels)
        if strange := int((loaded.labels < -1).sum()):  # such as 200 in 8 bits
            loaded.notes.append(f"{strange:,} nodes have a label below -1, which is taken for none")
        edge_index, counted = _simple(loaded.edge_index, labels.size, source.to_undirected)
        infinite = np.flatnonzero(~np.isfinite(loaded.features).all(axis=1))
        if infinite.size:
            raise Refusal(
                f"node {infinite[0]} has features that are NaN or infinite ({infinite.size} nodes in all); only finite "
                "numbers are allowed"
            )
    except OSError as error:
        if error.errno and (error.filename is None or error.errno in (ENOSPC, EDQUOT)):  # of our own temporary files
            raise
        gone = isinstance(error, FileNotFoundError)
        what = "vanished while it was read; put it back" if gone else f"is not readable ({error.strerror}); replace it"
        raise Refusal(f"real graph {source.name}: {error.filename} {what}, and run again") from None
    except Refusal as refusal:
        raise Refusal(f"real graph {source.name}: {refusal}") from None
    wide = loaded.features.shape[1]
    return {
        "label": source.label or source.name,
        "family": "real",
        "edge_index": edge_index,
        "features": projected(loaded.features, spec.num_features),
        "labels": labels,
        "num_classes": num_classes,
        "provenance": Provenance(
            source=source.source or source.origin.place,
            licence=source.licence or source.origin.licence,
            files=loaded.files,
            projected_from=wide if wide > spec.num_features else None,
            notes=loaded.notes,
            **counted,
        ),
    }


def _read(source: RealGraph, data_root: Path | None) -> Loaded:
    """Read the graph's files with the loader for their kind; scipy, PyG and ogb are imported only if needed."""
    if source.csv is not None:
        from gnn_checkpointing.graphs.tables import load_tables

        return load_tables(source, data_root, source.csv)
    if source.npz is not None:
        from gnn_checkpointing.graphs.npz import load_npz

        return load_npz(source, data_root, source.npz)
    from gnn_checkpointing.graphs.datasets import load_ogb, load_pyg

    return (load_ogb if source.dataset == "OGB" else load_pyg)(source, data_root)


def _numbered(labels: NDArray[Any]) -> tuple[Numbers, int]:
    """Renumber labels from 0 without gaps (-1: unlabelled); returns them and the number of classes that occur."""
    flat = labels.reshape(-1) if labels.ndim == 2 and labels.shape[1] == 1 else labels
    if flat.ndim != 1 or flat.dtype.kind not in "iu":
        raise Refusal(f"labels are {flat.dtype} {list(flat.shape)}, not one integer per node")
    numbered = np.full(flat.shape, -1, np.int64)
    classes, numbers = np.unique(flat[flat >= 0], return_inverse=True)
    numbered[flat >= 0] = numbers
    if classes.size < 2:
        raise Refusal(f"its labelled nodes have {classes.size} classes; at least two are needed")
    return numbered, int(classes.size)


def _simple(edge_index: Numbers, num_nodes: int, to_undirected: bool) -> tuple[Numbers, dict[str, int]]:
    """Simple edges in both directions, and the counts of changes; missing reverses are added if `to_undirected`."""
    if edge_index.size and not 0 <= edge_index.min() <= edge_index.max() < num_nodes:
        wrong = int(np.flatnonzero(((edge_index < 0) | (edge_index >= num_nodes)).any(axis=0))[0])
        source, target = edge_index[:, wrong]
        raise Refusal(f"edge {wrong} joins nodes {source} and {target}; allowed: 0 to {num_nodes - 1}")
    edges = simple_edges(edge_index, num_nodes)
    self_loops = int((edge_index[0] == edge_index[1]).sum())
    if not edges.size:
        raise Refusal(f"no edge joins two nodes ({self_loops} self-loops, which are left out); at least one is needed")
    missing = missing_reverses(edges, num_nodes)
    if missing and not to_undirected:
        raise Refusal(
            f"{missing} of {edges.shape[1]} edges have no reverse; set to_undirected: true in its entry to add them, "
            "or use an undirected graph"
        )
    duplicates = edge_index.shape[1] - self_loops - edges.shape[1]
    counted = {"self_loops_removed": self_loops, "duplicates_removed": duplicates, "reverses_added": missing}
    if missing:
        edges = simple_edges(np.concatenate([edges, edges[::-1]], axis=1), num_nodes)
    return edges, counted


def described(folder: Path) -> list[str]:
    """Describe a folder of CSV files in lines of text, with the refusals of a study; missing reverses are added."""
    place = Path(os.path.abspath(folder))  # noqa: PTH100 - links may lead in circles
    source = RealGraph(name=slug(place.name), csv=place, to_undirected=True)
    # Keep all features: projecting wide ones is up to the study.
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
