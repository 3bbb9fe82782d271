"""Weighted sums and means on CUDA: the passes of `csrc/weighted.cpp`, a program for each node, written in Triton."""

from __future__ import annotations

import triton
import triton.language as tl
from torch import Tensor

from gnn_checkpointing.checkpointing.kernels.triton_parts import sizes


@triton.jit
def _sums(
    pointer, other, order, degrees, rows, own, weight, edge, out, grad_weight, grad_edge,
    C: tl.constexpr, BC: tl.constexpr, BE: tl.constexpr,
    MEAN: tl.constexpr, BACK: tl.constexpr, WEIGHTED: tl.constexpr, EDGED: tl.constexpr, OF_WEIGHT: tl.constexpr,
):  # fmt: skip
    """The sum over a node's edges of the rows at their other end; backward these are gradients, and `own` are x."""
    node = tl.program_id(0).to(tl.int64)
    c, lane = tl.arange(0, BC), tl.arange(0, BE)
    begin, end = tl.load(pointer + node).to(tl.int64), tl.load(pointer + node + 1).to(tl.int64)
    number: tl.constexpr = out.dtype.element_ty
    total = tl.zeros([BC], number)
    for first in range(begin, end, BE):
        at = first + lane
        inside = at < end
        shown = inside[:, None] & (c < C)[None, :]
        there = tl.load(other + at, mask=inside, other=0).to(tl.int64)
        given = tl.load(order + at, mask=inside, other=0).to(tl.int64)
        v = tl.load(rows + there[:, None] * C + c[None, :], mask=shown, other=0.0)
        if BACK and MEAN:
            ends = tl.load(degrees + there + 1, mask=inside, other=1)
            v = v / (ends - tl.load(degrees + there, mask=inside, other=0)).to(number)[:, None]
        if OF_WEIGHT:
            x = tl.load(own + node * C + c, mask=c < C, other=0.0)[None, :]
            tl.store(grad_weight + given, tl.sum(v * x, axis=1), mask=inside)
        if WEIGHTED:
            v = v * tl.load(weight + given, mask=inside, other=0.0)[:, None]
        if EDGED:
            e = tl.load(edge + given[:, None] * C + c[None, :], mask=shown, other=0.0)
            if BACK:
                x = tl.load(own + node * C + c, mask=c < C, other=0.0)[None, :]
                v = tl.where(shown & ~(x + e <= 0), v, 0.0)
                tl.store(grad_edge + given[:, None] * C + c[None, :], v, mask=shown)
            else:
                v = tl.where(v + e <= 0, 0.0, v + e)
        total += tl.sum(tl.where(shown, v, 0.0), axis=0)
    if MEAN and not BACK:
        total = total / tl.maximum(end - begin, 1).to(number)
    tl.store(out + node * C + c, total, mask=c < C)


def forward(
    pointer: Tensor,
    source: Tensor,
    order: Tensor,
    x: Tensor,
    weight: Tensor | None,
    edge: Tensor | None,
    out: Tensor,
    mean: bool,
) -> None:
    """Fill `out`, the aggregates."""
    if out.numel():
        tensors = (pointer, source, order, pointer, x, None, weight, edge, out, None, None)
        which = (mean, False, weight is not None, edge is not None, False)
        _sums[(out.size(0),)](*tensors, *sizes(x.size(1)), *which)


def backward(
    by_source: tuple[Tensor, Tensor, Tensor],
    pointer: Tensor,
    gradient: Tensor,
    x: Tensor | None,
    weight: Tensor | None,
    edge: Tensor | None,
    made: tuple[Tensor, Tensor, Tensor],
    mean: bool,
    of_weight: bool,
) -> None:
    """Fill `made`, the gradients of x, weights and edge vectors."""
    if made[0].numel():
        tensors = (*by_source, pointer, gradient, x, weight, edge, *made)
        which = (mean, True, weight is not None, edge is not None, of_weight)
        _sums[(made[0].size(0),)](*tensors, *sizes(gradient.size(1)), *which)
