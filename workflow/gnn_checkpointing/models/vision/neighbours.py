"""The graph of a block: each patch's nearest neighbours among the features that it has there, dilated."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


@torch.no_grad()
def dilated_neighbours(x: Tensor, k: int, dilation: int, stochastic: float = 0.0) -> Tensor:
    """Return int64 `[batch, nodes, k]`: for each node the nodes nearest to it by cosine, itself first.

    `x` is `[batch, channels, nodes]`. Of the `k * dilation` nearest every `dilation`-th is taken (Li et al., 2019);
    with probability `stochastic` a random `k` of them, drawn from torch's global state as dropout is: a recomputation,
    which restores that state and sees the same features bit for bit, draws the same graph.
    """
    points = F.normalize(x, dim=1).transpose(1, 2)
    # Of unit vectors, |a - b|^2 = 2 - 2 a.b, so the nearest have the largest product; ties go by torch.topk, which for
    # equal input answers equally.
    wide = torch.topk(points @ points.transpose(1, 2), k * dilation).indices
    if stochastic and torch.rand(()).item() < stochastic:
        return wide[:, :, torch.randperm(k * dilation, device="cpu")[:k].to(wide.device)]
    return wide[:, :, ::dilation]


def max_relative(x: Tensor, neighbours: Tensor, first: int = 0) -> Tensor:
    """Return `[batch, channels, some nodes]`: for each node and channel the largest `x_neighbour - x_node`.

    As Li et al. (2019). `x` is `[batch, channels, nodes]`, `neighbours` `[batch, some nodes, k]` of the nodes from
    `first` on. Holds `batch * channels * some nodes * k` values.
    """
    batch, channels, nodes = x.shape
    some = neighbours.size(1)
    own = x if some == nodes else x.narrow(2, first, some)  # the gradient of a part is written into a whole of zeros
    index = neighbours.reshape(batch, 1, -1).expand(batch, channels, -1)
    gathered = x.gather(2, index).view(batch, channels, some, -1)
    return (gathered - own.unsqueeze(3)).amax(3)
