"""User layers with reads, writes or draws in messages that blocks must not split: exact under a policy, or refused."""

import sys
from collections.abc import Callable
from typing import Any, Optional

import pytest
import torch
from small_inputs import EDGES, NODES, X
from small_layers import Sending, built
from steps_compared import alike, seed_all
from torch import Tensor, nn
from torch_geometric.nn import MessagePassing
from torch_geometric.utils import add_self_loops, degree, softmax

from gnn_checkpointing.checkpointing import apply
from gnn_checkpointing.refusal import Refusal

POLICIES = ("edge_blocks(4)", "edge_blocks(1000)", "fused_edge_blocks", "layers", "selective", "layers+edge_blocks(4)")
ONE_SOURCE_EACH = torch.stack([torch.arange(2 * NODES) % NODES, torch.arange(2 * NODES) // 2])
"""Edges such that no two in a small block share a source."""
RING = torch.stack([torch.arange(NODES), (torch.arange(NODES) + 1) % NODES])
UNEVEN = torch.cat([RING, torch.tensor([[0, 1, 2, 3], [9, 9, 9, 10]])], dim=1)
"""Edges such that each node of the first blocks has one incoming edge."""
SCALE = 2.0
CALLS = 0


class ReadingAGlobal(Sending):
    """A message that calls PyG's softmax and reads a global number that changes between two steps."""

    def message(self, x_j: Tensor, index: Tensor, size_i: int) -> Tensor:
        return x_j * softmax(x_j.sum(1, keepdim=True), index, num_nodes=size_i) * SCALE


class WritingAGlobal(Sending):
    """A forward pass that calls one of PyG's graph functions and counts in a global."""

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        global CALLS
        CALLS += 1
        edge_index, _ = add_self_loops(edge_index, num_nodes=len(x))
        return super().forward(x, edge_index)


class CountingEdges(Sending):
    """A message that counts its edges in a global."""

    def message(self, x_j: Tensor) -> Tensor:
        global CALLS
        CALLS += len(x_j)
        return x_j.tanh()


class BySource(Sending):
    """A softmax over the edges of a source, of which a block sees only a few."""

    def message(self, x_j: Tensor, edge_index_j: Tensor, size_j: int) -> Tensor:
        return x_j * softmax(x_j.sum(1, keepdim=True), edge_index_j, num_nodes=size_j)


class ByDegree(Sending):
    """A message that reads an attribute of the layer at each destination."""

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        self.degree = degree(edge_index[1], len(x))
        return super().forward(x, edge_index)

    def message(self, x_j: Tensor, index: Tensor) -> Tensor:
        return x_j / self.degree[index].view(-1, 1)


class ByKept(ByDegree):
    """The same with the attribute in a dictionary."""

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        self.held = {"degree": degree(edge_index[1], len(x))}
        return super().forward(x, edge_index)

    def message(self, x_j: Tensor, index: Tensor) -> Tensor:
        return x_j / self.held["degree"][index].view(-1, 1)


class ByBuffer(Sending):
    """A message that reads a buffer at each destination; the first destinations have the same value."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("of_nodes", torch.arange(NODES) // 8 + 1.0)

    def message(self, x_j: Tensor, index: Tensor) -> Tensor:
        return x_j / self.of_nodes[index].view(-1, 1)


class ByKind(Sending):
    """A message that reads an integer argument at each destination; the first destinations have the same value."""

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        return self.propagate(edge_index, x=self.lin(x), kinds=torch.arange(NODES) // 8)

    def message(self, x_j: Tensor, index: Tensor, kinds: Tensor) -> Tensor:
        return x_j * (1 + kinds[index].view(-1, 1))


class TwoHops(Sending):
    """Two calls of `propagate` share drawn scores: both drop the same edges."""

    def forward(self, x: Tensor, edge_index: Tensor) -> tuple[Tensor, Tensor]:
        scores, ones = self.edge_updater(edge_index, x=x), 0 * self.lin(x) + 1
        first = self.propagate(edge_index, x=ones, scores=scores)
        return first, self.propagate(edge_index, x=ones, scores=scores) - first

    def edge_update(self, x_j: Tensor) -> Tensor:
        return nn.functional.dropout(0 * x_j[:, :1] + 1, 0.5, self.training)

    def message(self, x_j: Tensor, scores: Tensor) -> Tensor:
        return x_j * scores


class TwoHopsUndrawn(TwoHops):
    """Scores without random numbers."""

    def edge_update(self, x_j: Tensor) -> Tensor:
        return x_j[:, :1].tanh()


class Asking(Sending):
    """An update that requests PyG's arguments about edges, annotated as PyG annotates them."""

    def update(self, inputs: Tensor, index: Tensor, ptr: Optional[Tensor], dim_size: Optional[int]) -> Tensor:  # noqa: UP045
        return inputs * degree(index, dim_size).view(-1, 1) * (1 if ptr is None else 2)


class AskingForSizes(Sending):
    """An update that requests the sizes that PyG has found so far."""

    def update(self, inputs: Tensor, size: list) -> Tensor:
        return inputs * sum(one or 0 for one in size)


class Switched(Sending):
    """A message that depends on all edges if a flag is set."""

    centred = False

    def message(self, x_j: Tensor) -> Tensor:
        return x_j - x_j.mean(0) if self.centred else x_j.tanh()


def summed_of_centred(self: Any, inputs: Tensor, *args: Any, **named: Any) -> Tensor:
    return MessagePassing.aggregate(self, inputs - inputs.mean(0), *args, **named)


def another(name: str, method: Callable[..., Tensor]) -> Callable[[nn.Module], None]:
    """Put another method into a layer's class."""
    return lambda layer: setattr(type(layer), name, method)


def as_it_is(_: nn.Module) -> None:
    pass


def of_own_class() -> nn.Module:
    """A layer of a new class, which a test may change."""
    return type("Own", (Sending,), {"message": Sending.message})()


CASES: dict[str, tuple[Callable[[], nn.Module], Callable[[nn.Module], None], tuple[Tensor, ...]]] = {
    "a global that is read": (ReadingAGlobal, lambda _: globals().update(SCALE=5.0), (EDGES,)),
    "a global that is written": (WritingAGlobal, as_it_is, (EDGES,)),
    "a global that a message writes": (CountingEdges, as_it_is, (EDGES,)),
    "shares of a source": (BySource, as_it_is, (ONE_SOURCE_EACH,)),
    "degrees kept by the layer": (ByDegree, as_it_is, (RING, UNEVEN)),
    "degrees kept in a dictionary": (ByKept, as_it_is, (RING, UNEVEN)),
    "a buffer by destination": (ByBuffer, as_it_is, (EDGES,)),
    "kinds by destination": (ByKind, as_it_is, (EDGES,)),
    "drawn scores for two calls": (TwoHops, as_it_is, (EDGES,)),
    "scores for two calls": (TwoHopsUndrawn, as_it_is, (EDGES,)),
    "an update that asks": (Asking, as_it_is, (EDGES,)),
    "an update that asks for sizes": (AskingForSizes, as_it_is, (EDGES,)),
    "a flag": (Switched, lambda layer: setattr(layer, "centred", True), (EDGES,)),
    "another message of the class": (of_own_class, another("message", lambda self, x_j: x_j - x_j.mean(0)), (EDGES,)),
    "another forward pass of the class": (
        of_own_class,
        another("forward", lambda self, x, edge_index: self.propagate(edge_index, x=2 * self.lin(x)).tanh()),
        (EDGES,),
    ),
    "another aggregation of the class": (of_own_class, another("aggregate", summed_of_centred), (EDGES,)),
}


def two_steps(layer: nn.Module, change: Callable[[nn.Module], None], graphs: tuple[Tensor, ...]) -> Any:
    found = []
    for turn in range(2):
        seed_all(turn)
        if turn:
            change(layer)
        for edges in graphs:
            x = X.clone().requires_grad_()
            outs = layer(x, edges)
            outs = outs if isinstance(outs, tuple) else (outs,)
            sum(out.square().sum() for out in outs).backward()
            found.append((outs[-1], x.grad, [weight.grad.clone() for weight in layer.parameters()]))
    found.append(list(layer.buffers()))
    return found


@pytest.mark.parametrize("policy", [*POLICIES, "auto"])
@pytest.mark.parametrize("name", CASES)
def test_an_unusual_layer_is_exact_or_refused(name: str, policy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    build, change, graphs = CASES[name]
    steps = two_steps if name != "drawn scores for two calls" else difference_of_hops
    for threshold in ("WORTH_BYTES", "WORTH_DEGREE"):  # `auto` then treats every graph as large and dense
        monkeypatch.setattr(sys.modules["gnn_checkpointing.checkpointing.edge_blocks"], threshold, 0)
    results, counts = [], []
    for put in (lambda layer: layer, lambda layer: apply(layer, policy)):
        globals().update(SCALE=2.0, CALLS=0)
        layer = put(built(build))
        try:
            results.append(steps(layer, change, graphs))
        except Refusal:
            assert "edge_blocks" in policy
            return
        counts.append(CALLS)
    alike(results[1], results[0], 10.0)
    assert counts[0] == counts[1]


def difference_of_hops(layer: nn.Module, *_: Any) -> Tensor:
    return layer(X, EDGES)[1]
