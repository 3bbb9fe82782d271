"""GAT's edge stage, and its gradient written out.

Of an edge from j to i the score of a head is s = leaky_relu(u_j + v_i), with node terms u and v (Veličković et al.,
2018); share, aggregate and their gradients are those of `gatv2`. With w = ds leaky_relu'(u_j + v_i): u_j gets w, v_i
gets w, and x_j gets p g, each summed over the edges.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from gnn_checkpointing.checkpointing.attention.shares import attended, score_gradients
from gnn_checkpointing.checkpointing.block_by_block import EdgeInputs


def forward(
    inputs: EdgeInputs, slope: float, source: Tensor, destination: Tensor, num_nodes: int
) -> tuple[Tensor, Tensor]:
    """Return the attended neighbours `[num_nodes, heads, channels]` and log denominators `[num_nodes, heads]`."""
    x_source, as_source, as_destination = inputs.tensors()
    z = as_source.index_select(0, source) + as_destination.index_select(0, destination)
    return attended(F.leaky_relu(z, slope), x_source.index_select(0, source), destination, num_nodes)


def gradients(
    inputs: EdgeInputs,
    slope: float,
    source: Tensor,
    destination: Tensor,
    log_denominators: Tensor,
    gradient: Tensor,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradients of mapped nodes `[all nodes, ...]`, their source terms and the destination terms."""
    x_source, as_source, as_destination = inputs.tensors()
    z = as_source.index_select(0, source) + as_destination.index_select(0, destination)
    g = gradient.index_select(0, destination)
    shares = (F.leaky_relu(z, slope) - log_denominators.index_select(0, destination)).exp()
    of_shares = (g * x_source.index_select(0, source)).sum(dim=-1)
    of_scores = score_gradients(shares, of_shares, destination, gradient.size(0))
    of_z = torch.where(z > 0, of_scores, slope * of_scores)
    return (
        torch.zeros_like(x_source).index_add(0, source, shares.unsqueeze(-1) * g),
        torch.zeros_like(as_source).index_add(0, source, of_z),
        torch.zeros_like(as_destination).index_add(0, destination, of_z),
    )
