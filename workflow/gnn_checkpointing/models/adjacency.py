"""What a convolution reads of the graph: self-loops and normalisation are done here, once, outside every step."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch_geometric.nn.conv.gcn_conv import gcn_norm

from gnn_checkpointing.study import Convolution


@dataclass(frozen=True)
class Adjacency:
    """Edges sorted by destination, with weights where the convolution needs them.

    `edge_index` is int64 `[2, num_edges]`, `edge_weight` float32 `[num_edges]` or None.
    """

    edge_index: Tensor
    edge_weight: Tensor | None

    def tensors(self) -> list[Tensor]:
        """Return the tensors that stay in memory during a step."""
        return [self.edge_index] if self.edge_weight is None else [self.edge_index, self.edge_weight]


def reordered(adjacency: Adjacency) -> Adjacency:
    """Return the same edges, still sorted by destination, each destination's in reverse order.

    Sums over neighbours are then rounded differently; in exact arithmetic nothing changes.
    """
    last = adjacency.edge_index.size(1) - 1
    order = last - torch.argsort(adjacency.edge_index[1].flip(0), stable=True)
    weight = adjacency.edge_weight
    return Adjacency(adjacency.edge_index[:, order].contiguous(), None if weight is None else weight[order])


def adjacency_for(convolution: Convolution, edge_index: Tensor, num_nodes: int) -> Adjacency:
    """Return the adjacency that `convolution` reads.

    GCN gets self-loops and symmetric normalisation, D^-1/2 (A + I) D^-1/2 (Kipf and Welling, 2017); the others
    read the graph as it is.
    """
    if convolution != "GCN":
        return Adjacency(edge_index, None)
    looped, weight = gcn_norm(edge_index, None, num_nodes, improved=False, add_self_loops=True)
    order = torch.argsort(looped[1], stable=True)
    return Adjacency(looped[:, order].contiguous(), weight[order].contiguous())
