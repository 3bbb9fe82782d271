"""Edge blocks where a layer draws its own graph: each node has as many neighbours, so a block is a run of nodes.

A Vision GNN's max-relative convolution keeps of every edge and channel a difference, 4 bytes, for the gradient of the
maximum. Block by block these are made again in the backward pass; what is kept is the graph, 8 bytes an edge, whatever
the channels. Ties of a maximum share its gradient as before; gradients differ by the order in which they are summed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol, cast

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from gnn_checkpointing.checkpointing.block_plan import block_size
from gnn_checkpointing.checkpointing.changes import Changes


class DrawnLayer(Protocol):
    """A layer whose work on edges is one method of its own, which its forward pass calls."""

    def aggregated(self, x: Tensor, neighbours: Tensor, first: int = 0) -> Tensor:
        """Return what the nodes from `first` on receive, `[batch, channels, some nodes]`.

        `x` is `[batch, channels, nodes]`, `neighbours` int64 `[batch, some nodes, k]`.
        """


def drawn_layers(model: nn.Module) -> list[nn.Module]:
    """Return the layers of `model` that draw their own graphs."""
    return [module for module in model.modules() if callable(getattr(module, "aggregated", None))]


def block_drawn_layer(layer: nn.Module, changes: Changes, edges_per_block: int | None, edges_per_node: int) -> None:
    """Make a layer that draws its own graph compute by blocks of nodes, in place."""
    whole = cast(DrawnLayer, layer).aggregated
    changes.set(layer, "aggregated", partial(_blocked, layer, whole, edges_per_block, edges_per_node))


def _blocked(
    layer: nn.Module,
    whole: Callable[..., Tensor],
    edges_per_block: int | None,
    edges_per_node: int,
    x: Tensor,
    neighbours: Tensor,
) -> Tensor:
    batch, nodes, k = neighbours.shape
    neighbours = neighbours.contiguous()  # of dilated ones, a view would keep those that were left out, too
    edges = edges_per_block or block_size(batch * nodes, x.size(1), edges_per_node, x.device)
    step = max(1, min(nodes, edges // (batch * k)))
    layer._largest_block_edges = batch * step * k  # type: ignore[assignment] # read by largest_block_edges
    parts = [
        # No random state is kept: nothing is drawn inside a block, the graph was drawn before.
        checkpoint(whole, x, neighbours[:, first : first + step], first, use_reentrant=False, preserve_rng_state=False)
        for first in range(0, nodes, step)
    ]
    return torch.cat(parts, dim=2)
