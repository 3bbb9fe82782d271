"""GATv2's edge stage, and its gradient written out.

Of an edge from j to i, with z = x_j + x_i, the score of a head is s = a . leaky_relu(z) (Brody et al., 2022), its
share p = exp(s - L_i) with L_i = log sum exp(s) over the edges into i, and the aggregate y_i = sum of p x_j. With g the
gradient of y_i: dp = g . x_j; ds = p (dp - sum over i's edges of p dp), the softmax's gradient; and
dz = ds a leaky_relu'(z). Then x_j gets dz + p g, x_i gets dz, a gets ds leaky_relu(z), each summed over the edges.
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
    x_source, x_destination, attention = inputs.tensors()
    x_j = x_source.index_select(0, source)
    scores = _scores(x_j + x_destination.index_select(0, destination), attention, slope)
    return attended(scores, x_j, destination, num_nodes)


def gradients(
    inputs: EdgeInputs,
    slope: float,
    source: Tensor,
    destination: Tensor,
    log_denominators: Tensor,
    gradient: Tensor,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradients of sources `[all nodes, ...]`, destinations `[num_nodes, ...]` and attention vector."""
    x_source, x_destination, attention = inputs.tensors()
    x_j = x_source.index_select(0, source)
    z = x_j + x_destination.index_select(0, destination)
    g = gradient.index_select(0, destination)
    shares = (_scores(z, attention, slope) - log_denominators.index_select(0, destination)).exp()
    of_scores = score_gradients(shares, (g * x_j).sum(dim=-1), destination, gradient.size(0)).unsqueeze(-1)
    of_leaky = of_scores * attention
    of_z = torch.where(z > 0, of_leaky, slope * of_leaky)
    return (
        torch.zeros_like(x_source).index_add(0, source, of_z + shares.unsqueeze(-1) * g),
        torch.zeros_like(x_destination).index_add(0, destination, of_z),
        # By destination first: a sum over all edges at once would be a loop of its own that gathers both ends again.
        torch.zeros_like(x_destination)
        .index_add(0, destination, of_scores * F.leaky_relu(z, slope))
        .sum(dim=0, keepdim=True),
    )


def _scores(z: Tensor, attention: Tensor, slope: float) -> Tensor:
    return (F.leaky_relu(z, slope) * attention).sum(dim=-1)
