"""CUDA kernels give the results of the C++ kernels, masks included, on a GPU or in Triton's interpreter."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path

import pytest
import torch

from gnn_checkpointing.checkpointing.block_plan import kernel_edges
from gnn_checkpointing.checkpointing.kernels import attention, rows
from gnn_checkpointing.checkpointing.kernels.operators import beside_its_tensors

from . import plain

INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
DEVICE = torch.device("cpu" if INTERPRETED or not torch.cuda.is_available() else "cuda")
runs_triton = pytest.mark.skipif(
    not INTERPRETED and DEVICE.type == "cpu", reason="runs in a process of its own with TRITON_INTERPRET=1"
)
SIZES = (9, 7, 120)
LONG = (3, 2, 150)
"""More edges per node than fit into a block of 32."""


@pytest.mark.skipif(INTERPRETED, reason="this is that process")
@pytest.mark.skipif(DEVICE.type == "cuda", reason="what the interpreter would run, the GPU runs")
def test_the_interpreter_agrees():
    """Runs in its own process: Triton decides at import whether to interpret."""
    pytest.importorskip("triton", reason="triton is not installed here")
    call = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(Path(__file__))]
    done = subprocess.run(call, env={**os.environ, "TRITON_INTERPRET": "1"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:]


def tables_of(sizes):
    """Edges for the C++ kernels, and for Triton's: sorted by destination, and by source."""
    tables, there = (kernel_edges(plain.edges(*sizes).to(device), *sizes[:2]) for device in ("cpu", DEVICE))
    return tables, (there.source, there.pointer, there.order), there.by_source


def garbage(part):
    """Memory filled with garbage, so that anything a kernel does not overwrite shows."""
    return torch.empty(0, device=DEVICE) if part is None else torch.full_like(part, 1e30, device=DEVICE)


def on_device(*parts):
    return [None if part is None else part.to(DEVICE) for part in parts]


def assert_all(found, wanted, scale=1.0):
    for mine, other in zip(found, wanted, strict=True):
        if other is not None:
            torch.testing.assert_close(mine.cpu(), other, rtol=1e-4, atol=1e-5 * scale, equal_nan=True)


@runs_triton
@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("dropout", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("edged", [False, True])
@pytest.mark.parametrize("kind", ["gatv2", "gat", "transformer"])
def test_attention(kind, edged, dropout, large):
    """Large scores are whole numbers, which both kernels compute exactly; they leave the kept logarithm few digits."""
    from gnn_checkpointing.checkpointing.kernels import triton_attention

    for sizes in (SIZES,) if large else (SIZES, LONG):
        tables, flat, by_source = tables_of(sizes)
        # With four channels the Transformer's scale is 1 / 2, so that scores stay exact.
        head = (2, 4 if large else 5)
        inputs = plain.attention_inputs(kind, sizes, head, edged, torch.float32)
        inputs = [None if part is None else 1024 * part.detach().sign() if large else part.detach() for part in inputs]
        gradient, seed = torch.randn(sizes[1], *head), 2**40 + 5
        options = {"negative_slope": 0.25, "dropout": dropout, "seed": seed}
        out, kept = attention.forward(kind, tables, *inputs, **options)
        wanted = attention.backward(kind, tables, gradient, kept, *inputs, **options)
        made, found = tuple(map(garbage, (out, kept))), tuple(map(garbage, inputs))
        settings = (kind, *options.values())
        there = on_device(*inputs)
        triton_attention.forward(flat, settings, there, made)
        triton_attention.backward(flat, by_source, settings, there, on_device(gradient, kept), found)
        largest = max(part.abs().max().item() for part in wanted if part is not None) if large else 1
        assert_all((*made, *found), (out, kept, *wanted), largest)


@runs_triton
@pytest.mark.parametrize(
    ("message", "reduce"), [*product(("rows", "weight", "edge"), ("sum", "mean")), ("rows", "max"), ("rows", "min")]
)
def test_rows(message, reduce):
    """Extrema have rounded values, which tie, and one NaN."""
    from gnn_checkpointing.checkpointing.kernels import triton_rows

    for sizes in (SIZES, LONG):
        tables, flat, by_source = tables_of(sizes)
        x, gradient = torch.randn(sizes[0], 5), torch.randn(sizes[1], 5)
        if reduce in ("max", "min"):
            x = (1 if reduce == "max" else -1) * (2 * x).round().relu()
            x[2, 1] = float("nan")
        weight, edge = plain.along(message, sizes[2], 5)
        if edge is not None:  # a ReLU lets NaN pass, and its gradient is zero at zero
            edge[0, 0], edge[1] = float("nan"), -x[plain.edges(*sizes)[0, 1]]
        given, of_weight = (x, weight, edge), weight is not None
        wanted = rows.forward(tables, *given, reduce=reduce)
        out, made = garbage(wanted), tuple(map(garbage, given))
        triton_rows.forward(flat, on_device(*given), out, reduce)
        triton_rows.backward(flat, by_source, on_device(gradient, *given), made, reduce, of_weight)
        gradients = rows.backward(tables, gradient, *given, reduce=reduce, of_weight=of_weight)
        assert_all([out, *made], [wanted, *gradients])


@runs_triton
def test_columns_of_blocks():
    """Channels are padded to powers of two, blocks have 16 to 32 edges, and warps suffice for both."""
    from gnn_checkpointing.checkpointing.kernels import triton_rows

    assert [triton_rows.sizes(c) for c in (5, 64, 100, 1000)] == [
        (5, 8, 32), (64, 64, 16), (100, 128, 16), (1000, 1024, 16),
    ]  # fmt: skip
    assert [triton_rows.warps(c) for c in (5, 64, 100, 1000)] == [1, 1, 2, 8]


def test_the_gpu_of_the_tensors_is_the_present_one_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel runs on its tensors' GPU, whichever GPU was the current one."""
    present: list[torch.device] = []
    seen = []

    @contextmanager
    def device(where: torch.device) -> Iterator[None]:
        present.append(where)
        yield
        present.pop()

    monkeypatch.setattr(torch.cuda, "device", device)
    source = torch.empty(3)
    beside_its_tensors(lambda *given: seen.append((given, list(present))))("made", source, "rest")
    assert seen == [(("made", source, "rest"), [source.device])]
    assert present == []
