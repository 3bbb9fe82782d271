"""Batches of one cluster each (Cluster-GCN), through PyG's `ClusterData`.

PyG calls METIS through pyg-lib or torch-sparse, which have no wheels on the Python package index; pymetis has, and
calls the same METIS.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pymetis
import torch
from torch import Tensor
from torch_geometric.data import Data
from torch_geometric.loader import ClusterData, ClusterLoader

from gnn_checkpointing.refusal import Refusal


class MetisClusters(ClusterData):  # type: ignore[misc]
    """PyG's clusters, found by pymetis; METIS starts from a fixed seed, so the same graph has the same clusters."""

    def _metis(self, edge_index: Tensor, num_nodes: int) -> Tensor:
        # Edges are sorted by destination and lead both ways: the sources are the neighbours of each node in turn.
        degrees = np.bincount(edge_index[1].numpy(), minlength=num_nodes)
        adjacency = pymetis.CSRAdjacency(np.concatenate([[0], np.cumsum(degrees)]), edge_index[0].numpy())
        _, membership = pymetis.part_graph(self.num_parts, adjacency=adjacency)
        return torch.from_numpy(np.asarray(membership, np.int64))


def cluster_batch(data: Data, parts: int, number: int) -> Any:
    """Return cluster `number` of `parts`, with the edges inside it."""
    if parts > data.num_nodes:
        raise Refusal(f"a graph of {data.num_nodes} nodes cannot be cut into {parts} clusters; lower batches.parts")
    loader = ClusterLoader(MetisClusters(data, parts, log=False), batch_size=1)
    for position, found in enumerate(loader):
        if position == number:
            return found
    raise ValueError(f"no cluster {number} of {parts}")
