"""A small graph and small stacks for tests of policies, and steps of a model under a policy."""

import gc
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from gnn_checkpointing.checkpointing import apply
from gnn_checkpointing.measurement.peak_memory import StepBytes, step_bytes
from gnn_checkpointing.measurement.probe import Sameness, StepResult, compared, step_result
from gnn_checkpointing.models.convolutions import Adjacency, adjacency_for
from gnn_checkpointing.models.stack import build_reversible_stack, build_stack
from gnn_checkpointing.study.architecture import Architecture
from gnn_checkpointing.study.convolutions import Convolution

CPU = torch.device("cpu")
NODES, DEGREE, CHANNELS = 60, 8, 8
FEATURES = torch.randn(NODES, CHANNELS, generator=torch.Generator().manual_seed(1))
CONVOLUTIONS = ["GCN", "SAGE", "SAGE-max", "GIN", "GAT", "GATv2", "EdgeConv"]
NODE_MAP = NODES * CHANNELS * 4
"""Bytes of one float32 value per node and channel."""


def simple_graph(nodes: int = NODES, degree: int = DEGREE) -> torch.Tensor:
    """Edges of a graph in which every node has `degree` different sources, sorted."""
    generator = torch.Generator().manual_seed(0)
    sources = [torch.randperm(nodes, generator=generator)[:degree].sort().values for _ in range(nodes)]
    return torch.stack([torch.cat(sources), torch.arange(nodes).repeat_interleave(degree)])


def adjacency(convolution: Convolution, aggregation: str = "gather_scatter") -> Adjacency:
    return adjacency_for(convolution, simple_graph(), NODES, aggregation)


def built(convolution: Convolution, policy: str, num_layers: int = 4, **options: object) -> nn.Module:
    """A stack with the policy applied; with reversible blocks if the policy is `reversible`."""
    build = build_reversible_stack if policy == "reversible" else build_stack
    return apply(build(convolution, architecture(num_layers, **options), CHANNELS, 3, seed=5), policy)


def twin(convolution: Convolution, num_layers: int = 4, **options: object) -> nn.Module:
    """The stack of reversible blocks without their memory saving."""
    return build_reversible_stack(convolution, architecture(num_layers, **options), CHANNELS, 3, seed=5)


def architecture(num_layers: int, **options: object) -> Architecture:
    values = {"convolutions": CONVOLUTIONS, "hidden_channels": CHANNELS, "heads": 2, **options}
    return Architecture(num_layers=num_layers, **values)


def loss_of(model: nn.Module, graph: Adjacency) -> torch.Tensor:
    return model(FEATURES, graph.edge_index, graph.edge_weight).square().mean()


def result_of(model: nn.Module, forward: Callable[[], torch.Tensor], steps: int = 1, seed: int = 11) -> StepResult:
    """Result of `steps` steps from a fixed random state; later steps see the buffers of earlier ones."""
    for _ in range(steps):
        model.zero_grad(set_to_none=True)
        torch.manual_seed(seed)
        loss = forward()
        loss.backward()
    return step_result(model, loss)


def stepped(model: nn.Module, graph: Adjacency, steps: int = 1) -> StepResult:
    return result_of(model, lambda: loss_of(model, graph), steps)


def assert_same(found: StepResult, expected: StepResult, tolerance: float = 1e-5) -> Sameness:
    same = compared(found, expected, tolerance)
    assert same.same_loss and same.same_gradients and same.same_buffers, same
    return same


def growth(
    policy: str, build: Callable[[], nn.Module], x: torch.Tensor, degrees: tuple[int, int], edged: bool = False
) -> float:
    """Factor by which a step's peak under the policy grows between two numbers of edges per node.

    A peak does not include bytes held before the step; the tables of the graph are made by an earlier step.
    """
    peaks = []
    for degree in degrees:
        generator = torch.Generator().manual_seed(0)
        sources = torch.randint(0, len(x), (len(x) * degree,), generator=generator)
        args = [x, torch.stack([sources, torch.arange(len(x)).repeat_interleave(degree)])]
        args += [torch.randn(len(x) * degree, x.size(1), generator=generator)] * edged
        torch.manual_seed(0)
        model = apply(build(), policy)
        peaks.append(bytes_of_second(model, lambda model=model, args=args: model(*args).sum()).peak)
    return peaks[1] / peaks[0]


CALLS: list[int] = []
"""Calls of each counted part. Not in a closure: there the count of a second run would be lost."""


def calls_of(model: nn.Module, graph: Adjacency, parts: list[nn.Module], method: str) -> list[int]:
    """Number of calls of this method of each part in the second of two steps."""
    CALLS[:] = [0] * len(parts)

    def counted(place: int, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **named: Any) -> Any:
            CALLS[place] += 1
            return function(*args, **named)

        return call

    for place, part in enumerate(parts):
        setattr(part, method, counted(place, getattr(part, method)))
    loss_of(model, graph).backward()
    first = list(CALLS)
    loss_of(model, graph).backward()
    return [both - once for both, once in zip(CALLS, first, strict=True)]


def bytes_of_second(model: nn.Module, forward: Callable[[], torch.Tensor], device: torch.device = CPU) -> StepBytes:
    """Bytes of the second of two steps: the first makes the tables of the graph."""
    forward().backward()
    model.zero_grad(set_to_none=True)
    gc.collect()  # otherwise garbage of an earlier test may be freed, and counted, during the step
    found = step_bytes(forward, device)
    model.zero_grad(set_to_none=True)
    return found


def bytes_of(model: nn.Module, graph: Adjacency) -> StepBytes:
    return bytes_of_second(model, lambda: loss_of(model, graph))
