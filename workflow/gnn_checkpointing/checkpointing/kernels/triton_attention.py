"""Attention on CUDA: the passes of `csrc/attention.h` in Triton, with one program for each node and head.

A destination's program iterates over its edges, a block at a time. The gradients of sources are computed by programs of
their own over the transposed table, so that no sum needs atomics and results are bitwise reproducible. Dropout masks
are the same as in the C++ kernels.
"""

from collections.abc import Sequence
from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

from gnn_checkpointing.checkpointing.kernels.triton_rows import Tensors, rows, sizes, warps

_KINDS = {"gatv2": 0, "gat": 1, "transformer": 2}


@triton.jit
def factors(edge, h, below, scale, key, salt):
    """Dropout factors by Philox 2x32-10, as in csrc/random.h."""
    wide = edge.to(tl.int64)
    nothing = (wide * 0).to(tl.uint32)
    a = (wide & 0xFFFFFFFF).to(tl.uint32)
    b = ((wide >> 32) & 0xFFFFFFFF).to(tl.uint32) * (nothing + 0x85EBCA6B)
    b = b ^ ((nothing + h.to(tl.uint32)) * (nothing + 0x9E3779B9)) ^ (nothing + salt.to(tl.uint32))
    k = nothing + key.to(tl.uint32)
    multiplier = nothing + 0xD256D193
    for _ in tl.static_range(10):
        high = tl.umulhi(a, multiplier)
        b, a = a * multiplier, high ^ k ^ b
        k += nothing + 0x9E3779B9
    return tl.where(a.to(tl.int64) < below, 0.0, scale)


@triton.jit
def scored(start, node, h, c, H, C: tl.constexpr, inside, KIND: tl.constexpr):
    """Load the values of nodes or edges that scores read: one number each for GAT, else a row."""
    if KIND == 1:
        found = tl.load(start + node.to(tl.int64) * H + h, mask=inside, other=0.0)
    else:
        found = rows(start, node, h, c, H, C, inside)
    return found


@triton.jit
def score_of(k, q, e, a, slope, scale, KIND: tl.constexpr, EDGED: tl.constexpr):
    """The scores `[n]`, and z, which their gradients need; for the Transformer z = k + e."""
    z = k + e if EDGED else k
    if KIND == 2:
        score = tl.sum(q * z, axis=1) * scale
    else:
        z = z + q
        leaky = tl.where(z > 0, z, z * slope)
        score = leaky if KIND == 1 else tl.sum(a * leaky, axis=1)
    return score, z


@triton.jit(do_not_specialize=("key", "salt"))
def _forward(
    source, pointer, order, keys, queries, values, vector, edge, out, kept,
    slope, scale, below, factor, key, salt, H,
    C: tl.constexpr, BC: tl.constexpr, BE: tl.constexpr, KIND: tl.constexpr, EDGED: tl.constexpr, DROPS: tl.constexpr,
):  # fmt: skip
    i, h = tl.program_id(0).to(tl.int64), tl.program_id(1).to(tl.int64)
    c, lane = tl.arange(0, BC), tl.arange(0, BE)
    begin, end = tl.load(pointer + i).to(tl.int64), tl.load(pointer + i + 1).to(tl.int64)
    one, always = i + tl.arange(0, 1), tl.arange(0, 1) == 0
    q = scored(queries, one, h, c, H, C, always, KIND)
    a = tl.load(vector + h * C + c, mask=c < C, other=0.0)[None, :] if KIND == 0 else 0.0
    number: tl.constexpr = out.dtype.element_ty
    most, denominator, total = tl.full([1], float("-inf"), number), tl.zeros([1], number), tl.zeros([BC], number)
    for first in range(begin, end, BE):
        at = first + lane
        inside = at < end
        j = tl.load(source + at, mask=inside, other=0)
        given = tl.load(order + at, mask=inside, other=0)
        k = scored(keys, j, h, c, H, C, inside, KIND)
        e = scored(edge, given, h, c, H, C, inside, KIND) if EDGED else 0.0
        score, _ = score_of(k, q, e, a, slope, scale, KIND, EDGED)
        score = tl.where(inside, score, float("-inf"))
        now = tl.maximum(most, tl.max(score, axis=0))
        shrink = tl.exp(most - now)
        p = tl.where(inside, tl.exp(score - now), 0.0)
        denominator = denominator * shrink + tl.sum(p, axis=0)
        if DROPS:
            p = p * factors(given, h, below, factor, key, salt)
        v = k if KIND == 0 else rows(values, j, h, c, H, C, inside)
        if KIND == 2 and EDGED:
            v += e
        total = total * shrink + tl.sum(p[:, None] * v, axis=0)
        most = now
    some = end > begin
    denominator = tl.where(some, denominator, 1.0)
    tl.store(out + (i * H + h) * C + c, tl.where(some, total / denominator, 0.0), mask=c < C)
    tl.store(kept + i * H + h + tl.arange(0, 1), tl.where(some, most + tl.log(denominator), 0.0))


