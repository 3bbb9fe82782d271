"""What the kernels for CUDA share: blocks of rows, sizes of blocks, scores of attention, dropout's masks."""

from __future__ import annotations

import triton
import triton.language as tl


def sizes(channels: int) -> tuple[int, int, int]:
    """Channels, the power of two that holds them, and edges of a block: some 4,096 numbers of each operand."""
    columns = triton.next_power_of_2(channels)
    return channels, columns, max(16, min(64, 4096 // columns))


@triton.jit
def rows(start, node, h, c, H, C: tl.constexpr, inside):
    """Columns c of head h of the rows `node`: `[n, c]`, zeros beyond."""
    place = (node.to(tl.int64) * H + h)[:, None] * C + c[None, :]
    return tl.load(start + place, mask=inside[:, None] & (c < C)[None, :], other=0.0)


@triton.jit
def factors(edge, h, below, scale, key, salt):
    """Dropout's factors: Philox 2x32-10, as in csrc/random.h."""
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
def score_of(k, q, e, vector, slope, scale, KIND: tl.constexpr, EDGED: tl.constexpr):
    """The scores `[n]`, and z (for the Transformer k + e), from which their gradients are read."""
    z = k + e if EDGED else k
    if KIND == 2:
        score = tl.sum(q * z, axis=1) * scale
    else:
        z = z + q
        leaky = tl.where(z > 0, z, z * slope)
        score = leaky if KIND == 1 else tl.sum(vector * leaky, axis=1)
    return score, z


@triton.jit
def scored(start, node, h, c, H, C: tl.constexpr, inside, KIND: tl.constexpr):
    """What scores read of nodes or edges: a number for each in GAT, else a row."""
    if KIND == 1:
        found = tl.load(start + node.to(tl.int64) * H + h, mask=inside, other=0.0)
    else:
        found = rows(start, node, h, c, H, C, inside)
    return found
