"""The largest or smallest neighbour on CUDA: the passes of `csrc/extremum.cpp`, a program for each node, in Triton."""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from gnn_checkpointing.checkpointing.kernels.triton_parts import sizes


@triton.jit
def _of_destinations(
    pointer, source, x, gradient, extrema, part,
    C: tl.constexpr, BC: tl.constexpr, BE: tl.constexpr, SIGN: tl.constexpr, BACK: tl.constexpr,
):  # fmt: skip
    """A node's extrema, and backward what each of its sharers gets."""
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
        # Torch counts the zero that the output held before.
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
def _of_sources(
    pointer, destination, x, extrema, part, grad, C: tl.constexpr, BC: tl.constexpr, BE: tl.constexpr
):  # fmt: skip
    """The sum over a source's edges of its parts, where it is a sharer."""
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


def forward(pointer: Tensor, source: Tensor, x: Tensor, out: Tensor, sign: int) -> None:
    """Fill `out`, the extrema."""
    if out.numel():
        _of_destinations[(out.size(0),)](pointer, source, x, None, out, None, *sizes(x.size(1)), sign, False)


def backward(
    tables: tuple[Tensor, Tensor],
    by_source: tuple[Tensor, Tensor],
    x: Tensor,
    gradient: Tensor,
    grad: Tensor,
    sign: int,
) -> None:
    """Fill `grad`, from the `gradient` of the extrema; `tables` and `by_source` are pointers and other ends."""
    extrema, part = torch.empty_like(gradient), torch.empty_like(gradient)
    blocks = sizes(x.size(1))
    if gradient.numel():
        _of_destinations[(gradient.size(0),)](*tables, x, gradient, extrema, part, *blocks, sign, True)
    if x.numel():
        _of_sources[(x.size(0),)](*by_source, x, extrema, part, grad, *blocks)
