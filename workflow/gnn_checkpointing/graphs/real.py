"""From a real graph's source to the one kind of graph: labels numbered, edges simple, features narrow, all counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from gnn_checkpointing.graphs.edges import missing_reverses, simple_edges, with_reverses
from gnn_checkpointing.graphs.features import projected, split
from gnn_checkpointing.graphs.graph import Graph
from gnn_checkpointing.graphs.sources.loaded import Loaded, origin
from gnn_checkpointing.records.graph_facts import Provenance
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.graph_design import LoadedGraph
from gnn_checkpointing.study.graph_entries import RealGraph
from gnn_checkpointing.study.vocabulary import expanded


def load_real_graph(spec: LoadedGraph, rng: Generator) -> Graph:
    """The real graph, split with `rng`, or a refusal in one sentence; what was changed is in its provenance."""
    source = spec.source
    try:
        loaded = _loaded(source, None if spec.data_root is None else expanded(Path(spec.data_root)))
        for name, sha256 in loaded.files.items():
            # Otherwise the graph would be published as one of other files.
            if sha256 != (expected := source.files.get(name, sha256)):
                raise Refusal(
                    f"{name} has SHA-256 {sha256}, but the study lists {expected}; if it changed while the study was "
                    "measured, run again"
                )
        labels, num_classes = _numbered(loaded.labels)
        edge_index, counted = _simple(loaded.edge_index, labels.size, source.to_undirected)
        _refuse_infinite(loaded.features)
    except FileNotFoundError as error:
        raise Refusal(
            f"real graph {source.name}: {error.filename} vanished while it was read; put it back, and run again"
        ) from None
    except Refusal as refusal:
        raise Refusal(f"real graph {source.name}: {refusal}") from None
    train_mask, test_mask = split(labels, rng)
    place, licence = origin(source)
    wide = loaded.features.shape[1]
    return Graph(
        id=spec.id,
        label=source.label or source.name,
        family="real",
        edge_index=edge_index,
        features=projected(loaded.features, spec.num_features),
        labels=labels,
        train_mask=train_mask,
        test_mask=test_mask,
        requested_average_degree=None,
        replicate=0,
        num_classes=num_classes,
        provenance=Provenance(
            source=place,
            licence=licence,
            files=loaded.files,
            projected_from=wide if wide > spec.num_features else None,
            notes=list(loaded.notes),
            **counted,
        ),
    )


def _loaded(source: RealGraph, data_root: Path | None) -> Loaded:
    """Read the graph's files, each kind in its own way; scipy, PyG and ogb are imported only for their own."""
    if source.csv is not None:
        from gnn_checkpointing.graphs.sources.tables import load_tables

        return load_tables(source, data_root, source.csv)
    if source.npz is not None:
        from gnn_checkpointing.graphs.sources.npz import load_npz

        return load_npz(source, data_root, source.npz)
    from gnn_checkpointing.graphs.sources.datasets import load_ogb, load_pyg

    return (load_ogb if source.dataset == "OGB" else load_pyg)(source, data_root)


def _numbered(labels: NDArray[Any]) -> tuple[NDArray[np.int64], int]:
    """Labels from 0 without gaps (-1: none) and the number of classes that labelled nodes have."""
    flat = labels.reshape(-1) if labels.ndim == 2 and labels.shape[1] == 1 else labels
    if flat.ndim != 1 or flat.dtype.kind not in "iu":
        raise Refusal(f"labels are {flat.dtype} {list(flat.shape)}, not one integer per node")
    numbered = np.full(flat.shape, -1, np.int64)
    classes, numbers = np.unique(flat[flat >= 0], return_inverse=True)
    numbered[flat >= 0] = numbers
    if classes.size < 2:
        raise Refusal(f"its labelled nodes have {classes.size} classes; at least two are needed")
    return numbered, int(classes.size)


def _refuse_infinite(features: NDArray[np.float32]) -> None:
    wrong = np.flatnonzero(~np.isfinite(features).all(axis=1))
    if wrong.size:
        raise Refusal(
            f"node {wrong[0]} has features that are NaN or infinite ({wrong.size} nodes in all); only finite numbers "
            "are allowed"
        )


def _simple(
    edge_index: NDArray[np.int64], num_nodes: int, to_undirected: bool
) -> tuple[NDArray[np.int64], dict[str, int]]:
    """Simple edges in both directions and what was changed; missing reverses are added only where the entry says so."""
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
    return with_reverses(edges, num_nodes) if missing else edges, counted
