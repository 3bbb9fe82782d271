"""Message passing written out with PyG's own scatter and softmax, edge by edge: what the kernels must equal."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor
from torch_geometric.utils import softmax
from torch_geometric.utils._scatter import scatter  # the one without torch_scatter, whatever is installed

SLOPE = 0.2


def edges(num_sources: int, num_destinations: int, num_edges: int) -> Tensor:
    """Unsorted edges with duplicates; the last destination has none."""
    generator = torch.Generator().manual_seed(num_edges)
    return torch.stack(
        [torch.randint(high, (num_edges,), generator=generator) for high in (num_sources, max(num_destinations - 1, 1))]
    )


def attention_inputs(
    kind: str, sizes: tuple[int, int, int], head: tuple[int, int], edged: bool, dtype: torch.dtype
) -> list[Tensor | None]:
    """Keys, queries, values, attention and edge features for `sizes` sources, destinations and edges."""
    sources, destinations, num_edges = sizes
    scored = head[:1] if kind == "gat" else head
    return [
        _leaf(1, (sources, *scored), dtype),
        _leaf(2, (destinations, *scored), dtype),
        None if kind == "gatv2" else _leaf(3, (sources, *head), dtype),
        # Scores of about one, as trained layers have: those of hundreds have few digits in float32.
        _leaf(4, head, dtype, head[1] ** -0.5) if kind == "gatv2" else None,
        _leaf(5, (num_edges, *scored), dtype) if edged else None,
    ]


def _leaf(seed: int, shape: tuple[int, ...], dtype: torch.dtype, scale: float = 1.0) -> Tensor:
    drawn = torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)
    return (scale * drawn).requires_grad_()


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
    """The aggregates, shares multiplied by dropout's `factors` `[num_edges, heads, 1]`."""
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


def assert_same(found: Tensor, wanted: Tensor) -> None:
    """The same within 1e-5 of the largest number (1e-12 in float64)."""
    assert found.shape == wanted.shape and found.dtype == wanted.dtype
    if wanted.numel():
        tolerance = 1e-5 if wanted.dtype == torch.float32 else 1e-12
        assert (found - wanted).abs().max() <= tolerance * wanted.abs().max().clamp(min=1e-3)


def gradients(make: Callable[[], Tensor], inputs: list[Tensor | None], gradient: Tensor) -> list[Tensor]:
    """Autograd's gradients of those inputs that are there."""
    return list(torch.autograd.grad(make(), [part for part in inputs if part is not None], gradient))
