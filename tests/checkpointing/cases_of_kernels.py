"""Layers that kernels compute only in part: several calls of `propagate`, sums in place, maps of edge features."""

from collections.abc import Callable

import torch
from cases_of_reach import ALSO, MAY
from every_convolution import Group, called, each
from small_inputs import (
    ATTRIBUTES,
    EDGES,
    EDGES_BY_TYPE,
    FEATURES_BY_TYPE,
    METADATA,
    PAIR_EDGES,
    SIZE,
    TYPE,
    TYPES,
    C,
    D,
    O,
    X,
)
from small_layers import Sending, perceptron
from torch import Tensor, nn
from torch_geometric import nn as pyg
from torch_geometric.utils import scatter


class ByRelation(pyg.MessagePassing):
    """A call of `propagate` for each type of edge, each with features of its own."""

    def __init__(self) -> None:
        super().__init__(aggr="max")
        self.maps = nn.ModuleList(nn.Linear(C, C) for _ in range(TYPES))

    def forward(self, x: Tensor, edge_index: Tensor, kinds: Tensor) -> Tensor:
        for kind, mapping in enumerate(self.maps):
            x = x + self.propagate(edge_index[:, kinds == kind], x=mapping(x).tanh()).tanh()
        return x.sigmoid()


class ByRelationInBlocks(ByRelation):
    """The same without a kernel."""

    def message(self, x_j: Tensor) -> Tensor:
        return x_j.exp()


class InTurn(ByRelation):
    """Kernels compute the first and the last call of `propagate`; the one between them has no edges."""

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        first, second, third = self.maps
        x = self.propagate(edge_index, x=first(x).tanh()).tanh()
        x = x + self.propagate(edge_index[:, :0], x=second(x).tanh()).tanh()
        return self.propagate(edge_index, x=third(x).tanh()).sigmoid()


class Later(pyg.MessagePassing):
    """Messages of the features themselves, and a large buffer that is written after them."""

    def __init__(self) -> None:
        super().__init__(aggr="sum")
        self.register_buffer("total", torch.zeros(2000))

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        out = self.propagate(edge_index, x=x)
        self.total += out.detach().mean()
        return out

    def message(self, x_j: Tensor) -> Tensor:
        return x_j.tanh()


class OneListed(Sending):
    """It aggregates to a list of one result."""

    def aggregate(self, inputs: Tensor, index: Tensor, dim_size: int) -> list[Tensor]:
        return [scatter(inputs, index, dim_size=dim_size)]

    def update(self, listed: list[Tensor]) -> Tensor:
        return listed[0]


class Residual(nn.Module):
    """Adds to the features of a layer in place, which PyG does not keep for the backward pass."""

    def __init__(self, build: Callable[[], nn.Module]) -> None:
        super().__init__()
        self.lin, self.layer = nn.Linear(C, C), build()

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        x = self.lin(x)
        for _ in range(2):
            x += self.layer(x, edge_index)
        return x


class Both(Sending):
    """Sends features as they are, and a map of them."""

    def forward(self, x: tuple[Tensor, Tensor], edge_index: Tensor) -> Tensor:
        return self.propagate(edge_index, x=x, mapped=self.lin(x[0]))

    def message(self, x_i: Tensor, x_j: Tensor, mapped_j: Tensor) -> Tensor:
        return (x_i * x_j * mapped_j).tanh()


class OneForBoth(nn.Module):
    """Gives a layer the same features for sources and for destinations."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = Both()

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        return self.layer((x, x), edge_index)


class Warming(nn.Linear):
    """A linear map that grows with each training step."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__(channels, out)
        self.register_buffer("steps", torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        self.steps += self.training
        return super().forward(x) * (1 + self.steps)


def warming() -> nn.Module:
    """A GINE whose map of edge features has a state."""
    layer = pyg.GINEConv(nn.Linear(C, O), edge_dim=D)
    layer.lin = Warming(D, C)
    return layer


UNREAD: dict[str, Callable[[], nn.Module]] = {
    "SimpleConv": pyg.SimpleConv,
    "LGConv": pyg.LGConv,
    "APPNP": lambda: pyg.APPNP(3, 0.1),
    "SSGConv": lambda: pyg.SSGConv(C, C, 0.1, K=2),
    "GIN": lambda: pyg.GINConv(perceptron(C, C)),
    "EdgeConv": lambda: pyg.EdgeConv(perceptron(2 * C, C)),
    "EdgeConv of one map": lambda: pyg.EdgeConv(nn.Linear(2 * C, C)),
}
"""Layers for whose gradients PyG does not need their features."""
FIRST = METADATA[1][0]
WITHOUT_FIRST = EDGES_BY_TYPE | {FIRST: EDGES_BY_TYPE[FIRST][:, :0]}
OTHERS = TYPE.clamp(min=1)

KERNELS: dict[str, Group] = {
    "a first call of propagate without edges": Group(
        {
            **{kind.__name__: called(kind, X, EDGES, OTHERS) for kind in (ByRelation, ByRelationInBlocks)},
            "HAN": called(lambda: pyg.HANConv(C, O, METADATA, heads=2), FEATURES_BY_TYPE, WITHOUT_FIRST),
        },
        ALSO,
    ),
    "a call of propagate without edges between two others": Group(each({"three": InTurn}), ALSO),
    "a large buffer that is written after propagate": Group(each({"total": Later}), ALSO),
    "a list of one result": Group(each({"list": OneListed}), ALSO, MAY),
    "features to which layers add in place": Group(
        each({n: lambda n=n: Residual(UNREAD[n]) for n in UNREAD}), ("edge_blocks(8)", "fused_edge_blocks", "auto")
    ),
    "the same features for both ends": Group(each({"both": OneForBoth}), ALSO),
    "more rows of features than nodes that send": Group(
        {
            name: called(build, (X, None), PAIR_EDGES, size=SIZE)
            for name, build in {
                "SAGE": lambda: pyg.SAGEConv(C, O, flow="target_to_source"),
                "GraphConv": lambda: pyg.GraphConv(C, O, flow="target_to_source"),
            }.items()
        },
        ALSO,
    ),
    "a map of edge features with a state": Group(
        {"GINE": called(warming, X, EDGES, ATTRIBUTES)},
        (*ALSO, "fused_edge_blocks(8)"),
        (*MAY, "fused_edge_blocks(8)"),
    ),
}