@triton.jit(do_not_specialize=("key", "salt"))
def _of_destinations(
    source, pointer, order, keys, queries, values, vector, edge, gradient, kept,
    grad_queries, grad_vector, grad_edge, of_all, of_shares,
    slope, scale, below, factor, key, salt, H,
    C: tl.constexpr, BC: tl.constexpr, BE: tl.constexpr, KIND: tl.constexpr, EDGED: tl.constexpr, DROPS: tl.constexpr,
):  # fmt: skip
    i, h = tl.program_id(0).to(tl.int64), tl.program_id(1).to(tl.int64)
    c, lane = tl.arange(0, BC), tl.arange(0, BE)
    begin, end = tl.load(pointer + i).to(tl.int64), tl.load(pointer + i + 1).to(tl.int64)
    one, always = i + tl.arange(0, 1), tl.arange(0, 1) == 0
    q = scored(queries, one, h, c, H, C, always, KIND)
    a = tl.load(vector + h * C + c, mask=c < C, other=0.0)[None, :] if KIND == 0 else 0.0
    g = rows(gradient, one, h, c, H, C, always)
    logarithm = tl.load(kept + i * H + h)
    number: tl.constexpr = grad_queries.dtype.element_ty
    D, S = tl.zeros([1], number), tl.zeros([1], number)
    of_query, of_vector = tl.zeros([BC], number), tl.zeros([BC], number)
    # First sum p f d and p over all edges (D and S), then compute each edge's ds = p (f d - D). S is 1 except for the
    # digits lost in the logarithm of large scores; dividing by S corrects for them.
    for turn in tl.static_range(2):
        if turn == 1:
            D = tl.where(S > 0, D / S, D)
        for first in range(begin, end, BE):
            at = first + lane
            inside = at < end
            j = tl.load(source + at, mask=inside, other=0)
            given = tl.load(order + at, mask=inside, other=0)
            k = scored(keys, j, h, c, H, C, inside, KIND)
            e = scored(edge, given, h, c, H, C, inside, KIND) if EDGED else 0.0
            score, z = score_of(k, q, e, a, slope, scale, KIND, EDGED)
            p = tl.where(inside, tl.exp(score - logarithm), 0.0)
            v = k if KIND == 0 else rows(values, j, h, c, H, C, inside)
            if KIND == 2 and EDGED:
                v += e
            d = tl.sum(g * v, axis=1)
            f = factors(given, h, below, factor, key, salt) if DROPS else 1.0
            d = d * f
            if turn == 0:
                D += tl.sum(p * d, axis=0)
                S += tl.sum(p, axis=0)
            else:
                p = p / S
                ds = p * (d - D)
                edges = (given.to(tl.int64) * H + h)[:, None] * C + c[None, :]
                shown = inside[:, None] & (c < C)[None, :]
                if KIND == 1:
                    ds = tl.where(z > 0, ds, ds * slope)
                    of_query += tl.where(c == 0, tl.sum(ds, axis=0), 0.0)
                    if EDGED:
                        tl.store(grad_edge + given.to(tl.int64) * H + h, ds, mask=inside)
                elif KIND == 0:
                    m = ds[:, None] * tl.where(z > 0, 1.0, slope)
                    of_query += tl.sum(m * a, axis=0)
                    of_vector += tl.sum(m * z, axis=0)
                    if EDGED:
                        tl.store(grad_edge + edges, m * a, mask=shown)
                else:
                    of_query += tl.sum(ds[:, None] * z, axis=0) * scale
                    if EDGED:
                        tl.store(grad_edge + edges, ds[:, None] * q * scale + (p * f)[:, None] * g, mask=shown)
    if KIND == 1:
        tl.store(grad_queries + i * H + h + c, of_query, mask=c == 0)
    else:
        tl.store(grad_queries + (i * H + h) * C + c, of_query, mask=c < C)
    if KIND == 0:
        tl.store(grad_vector + (i * H + h) * C + c, of_vector, mask=c < C)
    tl.store(of_all + i * H + h + tl.arange(0, 1), D)
    tl.store(of_shares + i * H + h + tl.arange(0, 1), S)


