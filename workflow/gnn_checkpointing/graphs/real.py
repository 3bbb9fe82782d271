"""From a real graph's source to the one kind of graph: labels numbered, edges simple, features narrow, all counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from gnn_checkpointing.graphs.edges import missing_reverses, simple_edges, with_reverses
from gnn_checkpointing.graphs.features import split
from gnn_checkpointing.graphs.graph import Graph
from gnn_checkpointing.graphs.projection import projected
from gnn_checkpointing.graphs.sources.known import origin
from gnn_checkpointing.graphs.sources.loaded import Loaded
from gnn_checkpointing.records.graph_facts import Provenance
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.graph_design import LoadedGraph
from gnn_checkpointing.study.graph_entries import RealGraph
from gnn_checkpointing.study.vocabulary import expanded


def load_real_graph(spec: LoadedGraph, rng: Generator) -> Graph:
    """Return the real graph, split with `rng`, or refuse in one sentence; what was changed is in its provenance."""
    source = spec.source
    try:
        loaded = _loaded(source, None if spec.data_root is None else expanded(Path(spec.data_root)))
    except FileNotFoundError as error:
        raise Refusal(
            f"real graph {source.name}: {error.filename} vanished while it was read; put it back, and run again"
        ) from None
    _refuse_other_files(source, loaded.files)
    labels, num_classes = _numbered(source, loaded.labels)
    edges = _simple(source, loaded.edge_index, labels.size)
    train_mask, test_mask = split(labels, rng)
    known = origin(source)
    wide = loaded.features.shape[1]
    return Graph(
        id=spec.id,
        label=source.label or source.name,
        family="real",
        edge_index=edges.edge_index,
        features=projected(_finite(source, loaded.features), spec.num_features),
        labels=labels,
        train_mask=train_mask,
        test_mask=test_mask,
        requested_average_degree=None,
        replicate=0,
        num_classes=num_classes,
        provenance=Provenance(
            source=known.source,
            licence=known.licence,
            files=loaded.files,
            projected_from=wide if wide > spec.num_features else None,
            self_loops_removed=edges.self_loops,
            duplicates_removed=edges.duplicates,
            reverses_added=edges.reverses,
            notes=list(loaded.notes),
        ),
    )


def _loaded(source: RealGraph, data_root: Path | None) -> Loaded:
    """Read the graph's files, each kind in its own way; PyG and ogb are imported only for their own."""
    if source.csv is not None:
        from gnn_checkpointing.graphs.sources.tables import load_tables

        return load_tables(source, data_root, source.csv)
    if source.npz is not None:
        from gnn_checkpointing.graphs.sources.npz import load_npz

        return load_npz(source, data_root, source.npz)
    if source.dataset == "OGB":
        from gnn_checkpointing.graphs.sources.ogb import load_ogb

        return load_ogb(source, data_root)
    from gnn_checkpointing.graphs.sources.pyg import load_pyg

    return load_pyg(source, data_root)


def _refuse_other_files(source: RealGraph, read: dict[str, str]) -> None:
    """Refuse files that are not those that the study lists: the graph would be published as one of other files."""
    for name, sha256 in read.items():
        expected = source.files.get(name, sha256)
        if sha256 != expected:
            raise Refusal(
                f"real graph {source.name}: {name} has SHA-256 {sha256}, but the study lists {expected}; if it changed "
                "while the study was measured, run again"
            )


def _numbered(source: RealGraph, labels: NDArray[Any]) -> tuple[NDArray[np.int64], int]:
    """Return labels from 0 without gaps (-1: none) and the number of classes that labelled nodes have."""
    flat = labels.reshape(-1) if labels.ndim == 2 and labels.shape[1] == 1 else labels
    if flat.ndim != 1 or flat.dtype.kind not in "iu":
        raise Refusal(f"real graph {source.name}: labels are {flat.dtype} {list(flat.shape)}, not one integer per node")
    numbered = np.full(flat.shape, -1, np.int64)
    classes, numbers = np.unique(flat[flat >= 0], return_inverse=True)
    numbered[flat >= 0] = numbers
    if classes.size < 2:
        raise Refusal(
            f"real graph {source.name}: its labelled nodes have {classes.size} classes; at least two are needed"
        )
    return numbered, int(classes.size)


def _finite(source: RealGraph, features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the features, or refuse naming the first node with a number that is none."""
    wrong = np.flatnonzero(~np.isfinite(features).all(axis=1))
    if wrong.size:
        raise Refusal(
            f"real graph {source.name}: node {wrong[0]} has features that are NaN or infinite ({wrong.size} nodes in "
            "all); only finite numbers are allowed"
        )
    return features


class _Edges(NamedTuple):
    edge_index: NDArray[np.int64]
    self_loops: int
    duplicates: int
    reverses: int


def _simple(source: RealGraph, edge_index: NDArray[np.int64], num_nodes: int) -> _Edges:
    """Return simple edges in both directions; missing reverses are added only where the entry says so."""
    if edge_index.size and not 0 <= edge_index.min() <= edge_index.max() < num_nodes:
        wrong = int(np.flatnonzero(((edge_index < 0) | (edge_index >= num_nodes)).any(axis=0))[0])
        raise Refusal(
            f"real graph {source.name}: edge {wrong} joins nodes {edge_index[0, wrong]} and {edge_index[1, wrong]}; "
            f"allowed: 0 to {num_nodes - 1}"
        )
    edges = simple_edges(edge_index, num_nodes)
    self_loops = int((edge_index[0] == edge_index[1]).sum())
    if not edges.size:
        raise Refusal(
            f"real graph {source.name}: no edge joins two nodes ({self_loops} self-loops, which are left out); at "
            "least one is needed"
        )
    missing = missing_reverses(edges, num_nodes)
    if missing and not source.to_undirected:
        raise Refusal(
            f"real graph {source.name}: {missing} of {edges.shape[1]} edges have no reverse; set to_undirected: true "
            "in its entry to add them, or use an undirected graph"
        )
    both = with_reverses(edges, num_nodes) if missing else edges
    return _Edges(both, self_loops, edge_index.shape[1] - self_loops - edges.shape[1], missing)
