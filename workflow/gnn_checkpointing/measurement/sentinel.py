"""The sentinel: one fixed small workload, the same in every cell, that shows when the machine changes."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch

from gnn_checkpointing.measurement.device import finish


@dataclass(frozen=True)
class _Work:
    """A product of square matrices of `size`, and `gathered` of `rows` rows of `channels`, so many times over."""

    size: int
    rows: int
    channels: int
    gathered: int
    times: int


_WORK = {
    "cpu": _Work(512, 2_000, 64, 60_000, times=1),
    # Large and often enough to be the device's time and not that of starting kernels: 17 GFLOP and 54 MB a time.
    "cuda": _Work(2_048, 20_000, 64, 100_000, times=8),
}


class Sentinel:
    """A matrix product and a gather of rows, which between them are what a step is made of; some milliseconds.

    Its tensors are made once and its results written over the last ones: it allocates nothing, and so measures the
    machine and not the allocator.
    """

    def __init__(self, device: torch.device) -> None:
        generator = torch.Generator().manual_seed(20261124)
        self._device, self._work = device, _WORK[device.type]
        size, rows, channels, gathered = (
            self._work.size,
            self._work.rows,
            self._work.channels,
            self._work.gathered,
        )
        self._left, self._right = (torch.randn(size, size, generator=generator).to(device) for _ in range(2))
        self._product = torch.empty_like(self._left)
        self._table = torch.randn(rows, channels, generator=generator).to(device)
        self._index = torch.randint(rows, (gathered,), generator=generator).to(device)
        self._gathered = torch.empty(gathered, channels, device=device)
        self.seconds: list[float] = []
        self._run()

    def time(self) -> None:
        """Run once and append the wall time to `seconds`."""
        finish(self._device)
        start = time.perf_counter_ns()
        self._run()
        finish(self._device)
        self.seconds.append((time.perf_counter_ns() - start) / 1e9)

    def _run(self) -> None:
        for _ in range(self._work.times):
            torch.mm(self._left, self._right, out=self._product)
            torch.index_select(self._table, 0, self._index, out=self._gathered)
