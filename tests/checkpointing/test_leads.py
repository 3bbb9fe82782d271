"""What blocks or a second run could make silently different: copies, clocks, globals of helpers, precisions, kinds."""

import copy
import os
import random
import time
import types
from collections.abc import Callable

import pytest
import torch
from small_inputs import COUNT, EDGES, C, X
from small_layers import Sending, built
from steps_compared import difference, step
from torch import Tensor, nn
from torch_geometric import nn as pyg

from gnn_checkpointing.checkpointing import apply
from gnn_checkpointing.checkpointing.policies import policy_of
from gnn_checkpointing.refusal import Refusal

BLOCKS = ("edge_blocks(4)", "fused_edge_blocks", "layers+edge_blocks(4)")
POLICIES = ("layers", "selective", *BLOCKS)
NOTES: list[int] = []
CALLS = 0


def noted(x: Tensor) -> Tensor:
    NOTES.append(1)
    return x


def counted(x: Tensor) -> Tensor:
    global CALLS
    CALLS += 1
    return noted(x)


class Helped(Sending):
    """A message whose helper, outside of the class, writes into globals."""

    def message(self, x_j: Tensor) -> Tensor:
        return counted(x_j)


class HelpedOutside(Sending):
    """A forward pass whose helper writes into globals."""

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        return super().forward(counted(x), edge_index)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("kind", [Helped, HelpedOutside])
def test_globals_that_a_helper_writes_change_once_or_are_refused(kind: Callable[[], nn.Module], policy: str) -> None:
    global CALLS
    NOTES.clear()
    CALLS = 0
    layer = apply(built(kind), policy)
    if kind is Helped and "blocks" in policy:
        with pytest.raises(Refusal, match="globals of Helped"):
            step(layer, (X, EDGES))
    else:
        step(layer, (X, EDGES))
        assert (CALLS, NOTES) == (1, [1])


class Clock(Sending):
    """A forward pass that reads a clock."""

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        return super().forward(x + time.perf_counter_ns() % 1000, edge_index)


class Fresh(Sending):
    """A forward pass with a generator that is made anew and seeded by the system."""

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        generator = torch.Generator()
        generator.seed()
        return super().forward(x * torch.rand(x.shape, generator=generator), edge_index)


class OfSystem(Sending):
    """A message that draws from the system."""

    def message(self, x_j: Tensor) -> Tensor:
        return x_j * torch.full_like(x_j, os.urandom(1)[0] + random.SystemRandom().random())


class OfSystemAndSeed(Sending):
    """A message in which what the system draws is hidden behind dropout, both only in training."""

    def message(self, x_j: Tensor) -> Tensor:
        factor = torch.full_like(x_j, random.SystemRandom().random())
        return nn.functional.dropout(x_j, 0.5) * factor if self.training else x_j


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("kind", [Clock, Fresh, OfSystem, OfSystemAndSeed])
def test_what_no_seed_repeats_is_refused_in_the_first_step(kind: Callable[[], nn.Module], policy: str) -> None:
    layer = apply(built(kind), policy)
    of_message = "blocks" in policy and kind in (OfSystem, OfSystemAndSeed)
    error, reason = (Refusal, "two ways|set back") if of_message else (RuntimeError, "computes something else when")
    with pytest.raises(error, match=reason):
        step(layer, (X, EDGES))


@pytest.mark.parametrize("policy", ["auto", *POLICIES])
def test_a_shallow_copy_computes_with_its_own_attributes(policy: str) -> None:
    layer = apply(pyg.GATConv(C, 2, heads=2), policy)
    copied = copy.copy(layer)
    copied.negative_slope, copied.concat = -3.0, False
    assert copied.bias is layer.bias
    copied.register_parameter("bias", None)
    plain = copy.deepcopy(copied)
    assert policy_of(copied) == "none"
    assert policy_of(copy.deepcopy(layer)) == policy
    assert difference(step(plain, (X, EDGES)), step(copied, (X, EDGES))) == ""


class ByOption(Sending):
    """A message that depends on other messages for one kind of edge, or with one option."""

    def forward(self, x: Tensor, edge_index: Tensor, kind: Tensor, centred: bool) -> Tensor:
        return self.propagate(edge_index, x=self.lin(x), kind=kind, centred=centred)

    def message(self, x_j: Tensor, kind: Tensor, centred: bool) -> Tensor:
        return x_j - x_j.mean(0) if centred or bool((kind == 1).any()) else x_j


@pytest.mark.parametrize("policy", BLOCKS)
@pytest.mark.parametrize("later", [(torch.arange(COUNT) % 2, False), (torch.zeros(COUNT, dtype=torch.int64), True)])
def test_what_is_the_same_in_the_first_graph_is_tried_when_it_varies(later: tuple[Tensor, bool], policy: str) -> None:
    layer = apply(built(ByOption), policy)
    step(layer, (X, EDGES, torch.zeros(COUNT, dtype=torch.int64), False))
    with pytest.raises(Refusal, match="its messages depend on each other"):
        step(layer, (X, EDGES, *later))


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("precision", [torch.float64, torch.bfloat16, torch.float16])
def test_another_precision_between_steps_is_exact(precision: torch.dtype, policy: str) -> None:
    found = []
    for layer in (built(lambda: pyg.SAGEConv(C, C)), apply(built(lambda: pyg.SAGEConv(C, C)), policy)):
        step(layer, (X, EDGES))
        found.append(layer.to(precision)(X.to(precision), EDGES).detach())
    assert found[0].dtype == found[1].dtype == precision
    torch.testing.assert_close(*found)


SETTINGS = types.ModuleType("settings_of_a_user")


class Settled(Sending):
    """A layer that reads a setting from a user's module before and inside its messages."""

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        return super().forward(x * SETTINGS.scale, edge_index)

    def message(self, x_j: Tensor) -> Tensor:
        return (x_j * SETTINGS.scale).tanh()


@pytest.mark.parametrize("policy", POLICIES)
def test_settings_of_the_forward_pass_alone_hold_in_its_gradients(policy: str) -> None:
    found = []
    for layer in (built(Settled), apply(built(Settled), policy)):
        SETTINGS.scale = 2.0
        loss = layer(X, EDGES).square().sum()
        SETTINGS.scale = 1.0
        loss.backward()
        found.append(layer.lin.weight.grad)
    torch.testing.assert_close(*found)
