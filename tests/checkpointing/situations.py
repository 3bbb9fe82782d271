"""Situations: functions of a model whose nested results must be the same under every policy as without one.

A situation that fails without a policy must fail in the same way under one. `situations_of_…` register them.
"""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from small_inputs import EDGES, C, X, different_edges, drawn
from small_layers import gradients
from torch import Tensor, nn

Situation = Callable[[nn.Module], Any]
SITUATIONS: dict[str, Situation] = {}
OTHER_X, OTHER_EDGES = drawn(20, C, seed=82), different_edges(20, 20, 50, seed=83)
"""A second graph, of another size, to detect traces or tables that keep the first graph."""


def situation(run: Situation) -> Situation:
    SITUATIONS[run.__name__.replace("_", " ")] = run
    return run


def loss_of(model: nn.Module, x: Tensor = X, edges: Tensor = EDGES) -> Tensor:
    return model(x, edges).square().sum()


def between(change: Situation, mode: bool = True) -> Situation:
    """A situation that changes a model between its forward pass (in training `mode` or not) and its backward pass."""

    def run(model: nn.Module) -> Any:
        loss, weights = loss_of(model.train(mode)), list(model.parameters())
        change(model)
        loss.backward()
        return [weight.grad for weight in weights], gradients(model), list(model.buffers())

    return run


def inside(*contexts: Callable[[], Any]) -> Situation:
    """A situation of one step inside these contexts."""

    def run(model: nn.Module) -> Any:
        with ExitStack() as stack:
            for context in contexts:
                stack.enter_context(context())
            return trained(model)

    return run


def trained(model: nn.Module, x: Tensor = X, edges: Tensor = EDGES) -> Any:
    """Output, gradients and buffers of one step."""
    model.zero_grad()
    x = x.clone().requires_grad_()
    out = model(x, edges)
    out.square().sum().backward()
    return out, x.grad, [g.clone() for g in gradients(model) if g is not None], [b.clone() for b in model.buffers()]
