"""Layers shared by tests of policies: a varied choice of PyG's, layers as users write them, and stacks."""

from collections.abc import Callable
from typing import Any
from unittest.mock import Mock

import torch
from small_inputs import EDGES, TYPES, C, O, X, drawn
from steps_compared import difference, seed_all, step, without_zeros
from torch import Tensor, nn
from torch_geometric import nn as pyg

IMPURE = Mock()
CALLS = Mock()
"""Counts calls of `Counted`'s message. Not in a list: blocks refuse a message that changes a global."""


def perceptron(channels: int = C, out: int = O, *between: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Linear(channels, out), *(between or (nn.ReLU(),)), nn.Linear(out, out))


LAYERS: dict[str, Callable[..., nn.Module]] = {
    "SAGE": lambda **options: pyg.SAGEConv(C, C, **options),
    "GCN": lambda **options: pyg.GCNConv(C, C, **options),
    "GAT": lambda **options: pyg.GATConv(C, C, **options),
    "GATv2": lambda **options: pyg.GATv2Conv(C, C // 2, heads=2, **options),
    "Transformer": lambda **options: pyg.TransformerConv(C, C, **options),
    "EdgeConv": lambda **options: pyg.EdgeConv(perceptron(2 * C, C, nn.SiLU()), **{"aggr": "mean"} | options),
    "GIN": lambda **options: pyg.GINConv(perceptron(C, C, nn.BatchNorm1d(C), nn.ReLU()), **options),
    "softmax": lambda **options: pyg.SAGEConv(C, C, **{"aggr": "softmax", "aggr_kwargs": {"learn": True}} | options),
}
"""Layers from C channels to C, so that they can be stacked."""


class Sending(pyg.MessagePassing):
    """Base of most user layers. Never built itself: PyG cannot explain subclasses of a class that was built."""

    def __init__(self, out: int = C, width: int = C, aggr: Any = "sum") -> None:
        super().__init__(aggr=aggr)
        self.lin = nn.Linear(width, out)

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        return self.propagate(edge_index, x=self.lin(x))

    def message(self, x_j: Tensor) -> Tensor:
        return x_j.tanh()


class Own(Sending):
    """A layer whose message is a given function of `x_j` and the mode."""

    def __init__(self, message: Callable[[Tensor, bool], Tensor], out: int = O) -> None:
        super().__init__(out)
        self.given = message

    def message(self, x_j: Tensor) -> Tensor:
        return self.given(x_j, self.training)


class Counted(Sending):
    """A layer that counts the calls of its message."""

    def message(self, x_j: Tensor) -> Tensor:
        CALLS()
        return x_j.tanh()


class Centered(Own):
    """A layer that blocks cannot split: its message subtracts the mean over all edges."""

    def __init__(self) -> None:
        super().__init__(lambda x_j, _: x_j - x_j.mean(dim=0), C)


class Aggregated(pyg.MessagePassing):
    """Messages are the features of the source, so that only the aggregation matters."""

    def __init__(self, aggregation: Any) -> None:
        super().__init__(aggr=aggregation)
        self.lin = nn.Linear(C, C)

    def forward(self, x: Any, edge_index: Tensor) -> Tensor:
        if isinstance(x, tuple):
            return self.propagate(edge_index, x=(self.lin(x[0]).exp(), x[1]), size=(len(x[0]), len(x[1])))
        return self.propagate(edge_index, x=self.lin(x).exp())


class Itself(Sending):
    """`aggr=None` with its own `aggregate`, which uses index and size."""

    def __init__(self) -> None:
        super().__init__(aggr=None)

    def message(self, x_j: Tensor) -> Tensor:
        return x_j

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        return self.propagate(edge_index, x=self.lin(x), scale=torch.arange(len(x)) + 1.0)

    def aggregate(self, inputs: Tensor, index: Tensor, dim_size: int) -> Tensor:
        return inputs.new_zeros(dim_size, C).index_add(0, index, inputs * (index + 1.0).unsqueeze(1))

    def update(self, inputs: Tensor, x: Tensor, scale: Tensor) -> Tensor:
        return inputs * scale.unsqueeze(1) + x


class Asking(pyg.MessagePassing):
    """A layer that requests all arguments that PyG offers, and passes values of neither nodes nor edges."""

    def __init__(self, table_rows: int = TYPES) -> None:
        super().__init__(aggr="sum")
        self.lin, self.table = nn.Linear(C, O), nn.Parameter(drawn(table_rows, O, seed=65))

    def forward(self, x: Tensor, edge_index: Tensor, edge_type: Tensor, weight: Tensor) -> Tensor:
        x, scale = self.lin(x), torch.tensor(3.0)
        return self.propagate(
            edge_index, x=x, table=self.table, edge_type=edge_type, weight=weight, scale=scale, name="tanh", twice=True
        )

    def message(
        self, x_i: Tensor, x_j: Tensor, table: Tensor, edge_type: Tensor, weight: Tensor, scale: Tensor, name: str
    ) -> Tensor:
        return getattr(torch, name)(x_i - x_j + table[edge_type]) * weight.unsqueeze(1) * scale

    def update(self, inputs: Tensor, x: Tensor, twice: bool) -> Tensor:
        return inputs * (2 if twice else 1) + x


class Counting(Sending):
    """A layer that counts its calls in a buffer, and keeps its last output and a list of its actions."""

    def __init__(self) -> None:
        super().__init__(O, aggr="mean")
        self.register_buffer("calls", torch.zeros(()))
        self.register_buffer("mean", torch.zeros(O))
        self.number, self.norms, self.last = 0, [], None

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        out = super().forward(x, edge_index)
        self.calls += 1
        self.mean.lerp_(out.detach().mean(dim=0), 0.1)
        self.number += 1
        self.norms.append(out.norm().item())
        self.last = out
        return out.sigmoid()


class CountingEdges(Counted):
    """Its message changes a buffer, which blocks would change once per block, and again in the backward pass."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("edges", torch.zeros(()))

    def message(self, x_j: Tensor) -> Tensor:
        self.edges += len(x_j)
        return x_j.tanh()


class Doubling(pyg.SAGEConv):
    """A layer with its own `propagate`, which blocks would bypass."""

    def propagate(self, edge_index: Tensor, size: tuple | None = None, **named: object) -> Tensor:
        return 2 * super().propagate(edge_index, size=size, **named)


class TwoLayers(nn.Module):
    """Two layers with a ReLU between them, as in PyG's first examples; `in_place` modifies their outputs."""

    def __init__(self, first: nn.Module, second: nn.Module, in_place: bool = False) -> None:
        super().__init__()
        self.first, self.second, self.in_place = first, second, in_place

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        if not self.in_place:
            return self.second(self.first(x, edge_index).relu(), edge_index)
        x = self.first(x, edge_index)
        x += 1
        return self.second(x.relu_(), edge_index).mul_(2)


class Block(nn.Module):
    """A layer and the modules that follow it."""

    def __init__(self, layer: nn.Module, dropout: float) -> None:
        super().__init__()
        self.layer, self.drop = layer, nn.Dropout(dropout) if dropout else nn.Identity()

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        return self.drop(self.layer(x, edge_index)).tanh()


class TwoBlocks(nn.Module):
    """Two blocks, each recomputed as a whole by `layers`."""

    def __init__(self, layer: Callable[[], nn.Module], dropout: float = 0.0) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Block(layer(), dropout) for _ in range(2))

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x, edge_index)
        return x


