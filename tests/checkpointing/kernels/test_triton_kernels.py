"""The kernels for CUDA give what the C++ kernels give, masks included: by triton's interpreter on small graphs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from gnn_checkpointing.checkpointing.block_plan import kernel_edges
from gnn_checkpointing.checkpointing.kernels import attention, rows

from . import plain

INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
interpreted = pytest.mark.skipif(not INTERPRETED, reason="runs in a process of its own with TRITON_INTERPRET=1")
SIZES = (9, 7, 120)


@pytest.mark.skipif(INTERPRETED, reason="this is that process")
def test_the_interpreter_agrees():
    """In a process of its own: triton asks once, when it is imported, whether to interpret."""
    pytest.importorskip("triton", reason="triton is not installed here")
    call = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(Path(__file__))]
    done = subprocess.run(call, env={**os.environ, "TRITON_INTERPRET": "1"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.fixture
def tables():
    return kernel_edges(plain.edges(*SIZES), *SIZES[:2])


def flat(tables):
    return tables.source, tables.pointer, tables.order


@interpreted
@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("dropout", [0.0, 0.4])
@pytest.mark.parametrize("edged", [False, True])
@pytest.mark.parametrize("kind", ["gatv2", "gat", "transformer"])
def test_attention(tables, kind, edged, dropout, large):
    """Large scores are whole numbers, which both compute exactly, and leave the kept logarithm few digits."""
    from gnn_checkpointing.checkpointing.kernels import triton_attention

    inputs = plain.attention_inputs(kind, SIZES, (2, 5), edged, torch.float32)
    inputs = [None if part is None else 1024 * part.detach().sign() if large else part.detach() for part in inputs]
    gradient, seed = torch.randn(7, 2, 5), 2**40 + 5
    options = {"negative_slope": 0.25, "dropout": dropout, "seed": seed}
    out, kept = attention.forward(kind, tables, *inputs, **options)
    wanted = attention.backward(kind, tables, gradient, kept, *inputs, **options)
    settings = (0.25, dropout, seed)
    made = (torch.empty_like(out), torch.empty_like(kept))
    triton_attention.forward(kind, flat(tables), inputs, made, settings)
    found = tuple(torch.empty(0) if part is None else torch.empty_like(part) for part in inputs)
    triton_attention.backward(kind, flat(tables), tables.by_source, (gradient, kept), inputs, found, settings)
    pairs = [pair for pair in zip(found, wanted, strict=True) if pair[1] is not None]
    largest = max(other.abs().max().item() for _, other in pairs) if large else 1
    for mine, other in [*zip(made, (out, kept), strict=True), *pairs]:
        torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-5 * largest)


@interpreted
@pytest.mark.parametrize("reduce", ["sum", "mean"])
@pytest.mark.parametrize("message", ["rows", "weight", "edge"])
def test_sums(tables, message, reduce):
    from gnn_checkpointing.checkpointing.kernels import triton_rows

    x, gradient = torch.randn(9, 5), torch.randn(7, 5)
    weight = torch.randn(120) if message == "weight" else None
    edge = torch.randn(120, 5) if message == "edge" else None
    out = torch.empty(7, 5)
    triton_rows.forward(flat(tables), (x, weight, edge), out, reduce)
    torch.testing.assert_close(out, rows.forward(tables, x, weight, edge, reduce=reduce))
    of_weight = weight is not None
    made = (torch.empty(9, 5), torch.empty(120), torch.empty(120, 5))
    given = (gradient, x, weight, edge)
    triton_rows.backward(flat(tables), tables.by_source, given, made, reduce, of_weight)
    wanted = rows.backward(tables, gradient, x, weight, edge, reduce=reduce, of_weight=of_weight)
    for mine, other in zip(made, wanted, strict=True):
        if other is not None:
            torch.testing.assert_close(mine, other)


@interpreted
@pytest.mark.parametrize("reduce", ["max", "min"])
def test_extrema(tables, reduce):
    """Rounded values, which tie, and one NaN."""
    from gnn_checkpointing.checkpointing.kernels import triton_rows

    sign = 1 if reduce == "max" else -1
    x, gradient = sign * (2 * torch.randn(9, 5)).round().relu(), torch.randn(7, 5)
    x[2, 1] = float("nan")
    out, grad = torch.empty(7, 5), torch.empty(9, 5)
    triton_rows.forward(flat(tables), (x, None, None), out, reduce)
    torch.testing.assert_close(out, rows.forward(tables, x, reduce=reduce), equal_nan=True)
    made = (grad, torch.empty(0), torch.empty(0))
    triton_rows.backward(flat(tables), tables.by_source, (gradient, x, None, None), made, reduce, False)
    torch.testing.assert_close(grad, rows.backward(tables, gradient, x, reduce=reduce).x, equal_nan=True)