@triton.jit(do_not_specialize=("key", "salt"))
def _of_sources(
    pointer, destination, order, keys, queries, values, vector, edge, gradient, kept,
    of_all, of_shares, grad_keys, grad_values,
    slope, scale, below, factor, key, salt, H,
    C: tl.constexpr, BC: tl.constexpr, BE: tl.constexpr, KIND: tl.constexpr, EDGED: tl.constexpr, DROPS: tl.constexpr,
):  # fmt: skip
    j, h = tl.program_id(0).to(tl.int64), tl.program_id(1).to(tl.int64)
    c, lane = tl.arange(0, BC), tl.arange(0, BE)
    begin, end = tl.load(pointer + j).to(tl.int64), tl.load(pointer + j + 1).to(tl.int64)
    one, always = j + tl.arange(0, 1), tl.arange(0, 1) == 0
    k = scored(keys, one, h, c, H, C, always, KIND)
    a = tl.load(vector + h * C + c, mask=c < C, other=0.0)[None, :] if KIND == 0 else 0.0
    own = rows(values, one, h, c, H, C, always)
    number: tl.constexpr = grad_values.dtype.element_ty
    of_key, of_value = tl.zeros([BC], number), tl.zeros([BC], number)
    for first in range(begin, end, BE):
        at = first + lane
        inside = at < end
        i = tl.load(destination + at, mask=inside, other=0).to(tl.int64)
        given = tl.load(order + at, mask=inside, other=0)
        q = scored(queries, i, h, c, H, C, inside, KIND)
        e = scored(edge, given, h, c, H, C, inside, KIND) if EDGED else 0.0
        score, z = score_of(k, q, e, a, slope, scale, KIND, EDGED)
        p = tl.where(inside, tl.exp(score - tl.load(kept + i * H + h, mask=inside, other=0.0)), 0.0)
        p = p / tl.load(of_shares + i * H + h, mask=inside, other=1.0)
        g = rows(gradient, i, h, c, H, C, inside)
        v = own + e if KIND == 2 and EDGED else own
        f = factors(given, h, below, factor, key, salt) if DROPS else 1.0
        ds = p * (f * tl.sum(g * v, axis=1) - tl.load(of_all + i * H + h, mask=inside, other=0.0))
        of_value += tl.sum((p * f)[:, None] * g, axis=0)
        if KIND == 0:
            of_value += tl.sum(ds[:, None] * tl.where(z > 0, 1.0, slope) * a, axis=0)
        elif KIND == 1:
            of_key += tl.where(c == 0, tl.sum(tl.where(z > 0, ds, ds * slope), axis=0), 0.0)
        else:
            of_key += tl.sum(ds[:, None] * q, axis=0) * scale
    if KIND == 1:
        tl.store(grad_keys + j * H + h + c, of_key, mask=c == 0)
    if KIND == 2:
        tl.store(grad_keys + (j * H + h) * C + c, of_key, mask=c < C)
    tl.store(grad_values + (j * H + h) * C + c, of_value, mask=c < C)


def _settings(settings: Sequence[Any], summed: Tensor, edge: Tensor | None) -> list[Any]:
    """The arguments after the tensors, the same for each kernel."""
    kind, slope, dropout, seed = settings
    heads, channels = summed.shape[1:]
    draws = int(dropout * 2**32), 1 / (1 - dropout) if dropout < 1 else 0.0, seed & 0xFFFFFFFF, seed >> 32 & 0xFFFFFFFF
    return [slope, channels**-0.5, *draws, heads, *sizes(channels), _KINDS[kind], edge is not None, dropout > 0]


def forward(tables: Tensors, settings: Sequence[Any], inputs: Tensors, made: Tensors) -> None:
    """Fill `made` with the aggregates and log denominators; `settings` are kind, slope, dropout and seed."""
    keys, queries, values, vector, edge = inputs
    summed = keys if values is None else values
    if made[0].numel():
        tail, wide = _settings(settings, summed, edge), warps(summed.size(2))
        _forward[made[1].shape](*tables, keys, queries, summed, vector, edge, *made, *tail, num_warps=wide)


def backward(
    tables: Tensors, by_source: Tensors, settings: Sequence[Any], inputs: Tensors, given: Tensors, made: Tensors
) -> None:
    """Fill `made` with the gradients of `inputs`, in this order, from the gradient and log denominators `given`."""
    keys, queries, values, vector, edge = inputs
    of_keys, of_queries, of_values, of_vector, of_edge = made
    summed, (gradient, kept) = keys if values is None else values, given
    tail, totals = _settings(settings, summed, edge), (torch.empty_like(kept), torch.empty_like(kept))
    by_node, wide = None if vector is None else torch.empty_like(gradient), warps(summed.size(2))
    read = (keys, queries, summed, vector, edge, gradient, kept)
    if gradient.numel():
        _of_destinations[kept.shape](*tables, *read, of_queries, by_node, of_edge, *totals, *tail, num_warps=wide)
    if summed.numel():
        of_summed = of_keys if values is None else of_values
        _of_sources[summed.shape[:2]](*by_source, *read, *totals, of_keys, of_summed, *tail, num_warps=wide)
    if by_node is not None:
        of_vector.copy_(by_node.sum(dim=0))
