"""Layers that users may write in PyG and that blocks may not expect."""

from typing import Any

import torch
from every_convolution import EVERY, NAMED, Group, called
from small_inputs import EDGES, NODES, WEIGHT, C, O, X, drawn
from small_layers import Sending
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint
from torch_geometric import nn as pyg
from torch_geometric.utils import softmax


class Scored(Sending):
    """Scores of edges from `edge_updater`; subclasses choose their use."""

    def __init__(self) -> None:
        super().__init__(O)
        self.score = nn.Linear(O, 1)

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        x = self.lin(x)
        return self.propagate(edge_index, x=x, alpha=self.scores(x, edge_index))

    def scores(self, x: Tensor, edge_index: Tensor) -> Any:
        return self.edge_updater(edge_index, x=x)

    def edge_update(self, x_i: Tensor, x_j: Tensor) -> Tensor:
        return self.score((x_i + x_j).tanh())

    def message(self, x_j: Tensor, alpha: Tensor) -> Tensor:
        return x_j * alpha


class Stopped(Scored):
    """No gradient flows through the scores."""

    def scores(self, x: Tensor, edge_index: Tensor) -> Any:
        with torch.no_grad():
            return self.edge_updater(edge_index, x=x)


class Rounded(Scored):
    """The scores have fewer digits than the rest."""

    def scores(self, x: Tensor, edge_index: Tensor) -> Any:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return self.edge_updater(edge_index, x=x)


class Compared(Scored):
    """The scores are compared, counted and indexed."""

    def scores(self, x: Tensor, edge_index: Tensor) -> Any:
        alpha = self.edge_updater(edge_index, x=x)
        none = alpha == 0
        if bool((alpha != alpha).any()) or none is False or float(alpha.detach()[0] // 1) > 100:
            return alpha * 0
        return torch.where(none, alpha, alpha % 1)


class Asked(Scored):
    """The use of the scores depends on whether they are a tensor."""

    def scores(self, x: Tensor, edge_index: Tensor) -> Any:
        alpha = self.edge_updater(edge_index, x=x)
        return alpha.tanh() if isinstance(alpha, Tensor) and torch.is_tensor(alpha) else alpha * 3


class Inside(Scored):
    """The layer itself checkpoints its forward pass and its message."""

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        return checkpoint(super().forward, x, edge_index, use_reentrant=False)

    def message(self, x_j: Tensor, alpha: Tensor) -> Tensor:
        return checkpoint(torch.mul, x_j, alpha, use_reentrant=False)


class Spoilt(Scored):
    """`edge_update` writes into its rows, and the message reads rows of the same name."""

    def edge_update(self, x_i: Tensor, x_j: Tensor) -> Tensor:
        return self.score(x_j.mul_(2).add_(x_i))


class Moved(Scored):
    """The layer writes into the nodes' features between the scores and the messages."""

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        x = self.lin(x) * 1
        alpha = self.edge_updater(edge_index, x=x)
        x.add_(1)
        return self.propagate(edge_index, x=x, alpha=alpha)

    def edge_update(self, x_i: Tensor, x_j: Tensor) -> Tensor:
        return (x_i + x_j).sum(1, keepdim=True)


class Stashing(Scored):
    """The message gets a value with a gradient through an attribute."""

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        self.scale = self.lin(x).mean()
        return self.propagate(edge_index, x=self.lin(x), alpha=None)

    def message(self, x_j: Tensor) -> Tensor:
        return x_j * self.scale


class Remembering(Scored):
    """The message stores the scores in its layer, which returns them."""

    def forward(self, x: Tensor, edge_index: Tensor) -> tuple[Tensor, Tensor]:
        out = super().forward(x, edge_index)
        return out, self.latest

    def message(self, x_j: Tensor, alpha: Tensor) -> Tensor:
        self.latest = alpha
        return x_j * alpha


class InDictionary(Sending):
    """Values are passed in a dictionary and in a list inside it."""

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        x = self.lin(x)
        return self.propagate(edge_index, x=x, parts={"scale": x.mean(), "more": [x.sum(), 2.0]})

    def message(self, x_j: Tensor, parts: dict) -> Tensor:
        return (x_j * parts["scale"]).tanh() + parts["more"][0] * parts["more"][1]


class Defaulted(Sending):
    """A message that has an unused optional argument, changes its rows in place, and returns a view."""

    def message(self, x_j: Tensor, factor: float = 3.0) -> Tensor:
        return x_j.mul_(factor).sigmoid().view(-1, 2, C // 2).flatten(1)


class Shares(Sending):
    """Arguments that PyG provides, without types."""

    def message(self, x_j, index, ptr, dim_size):  # type: ignore[no-untyped-def]
        return x_j * softmax(x_j.sum(1, keepdim=True), index, ptr, dim_size)


class Twice(Scored):
    """Two calls of `propagate`, of which the second uses the result of the first; the first has weights."""

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        x = self.lin(x)
        once = self.propagate(edge_index, x=x, alpha=WEIGHT.unsqueeze(1))
        return once + self.propagate(edge_index.flip(0), x=once.tanh(), alpha=x.mean())


class Weightless(Scored):
    """A learned weight for each edge, and a table of nodes that is not an argument."""

    def __init__(self) -> None:
        super().__init__()
        self.of_edges = nn.Parameter(drawn(EDGES.shape[1], 1, seed=86))

    def scores(self, x: Tensor, edge_index: Tensor) -> Any:
        return self.of_edges


class Forced(Sending):
    """A layer that returns a force: the gradient of an energy that it computes itself."""

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        places = self.lin(x)
        energy = self.propagate(edge_index, x=places).square().sum()
        return torch.autograd.grad(energy, places, create_graph=True)[0]


COMPLEX = torch.complex(X, X.cos())
USERS: dict[str, Group] = {
    "a layer of a user": Group(
        {
            kind.__name__: called(kind, X, EDGES)
            for kind in (Scored, Compared, Asked, Inside, Defaulted, Shares, Twice, Weightless, Forced, InDictionary)
        },
        EVERY,
        ("selective",),
    ),
    "a layer of a user that blocks may refuse": Group(
        {
            **{kind.__name__: called(kind, X, EDGES) for kind in (Stopped, Rounded, Spoilt, Stashing, Remembering)},
            "Stashing, raw": called(Stashing, X, EDGES, raw=True),
        },
        EVERY,
        NAMED,
    ),
    "a message that stores its scores, on a graph of one destination": Group(
        {"Remembering": called(Remembering, X, EDGES[:, EDGES[1] == 0])}, (*EVERY, "fused_edge_blocks")
    ),
    "scores of nodes that are moved": Group({"Moved": called(Moved, X, EDGES)}, EVERY, EVERY),
    "features that are no real numbers": Group(
        {
            "complex": called(lambda: pyg.SimpleConv(), COMPLEX, EDGES),
            "whole": called(lambda: pyg.SimpleConv("sum"), torch.arange(NODES * C).view(NODES, C), EDGES),
            "weighted by complex numbers": called(
                lambda: pyg.SimpleConv(), COMPLEX, EDGES, torch.complex(WEIGHT, WEIGHT)
            ),
        },
        (*EVERY, "fused_edge_blocks"),
    ),
}
