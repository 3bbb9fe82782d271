"""The softmax over a node's incoming edges, and its gradient, from one number kept per node."""

from __future__ import annotations

from torch import Tensor

from gnn_checkpointing.checkpointing.adapters.softmax import largest_by_destination


def attended(scores: Tensor, messages: Tensor, destination: Tensor, num_nodes: int) -> tuple[Tensor, Tensor]:
    """Return the messages `[num_edges, heads, channels]` averaged by softmax of scores, and log denominators.

    Both by destination: `[num_nodes, heads, channels]` and `[num_nodes, heads]`. Divided after the sum, so that the
    edges are passed over once less.
    """
    largest = largest_by_destination(scores, destination, num_nodes)
    exponentials = (scores - largest.index_select(0, destination)).exp()
    # A node without edges divides its zero by one.
    sums = scores.new_zeros(largest.shape).index_add(0, destination, exponentials)
    totals = messages.new_zeros((num_nodes, *messages.shape[1:])).index_add(
        0, destination, messages * exponentials.unsqueeze(-1)
    )
    return totals / sums.where(sums > 0, 1.0).unsqueeze(-1), largest + sums.log()


def score_gradients(shares: Tensor, of_shares: Tensor, destination: Tensor, num_nodes: int) -> Tensor:
    """Return the gradient of the scores `[num_edges, heads]` from that of the shares.

    ds = p (dp - sum of p dp over the destination's edges).
    """
    weighted = shares * of_shares
    sums = weighted.new_zeros((num_nodes, weighted.size(-1))).index_add(0, destination, weighted)
    return weighted - shares * sums.index_select(0, destination)
