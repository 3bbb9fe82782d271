"""Graphs that change, successive graphs, invalid graphs, and invalid calls."""

from collections.abc import Callable
from typing import Any

import torch
from situations import SITUATIONS, Situation, loss_of, situation, trained
from small_inputs import EDGES, NODES, C, X, different_edges, drawn
from small_layers import gradients
from torch import Tensor, nn
from torch.utils import _pytree as pytree


def changed_in_place(edges: Tensor) -> None:
    edges[0] = edges[0].roll(5)


def changed_through_numpy(edges: Tensor) -> None:
    edges.numpy()[1, :9] = 4


def after_a_change(change: Callable[[Tensor], Any]) -> Situation:
    def run(model: nn.Module) -> Any:
        edges = EDGES.clone()
        loss_of(model, edges=edges).backward()
        change(edges)
        assert not torch.equal(edges, EDGES)
        return trained(model, edges=edges)

    return run


SITUATIONS |= {
    "a graph changed in place": after_a_change(changed_in_place),
    "a graph changed through data": after_a_change(lambda edges: edges.data[1].copy_(edges[1].roll(7))),
    "a graph changed through numpy": after_a_change(changed_through_numpy),
    "a graph changed through a view": after_a_change(
        lambda edges: edges.detach().view(-1)[: EDGES.shape[1]].copy_(EDGES[0].flip(0))
    ),
}


@situation
def batches_of_changing_size(model: nn.Module) -> Any:
    """Small, larger, dense and many short-lived graphs: successive tensors of one shape may share an address."""
    model.eval()
    found = [trained(model, drawn(n, C, seed=n), different_edges(n, n, 3 * n, seed=n)) for n in (4, 30, 9, 9)]
    found += [trained(model, drawn(n, C, seed=n), EDGES) for n in (NODES, NODES + 5, NODES)]
    for seed in range(15):
        edges = EDGES[:, torch.randperm(EDGES.shape[1], generator=torch.Generator().manual_seed(seed))[:24]]
        found.append(trained(model, edges=torch.stack([edges[0], edges[1].roll(seed)])))
    return found


def outside(place: tuple[int, int], value: int) -> Situation:
    """A situation with an index outside the nodes, which raises."""

    def run(model: nn.Module) -> Any:
        edges = EDGES.clone()
        edges[place] = value
        try:
            model(X, edges)
        except (IndexError, RuntimeError, ValueError):
            return "raises"
        return "computes"

    return run


for _end, _row in (("source", 0), ("destination", 1)):
    SITUATIONS[f"a {_end} too large"] = outside((_row, 3), NODES + 2)
    SITUATIONS[f"a negative {_end}"] = outside((_row, 3), -1)


@situation
def infinite_features(model: nn.Module) -> Any:
    x = X.clone()
    x[2] = float("inf")
    model.eval()(x, EDGES).sum().backward()
    return gradients(model)


@situation
def inputs_stay_as_they_are(model: nn.Module) -> Any:
    x, edges = X.clone().requires_grad_(), EDGES.clone()
    loss_of(model, x, edges).backward()
    assert torch.equal(x, X)
    assert torch.equal(edges, EDGES)
    return x.grad


SITUATIONS |= {
    "too few channels": lambda model: model(X[:, :3], EDGES),
    "no edges given": lambda model: model(X),
    "an unknown argument": lambda model: model(X, EDGES, colour=1),
}


# The edges are an expanded view of two numbers, the features of one row.
SITUATIONS["a graph that is one edge many times"] = lambda model: trained(
    model.eval(), X[:1].expand(NODES, C), torch.tensor([[0], [1]]).expand(2, 30)
)


@situation
def features_that_are_a_slice_of_a_leaf(model: nn.Module) -> Any:
    leaf = drawn(2, NODES, 2 * C, seed=85).requires_grad_()
    loss_of(model, leaf[1, :, ::2]).backward()
    return leaf.grad, gradients(model)


@situation
def edges_that_are_a_buffer_and_a_subclass(model: nn.Module) -> Any:
    class Edges(Tensor):
        pass

    model.register_buffer("kept_edges", EDGES.clone())
    found = trained(model.eval(), edges=EDGES.as_subclass(Edges))
    return trained(model, edges=model.kept_edges), pytree.tree_map(lambda tensor: tensor.as_subclass(Tensor), found)


EDGES_OF = {
    "edges that are numbers with a point": EDGES.float(),
    "edges of two bytes": EDGES.short(),
    "edges in three rows": torch.cat([EDGES, EDGES[:1]]),
    "edges in a list": EDGES.tolist(),
}
SITUATIONS |= {what: lambda model, e=edges: trained(model.eval(), edges=e) for what, edges in EDGES_OF.items()}
