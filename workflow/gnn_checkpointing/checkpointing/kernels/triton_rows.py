"""Reduce neighbours' rows on CUDA: the passes of `csrc/weighted.cpp` and `csrc/extremum.cpp`, in Triton.

Each program handles one node and iterates over its edges, a block at a time.
"""

from collections.abc import Sequence
from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

Tensors = Sequence[Any]
_SIGNS = {"max": 1, "min": -1}


def sizes(channels: int) -> tuple[int, int, int]:
    """Channels, the next power of two, and edges per block, so that most operands have 512 to 1,024 numbers.

    On an H200, with 100,000 nodes of degree 100 and 16 channels, one warp with 32 edges took 0.40 (forward) and 0.67
    (backward) of the time of four warps with 64 edges, and the least time for every family.
    """
    columns = triton.next_power_of_2(channels)
    return channels, columns, max(16, min(32, 1024 // columns))


def warps(channels: int) -> int:
    """Warps per program: one, unless the operands do not fit into one warp's registers."""
    _, columns, edges = sizes(channels)
    return max(1, min(8, columns * edges // 1024))


@triton.jit
def rows(start, node, h, c, H, C: tl.constexpr, inside):
    """Columns c of head h of the rows `node`: `[n, c]`, zeros beyond."""
    place = (node.to(tl.int64) * H + h)[:, None] * C + c[None, :]
    return tl.load(start + place, mask=inside[:, None] & (c < C)[None, :], other=0.0)


@triton.jit
def _sums(
    pointer, other, order, degrees, rows, own, weight, edge, out, grad_weight, grad_edge,
    C: tl.constexpr, BC: tl.constexpr, BE: tl.constexpr,
    MEAN: tl.constexpr, BACK: tl.constexpr, WEIGHTED: tl.constexpr, EDGED: tl.constexpr, OF_WEIGHT: tl.constexpr,
):  # fmt: skip
    """Sum the rows at the other end of a node's edges; in the backward pass, the rows are gradients and `own` is x."""
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


@triton.jit
def _extrema(
    pointer, source, x, gradient, extrema, part,
    C: tl.constexpr, BC: tl.constexpr, BE: tl.constexpr, SIGN: tl.constexpr, BACK: tl.constexpr,
):  # fmt: skip
    """Compute a node's extrema, and in the backward pass the part of the gradient that each sharer gets."""
    i = tl.program_id(0).to(tl.int64)
    c, lane = tl.arange(0, BC), tl.arange(0, BE)
    begin, end = tl.load(pointer + i).to(tl.int64), tl.load(pointer + i + 1).to(tl.int64)
    number: tl.constexpr = extrema.dtype.element_ty
    most = tl.full([BC], float("-inf"), number)
    spoilt = tl.zeros([BC], number)
    for first in range(begin, end, BE):
        at = first + lane
        shown = (at < end)[:, None] & (c < C)[None, :]
        j = tl.load(source + at, mask=at < end, other=0).to(tl.int64)
        v = tl.load(x + j[:, None] * C + c[None, :], mask=shown, other=0.0) * SIGN
        most = tl.maximum(most, tl.max(tl.where(shown & (v == v), v, float("-inf")), axis=0))
        spoilt += tl.sum(tl.where(v == v, 0.0, 1.0).to(number), axis=0)
    most = tl.where(spoilt > 0, float("nan"), most) * SIGN
    most = tl.where(end > begin, most, 0.0)
    tl.store(extrema + i * C + c, most, mask=c < C)
    if BACK:
        # Torch also counts the zero that the output contained before.
        sharers = tl.where(most == 0, 1.0, 0.0).to(number)
        for first in range(begin, end, BE):
            at = first + lane
            shown = (at < end)[:, None] & (c < C)[None, :]
            j = tl.load(source + at, mask=at < end, other=0).to(tl.int64)
            v = tl.load(x + j[:, None] * C + c[None, :], mask=shown, other=0.0)
            sharers += tl.sum(tl.where(shown & (v == most[None, :]), 1.0, 0.0).to(number), axis=0)
        g = tl.load(gradient + i * C + c, mask=c < C, other=0.0)
        tl.store(part + i * C + c, g / sharers, mask=c < C)


@triton.jit
def _of_sharers(
    pointer, destination, x, extrema, part, grad, C: tl.constexpr, BC: tl.constexpr, BE: tl.constexpr
):  # fmt: skip
    """Sum, over a source's edges, its parts of the gradients that it shares."""
    j = tl.program_id(0).to(tl.int64)
    c, lane = tl.arange(0, BC), tl.arange(0, BE)
    begin, end = tl.load(pointer + j).to(tl.int64), tl.load(pointer + j + 1).to(tl.int64)
    own = tl.load(x + j * C + c, mask=c < C, other=0.0)[None, :]
    total = tl.zeros([BC], grad.dtype.element_ty)
    for first in range(begin, end, BE):
        at = first + lane
        shown = (at < end)[:, None] & (c < C)[None, :]
        i = tl.load(destination + at, mask=at < end, other=0).to(tl.int64)
        most = tl.load(extrema + i[:, None] * C + c[None, :], mask=shown, other=0.0)
        share = tl.load(part + i[:, None] * C + c[None, :], mask=shown, other=0.0)
        total += tl.sum(tl.where(shown & (own == most), share, share * 0.0), axis=0)
    tl.store(grad + j * C + c, total, mask=c < C)


def forward(tables: Tensors, inputs: Tensors, out: Tensor, reduce: str) -> None:
    """Fill `out` with the aggregates of `inputs`: rows, and weights or edge vectors."""
    (source, pointer, order), (x, weight, edge), blocks = tables, inputs, sizes(out.size(1))
    if out.numel() == 0:
        return
    if reduce in _SIGNS:
        _extrema[(out.size(0),)](
            pointer, source, x, None, out, None, *blocks, _SIGNS[reduce], False, num_warps=warps(blocks[0])
        )
        return
    which = (reduce == "mean", False, weight is not None, edge is not None, False)
    _sums[(out.size(0),)](
        pointer,
        source,
        order,
        pointer,
        x,
        None,
        weight,
        edge,
        out,
        None,
        None,
        *blocks,
        *which,
        num_warps=warps(blocks[0]),
    )


def backward(tables: Tensors, by_source: Tensors, given: Tensors, made: Tensors, reduce: str, of_weight: bool) -> None:
    """Fill `made`, the gradients of x, weights and edge vectors; `given` are the gradient and these three."""
    (source, pointer, _), (gradient, x, weight, edge), grad = tables, given, made[0]
    blocks = sizes(gradient.size(1))
    if reduce in _SIGNS:
        extrema, part = torch.empty_like(gradient), torch.empty_like(gradient)
        if gradient.numel():
            _extrema[(len(gradient),)](
                pointer, source, x, gradient, extrema, part, *blocks, _SIGNS[reduce], True, num_warps=warps(blocks[0])
            )
        if grad.numel():
            _of_sharers[(len(grad),)](*by_source[:2], x, extrema, part, grad, *blocks, num_warps=warps(blocks[0]))
    elif grad.numel():
        which = (reduce == "mean", True, weight is not None, edge is not None, of_weight)
        _sums[(len(grad),)](
            *by_source, pointer, gradient, x, weight, edge, *made, *blocks, *which, num_warps=warps(blocks[0])
        )
