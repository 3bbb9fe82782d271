"""One mini-batch of a graph: what a training step of it would see, as a graph of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from torch_geometric.data import Data

from gnn_checkpointing.graphs.batches.clusters import cluster_batch
from gnn_checkpointing.graphs.batches.neighbours import neighbour_batch
from gnn_checkpointing.graphs.edges import simple_edges
from gnn_checkpointing.graphs.graph import Graph
from gnn_checkpointing.records.graph_facts import Derivation
from gnn_checkpointing.study.graph_design import BatchGraph

WORDS = {"neighbours": "{} neighbours a layer", "clusters": "one of {} clusters"}


def batch(spec: BatchGraph, base: Graph, rng: Generator) -> Graph:
    """Return the batch that the description asks for: its own nodes and edges, numbered anew.

    Of drawn neighbours, the training nodes are the seeds, and edges lead from drawn neighbours to the nodes they were
    drawn for. Of a cluster, they are the graph's training nodes in it.
    """
    data = Data(
        x=torch.from_numpy(base.features),
        y=torch.from_numpy(base.labels),
        edge_index=torch.from_numpy(base.edge_index),
        trains=torch.from_numpy(base.train_mask),
        tests=torch.from_numpy(base.test_mask),
    )
    if spec.sampler == "neighbours":
        found = neighbour_batch(data, base.train_mask, spec.size, spec.hops, spec.seed_nodes, rng)
        seeds = np.arange(found.num_nodes) < found.batch_size
    else:
        found = cluster_batch(data, spec.size, spec.draw)
        seeds = found.trains.numpy()
    return _graph(spec, base, found, seeds)


def _graph(spec: BatchGraph, base: Graph, found: Any, seeds: np.ndarray[Any, np.dtype[np.bool_]]) -> Graph:
    words = WORDS[spec.sampler].format(spec.size)
    return Graph(
        id=spec.id,
        label=f"{base.label}, batch {spec.draw} of {words}",
        family=base.family,
        edge_index=simple_edges(found.edge_index.numpy(), found.num_nodes),
        features=np.ascontiguousarray(found.x.numpy()),
        labels=found.y.numpy(),
        train_mask=seeds,
        test_mask=found.tests.numpy() & ~seeds,
        requested_average_degree=None,
        replicate=base.replicate,
        num_classes=base.num_classes,
        provenance=base.provenance,
        derivation=Derivation(
            base=base.id, base_label=base.label, method=spec.sampler, size=float(spec.size), draw=spec.draw
        ),
    )
