"""Softmax over each destination's incoming edges, for edges of a block."""

from __future__ import annotations

from torch import Tensor

_TINY = 1e-16  # as PyG's softmax adds it, so that a node without edges divides by something


def largest_by_destination(scores: Tensor, destination: Tensor, num_nodes: int) -> Tensor:
    """Return each destination's largest score `[num_nodes, heads]`, -inf without edges, from `[num_edges, heads]`.

    One pass over the edges; PyG's own reduction makes a second one to leave the initial value out.
    """
    index = destination.unsqueeze(-1).expand_as(scores)
    initial = scores.new_full((num_nodes, scores.size(-1)), float("-inf"))
    return initial.scatter_reduce(0, index, scores.detach(), "amax", include_self=True)


def softmax_by_destination(scores: Tensor, destination: Tensor, num_nodes: int) -> Tensor:
    """Return `scores` `[num_edges, heads]` as shares of their destination's sum of exponentials."""
    shift = largest_by_destination(scores, destination, num_nodes)
    exponentials = (scores - shift.index_select(0, destination)).exp()
    sums = scores.new_zeros(shift.shape).index_add(0, destination, exponentials) + _TINY
    return exponentials / sums.index_select(0, destination)
