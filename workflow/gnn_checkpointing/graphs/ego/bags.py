"""Bagged ego networks: a graph in which every node's ego network is a small graph of its own, all side by side.

What subgraph GNNs train on (Zhao et al., 2022, GNN-AK; Zhang and Li, 2021, nested GNNs): a node is classified by what
it is mapped to as the root of its own ego network, so that memory grows with the sum of all ego networks.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gnn_checkpointing.graphs.ego.places import adjacency_of, chunks_of_places
from gnn_checkpointing.graphs.graph import Graph


def bag(graph: Graph, radius: int) -> dict[str, NDArray[np.generic]]:
    """Return the arrays of the bag: a node for each root and node of its ego network, by root and then node.

    Roots keep label and mask, all other nodes have none; one feature is added, 1 for roots and 0 for the rest.
    """
    adjacency = adjacency_of(graph.edge_index, graph.num_nodes)
    parts = list(chunks_of_places(adjacency, radius))
    root, node = (np.concatenate([getattr(part, name) for part in parts]) for name in ("roots", "nodes"))
    cells = root * graph.num_nodes + node
    is_root = root == node
    # Every neighbour of every member, then those that are members of the same ego network.
    degrees = np.diff(adjacency.indptr)[node]
    destination = np.repeat(np.arange(len(node)), degrees)
    starts = np.repeat(adjacency.indptr[node], degrees)
    within = np.arange(len(destination)) - np.repeat(np.cumsum(degrees) - degrees, degrees)
    neighbour = adjacency.indices[starts + within].astype(np.int64)
    wanted = root[destination] * graph.num_nodes + neighbour
    source = np.minimum(np.searchsorted(cells, wanted), len(cells) - 1)
    kept = cells[source] == wanted
    features = np.concatenate([graph.features[node], is_root[:, None].astype(np.float32)], axis=1)
    return {
        "edge_index": np.stack([source[kept], destination[kept]]),
        "features": features,
        "labels": np.where(is_root, graph.labels[node], -1),
        "train_mask": is_root & graph.train_mask[node],
        "test_mask": is_root & graph.test_mask[node],
    }
