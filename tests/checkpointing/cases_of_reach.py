"""Layers whose messages reach weights, integers, gradients and scores in ways that their code does not show."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from cases_of_users import Scored
from every_convolution import BLOCKS, EVERY, Group, called, each
from small_inputs import ATTRIBUTES, COUNT, EDGES, NODES, C, O, X
from small_layers import Sending, perceptron
from torch import Tensor, nn
from torch_geometric import nn as pyg
from torch_geometric.utils import scatter, softmax


class Calling(nn.Module):
    """A module that calls a function, or a module that is no part of it."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.held = [function]

    def forward(self, x: Tensor) -> Tensor:
        return self.held[0](x)


class ByAnotherModule(Sending):
    """The weight of one part is reached through another one."""

    def __init__(self) -> None:
        super().__init__()
        self.net = Calling(self.lin)

    def message(self, x_j: Tensor) -> Tensor:
        return self.net(x_j).tanh()


class ByActivation(Sending):
    """A weight is reached through the activation of one of PyG's modules."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.full((C,), 0.7))
        self.net = pyg.MLP([C, C, C], act=self.scaled, norm=None)

    def scaled(self, x: Tensor) -> Tensor:
        return x * self.scale

    def message(self, x_j: Tensor) -> Tensor:
        return self.net(x_j)


class BySuper(pyg.EdgeConv):
    """The weights are those of the message of its base."""

    def message(self, x_i: Tensor, x_j: Tensor) -> Tensor:
        return super().message(x_i, x_j).tanh()


class Typed(Sending):
    """A message that looks up whole numbers of its edges."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(256, C)

    def forward(self, x: Tensor, edge_index: Tensor, kinds: Tensor) -> Tensor:
        return self.propagate(edge_index, x=self.lin(x), kinds=kinds)

    def message(self, x_j: Tensor, kinds: Tensor) -> Tensor:
        return x_j * self.table(kinds.long() % 256)


class ByLargest(Typed):
    """A message that divides by the largest of these numbers, which small blocks do not always have."""

    def message(self, x_j: Tensor, kinds: Tensor) -> Tensor:
        return x_j * (kinds / (1 + kinds.max())).view(-1, 1)


