"""Compare the kernels with this machine's roofline: `python tests/scale/roofline.py`.

The roofline of a kernel is the longer of two times per edge and head: the time to read its bytes from a buffer as large
as the node map (which lies in the cache that serves the kernels), and the time for its operations at the speed of
multiply-adds from registers. Both speeds are measured here on one thread. Bytes and operations are for float32 with C
channels per head, both passes together:

| kernel | bytes | operations |
|---|---|---|
| gatv2 | row of x, twice; its gradient read and written: 16 C | scores 8 C, values 2 C, g . v 2 C, gradients 7 C |
| gat | the same: 16 C | values 2 C, g . v 2 C, gradient 2 C |
| transformer | rows of k and v, twice; both gradients: 32 C | scores 4 C, values 2 C, g . v 2 C, gradients 6 C |
| sum | row of x, row of g: 8 C | 4 C |
| max | row of x, twice; its gradient read and written: 16 C | comparisons 4 C, ties 2 C, gradient 2 C |

Attention also has two exponentials, 20 operations each. The few bytes of indices and scores are left out.
"""

import ctypes
import time
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from gnn_checkpointing.checkpointing.block_plan import kernel_edges
from gnn_checkpointing.checkpointing.kernels import attention, build, rows

NODES, DEGREE, HEADS, CHANNELS = 2000, 128, 4, 16

WORK = {
    "gatv2": (16 * CHANNELS, 19 * CHANNELS + 40),
    "gat": (16 * CHANNELS, 6 * CHANNELS + 40),
    "transformer": (32 * CHANNELS, 14 * CHANNELS + 40),
    "sum": (8 * CHANNELS, 4 * CHANNELS),
    "max": (16 * CHANNELS, 8 * CHANNELS),
}
"""Bytes and operations of both passes, per edge and head."""


def seconds(call: Callable[[], object], repeats: int = 15) -> float:
    """Least processor time of repeated calls; other work on this machine can only add to it."""
    call()
    least = float("inf")
    for _ in range(repeats):
        start = time.thread_time()
        call()
        least = min(least, time.thread_time() - start)
    return least


def peaks() -> tuple[float, float]:
    """Measure bytes per second, read from a buffer as large as the node map, and operations per second."""
    library, turns = build.load("peak", NUMBER="float"), 20_000
    buffer = torch.zeros(NODES * HEADS * CHANNELS)
    address, count = ctypes.c_void_p(buffer.data_ptr()), ctypes.c_int64(buffer.numel())
    reading = seconds(lambda: library.read(address, count, ctypes.c_int64(20)))
    adding = seconds(lambda: library.multiply_adds(ctypes.c_int64(turns), ctypes.c_float(0.5)))
    lanes = library.vector_bytes() // 4
    return 20 * buffer.numel() * 4 / reading, turns * 32 * lanes * 2 / adding


def both_passes() -> dict[str, Callable[[], object]]:
    """Calls of each kernel's two passes on a random graph."""
    torch.manual_seed(0)
    graph = kernel_edges(torch.randint(NODES, (2, NODES * DEGREE)), NODES)
    x, other, third, vector = (torch.randn(NODES, HEADS, CHANNELS) for _ in range(4))
    flat, number = x.view(NODES, -1), torch.randn(NODES, HEADS)

    def attend(kind: attention.Kind, *inputs: Tensor | None) -> None:
        attention.backward(kind, graph, *attention.forward(kind, graph, *inputs), *inputs)

    return {
        "gatv2": partial(attend, "gatv2", x, other, None, vector[0]),
        "gat": partial(attend, "gat", number, number, x),
        "transformer": partial(attend, "transformer", x, other, third),
        "sum": lambda: rows.backward(graph, rows.forward(graph, flat)),
        "max": lambda: rows.backward(graph, rows.forward(graph, flat, reduce="max"), flat, reduce="max"),
    }


def main() -> None:
    """Print the machine's two peaks, and each kernel's time beside its roofline."""
    torch.set_num_threads(1)
    bandwidth, speed = peaks()
    print(f"peaks: {bandwidth / 1e9:.0f} GB/s, {speed / 1e9:.0f} GFLOP/s")  # noqa: T201 - this is what it is run for
    for name, call in both_passes().items():
        size, operations = WORK[name]
        floor = max(size / bandwidth, operations / speed)
        taken = seconds(call) / (NODES * DEGREE * HEADS)
        print(f"{name}: {taken * 1e9:.2f} ns an edge and head, roofline {floor * 1e9:.2f} ns: {floor / taken:.0%}")  # noqa: T201


if __name__ == "__main__":
    main()