def calls_in_a_step(layer: nn.Module) -> int:
    """Calls of `message` in the second of two steps: 1 plain, more under a policy that recomputes."""
    step(layer, (X, EDGES))
    CALLS.reset_mock()
    step(layer, (X, EDGES))
    return CALLS.call_count


def gradients(model: nn.Module) -> list[Tensor | None]:
    return [weight.grad for weight in model.parameters()]


class Mixed(nn.Module):
    """Layers of several kinds: one depends on all edges, and one is no message passing layer."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm = pyg.GATv2Conv(C, C), pyg.EdgeConv(nn.Sequential(nn.Linear(2 * C, C), pyg.GraphNorm(C)))
        self.plain, self.last = nn.Linear(C, C), pyg.SAGEConv(C, O)

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        x = self.norm(self.first(x, edge_index).tanh(), edge_index)
        return self.last(self.plain(x).tanh(), edge_index)


class Impure(Sending):
    """A layer whose result changes with each run, by a global counter that policies do not know."""

    def message(self, x_j: Tensor) -> Tensor:
        IMPURE()
        return (x_j * IMPURE.call_count).tanh()


def built(kind: Callable[[], nn.Module] = Mixed) -> nn.Module:
    seed_all(0)
    IMPURE.reset_mock()
    return without_zeros(kind())


def assert_same(plain: nn.Module, model: nn.Module, *graphs: tuple) -> None:
    for args in graphs or ((X, EDGES),):
        IMPURE.reset_mock()
        expected = step(plain, args)
        IMPURE.reset_mock()
        assert difference(expected, step(model, args)) == ""
