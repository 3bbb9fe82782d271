"""Reference for the kernels: message passing written out edge by edge with PyG's own scatter and softmax."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch_geometric.utils import softmax
from torch_geometric.utils._scatter import scatter  # never uses torch_scatter, even if it is installed

SLOPE = 0.2
Sizes = tuple[int, int, int]
"""Numbers of sources, destinations and edges."""


def edges(num_sources: int, num_destinations: int, num_edges: int) -> Tensor:
    """Unsorted edges with duplicates; the last destination has none."""
    generator = torch.Generator().manual_seed(num_edges)
    highs = (max(num_sources, 1), max(num_destinations - 1, 1))
    return torch.stack([torch.randint(high, (num_edges,), generator=generator) for high in highs])


def attention_shapes(kind: str, sizes: Sizes, head: tuple[int, int], edged: bool) -> list[tuple[int, ...] | None]:
    """Shapes of keys, queries, values, attention and edge features."""
    sources, destinations, num_edges = sizes
    scored = head[:1] if kind == "gat" else head
    return [
        (sources, *scored),
        (destinations, *scored),
        None if kind == "gatv2" else (sources, *head),
        head if kind == "gatv2" else None,
        (num_edges, *scored) if edged else None,
    ]


def attention_inputs(
    kind: str, sizes: Sizes, head: tuple[int, int], edged: bool, dtype: torch.dtype
) -> list[Tensor | None]:
    shapes = attention_shapes(kind, sizes, head, edged)
    seeds = [torch.Generator().manual_seed(seed) for seed in range(1, 6)]
    drawn = [s and torch.randn(s, generator=g, dtype=dtype) for s, g in zip(shapes, seeds, strict=True)]
    if drawn[3] is not None:  # scores near one, as in trained layers: scores of hundreds leave few digits in float32
        drawn[3] *= head[1] ** -0.5
    return [None if part is None else part.requires_grad_() for part in drawn]


def attention(
    kind: str,
    edge_index: Tensor,
    num_destinations: int,
    keys: Tensor,
    queries: Tensor,
    values: Tensor | None,
    vector: Tensor | None,
    edge: Tensor | None,
    factors: Tensor | float = 1.0,
) -> Tensor:
    """Aggregates, with attention shares multiplied by dropout's `factors` `[num_edges, heads, 1]`."""
    j, i = edge_index
    messages = keys[j] if values is None else values[j]
    key = keys[j] if edge is None else keys[j] + edge
    if kind == "gatv2":
        scores = (F.leaky_relu(key + queries[i], SLOPE) * vector).sum(-1)
    elif kind == "gat":
        scores = F.leaky_relu(key + queries[i], SLOPE)
    else:
        scores = (queries[i] * key).sum(-1) / key.size(-1) ** 0.5
        messages = messages if edge is None else messages + edge
    shares = softmax(scores, i, num_nodes=num_destinations)
    return scatter(messages * shares.unsqueeze(-1) * factors, i, 0, num_destinations)


def along(message: str, num_edges: int, channels: int, **options: Any) -> tuple[Tensor | None, Tensor | None]:
    """Arguments of `message` along its edges: a weight, a vector, or neither."""
    weight = torch.randn(num_edges, **options) if message == "weight" else None
    return weight, torch.randn(num_edges, channels, **options) if message == "edge" else None


def assert_same(found: Tensor, wanted: Tensor) -> None:
    """Assert equality within 1e-5 of the largest number (1e-12 in float64)."""
    assert found.shape == wanted.shape and found.dtype == wanted.dtype
    if wanted.numel():
        tolerance = 1e-5 if wanted.dtype == torch.float32 else 1e-12
        assert (found - wanted).abs().max() <= tolerance * wanted.abs().max().clamp(min=1e-3)


def gradients(made: Tensor, inputs: list[Tensor | None], gradient: Tensor) -> list[Tensor]:
    """Autograd's gradients of the inputs that are not None."""
    return list(torch.autograd.grad(made, [part for part in inputs if part is not None], gradient))


def assert_passes(found: list[Tensor], wanted: Tensor, inputs: list[Tensor | None], gradient: Tensor) -> None:
    """Assert that an aggregate and its gradients equal autograd's."""
    for mine, autograds in zip(found, [wanted.detach(), *gradients(wanted, inputs, gradient)], strict=True):
        assert_same(mine, autograds)


def gradcheck(
    forward: Callable[..., tuple[Tensor, Any]],
    backward: Callable[..., Iterable[Tensor | None]],
    inputs: list[Tensor | None],
) -> bool:
    """Check `backward(gradient, what forward kept, *inputs)` against `forward(*inputs)` numerically."""

    def placed(tensors: Iterable[Tensor]) -> list[Tensor | None]:
        rest = iter(tensors)
        return [None if part is None else next(rest) for part in inputs]

    class Passes(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *tensors: Tensor) -> Tensor:
            out, ctx.kept = forward(*placed(tensors))
            ctx.save_for_backward(*tensors)
            return out

        @staticmethod
        def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, ...]:
            found = backward(gradient, ctx.kept, *placed(ctx.saved_tensors))
            return tuple(part for part in found if part is not None)

    return torch.autograd.gradcheck(Passes.apply, [part for part in inputs if part is not None])


def assert_bits_of_any_threads(passes: Callable[[], list[Tensor]]) -> None:
    """Assert that one, two and three threads give the same bits."""
    runs = []
    for threads in (1, 2, 3):
        torch.set_num_threads(threads)
        runs.append(passes())
    for one, two, three in zip(*runs, strict=True):
        assert torch.equal(one, two) and torch.equal(one, three)