class OneGradient(torch.autograd.Function):
    """Divides the gradient by its norm."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return gradient / gradient.norm()


class ByFunction(Sending):
    """The gradient of each message depends on all messages."""

    def message(self, x_j: Tensor) -> Tensor:
        return OneGradient.apply(x_j.tanh())


class ByHook(Sending):
    """The same by a hook on the messages."""

    def message(self, x_j: Tensor) -> Tensor:
        x_j = x_j.tanh()
        if x_j.requires_grad:
            x_j.register_hook(lambda gradient: gradient / gradient.norm())
        return x_j


class Listed(Scored):
    """The layer keeps its scores in a list, and doubles its weights at the end."""

    def scores(self, x: Tensor, edge_index: Tensor) -> Any:
        self.listed = [super().scores(x, edge_index)]
        return self.listed[0]


class Outside(Scored):
    """Drawn scores are used in messages and again outside of them, which must cancel."""

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        x = self.lin(x)
        alpha = self.scores(x, edge_index)
        out = self.propagate(edge_index, x=x, alpha=alpha)
        return out - scatter(x[edge_index[0]] * (alpha * 1), edge_index[1], dim_size=len(x))

    def edge_update(self, x_i: Tensor, x_j: Tensor, index: Tensor) -> Tensor:
        return F.dropout(softmax(self.score((x_i + x_j).tanh()), index), training=True)


class ManySignals(Sending):
    """Nodes and edges lie along the second dimension, counted from the front."""

    def __init__(self) -> None:
        super().__init__()
        self.node_dim = 1

    def forward(self, x: Tensor, edge_index: Tensor, given: Tensor) -> Tensor:
        return self.propagate(edge_index, x=self.lin(x), given=given)

    def message(self, x_j: Tensor, given: Tensor) -> Tensor:
        return (x_j * given).tanh()


class Unsized(Sending):
    """As in a tutorial of EGNN: several messages, aggregated without a number of nodes."""

    def message(self, x_i: Tensor, x_j: Tensor) -> tuple[Tensor, Tensor]:
        return (x_j - x_i).tanh(), x_j[:, :2]

    def aggregate(self, inputs: tuple[Tensor, Tensor], index: Tensor) -> tuple[Tensor, Tensor]:
        return scatter(inputs[0], index, reduce="sum"), scatter(inputs[1], index, reduce="mean")

    def update(self, aggregated: tuple[Tensor, Tensor]) -> Tensor:
        return torch.cat(aggregated, dim=1)


class Numbered(pyg.MessagePassing):
    """Messages of the features themselves read what the forward pass has set before each call of `propagate`."""

    def __init__(self) -> None:
        super().__init__(aggr="sum")
        self.scales, self.turn = nn.Parameter(torch.tensor([0.3, 0.5, 0.7])), 0
        self.register_buffer("steps", torch.zeros(()))

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        self.steps += 1
        outs = []
        for turn in range(3):
            self.turn = turn
            outs.append(self.propagate(edge_index, x=x))
        return torch.cat(outs, dim=1)

    def message(self, x_j: Tensor) -> Tensor:
        return (x_j * self.scales[self.turn]).tanh() * self.steps


class Clamped(Sending):
    """A forward pass that clamps its weight in place before it uses it, as embeddings with `max_norm` do."""

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        with torch.no_grad():
            self.lin.weight.clamp_(-0.1, 0.1)
        return super().forward(x, edge_index).tanh()


class HalfUsed(Unsized):
    """Nobody uses the second of its results, so that a weight has no gradient."""

    def __init__(self) -> None:
        super().__init__()
        self.second = nn.Linear(C, 2)

    def message(self, x_i: Tensor, x_j: Tensor) -> tuple[Tensor, Tensor]:
        return (x_j - x_i).tanh(), self.second(x_j)

    def aggregate(self, inputs: tuple[Tensor, Tensor], index: Tensor, dim_size: int) -> tuple[Tensor, Tensor]:
        return scatter(inputs[0], index, dim_size=dim_size), scatter(inputs[1], index, dim_size=dim_size)

    def update(self, aggregated: tuple[Tensor, Tensor]) -> Tensor:
        return aggregated[0]


class Rectified(Sending):
    """RReLU by a function, which saves memory that it never writes."""

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        return F.rrelu(self.propagate(edge_index, x=F.rrelu(self.lin(x), training=self.training)))


def summed_otherwise() -> nn.Module:
    """A layer whose aggregation has been replaced on its module."""
    layer = pyg.SAGEConv(C, O, aggr="sum")
    layer.aggr_module.forward = lambda x, index, *_, dim_size=None, **__: scatter(x, index, dim_size=dim_size).tanh()
    return layer


ALL = torch.arange(COUNT) % 256
LATE = torch.stack([torch.arange(4 * NODES) % NODES, torch.tensor([1, 2, 6, 11]).repeat_interleave(NODES)])
"""Edges into few nodes, of which the last one is one."""
ALSO = (*EVERY, "fused_edge_blocks")
MAY = (*BLOCKS, "layers+edge_blocks(8)", "fused_edge_blocks")
REACH: dict[str, Group] = {
    "a weight that a message reaches": Group(
        each({"module": ByAnotherModule, "activation": ByActivation, "super": lambda: BySuper(perceptron(2 * C))}),
        ALSO,
    ),
    "whole numbers of all sizes": Group(
        {
            "bytes": called(Typed, X, EDGES, torch.where(ALL < 2, ALL * 255, ALL).to(torch.uint8)),
            "unsigned": called(Typed, X, EDGES, ALL.to(torch.uint16)),
            "unsigned, of four bytes": called(Typed, X, EDGES, (ALL * 2**20).to(torch.uint32)),
            "signed bytes": called(Typed, X, EDGES, torch.where(ALL < 2, ALL * 255, ALL).sub(128).to(torch.int8)),
            "all": called(Typed, X, EDGES, torch.where(ALL < 2, ALL * (2**63 - 1), ALL - 2**63)),
        },
        ALSO,
    ),
    "the largest whole number": Group({"two": called(ByLargest, X, EDGES, ALL % 2)}, ALSO, MAY),
    "gradients that depend on each other": Group(each({"function": ByFunction}), ALSO, MAY),
    "gradients that a hook on messages changes": Group(each({"hook": ByHook}), ALSO),
    "scores that are kept in a list": Group(
        {"list": called(Listed, X, EDGES, loss_of=lambda layer: layer.listed[0].square().sum())},
        ALSO,
        ("layers", "selective", "layers+edge_blocks(8)"),
    ),
    "scores that are drawn once": Group(each({"outside": Outside}), ALSO, MAY),
    "signals along the first dimension": Group(
        {"three": called(ManySignals, torch.stack([X, X.cos(), 2 * X]), EDGES, ATTRIBUTES.t().unsqueeze(2))}, ALSO
    ),
    "an aggregation without sizes": Group(
        {"few": called(Unsized, X, LATE), "all": called(Unsized, X[:11], EDGES.clamp(max=10))}, ALSO, MAY
    ),
    "what a forward pass sets for its messages": Group(each({"numbers": Numbered}), ALSO),
    "weights that a forward pass writes": Group(each({"clamped": Clamped}), ALSO),
    "results that nobody uses": Group(each({"the second": HalfUsed}), ALSO),
    "memory that nobody writes": Group({"RReLU": called(Rectified, X, EDGES, draws=True)}, ALSO),
    "an aggregation that is replaced": Group(each({"sum": summed_otherwise}), ALSO),
}
