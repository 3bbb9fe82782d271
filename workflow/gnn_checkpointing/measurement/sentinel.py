"""The sentinel: one fixed small workload, the same in every cell, that shows when the machine changes."""

from __future__ import annotations

import time

import torch

from gnn_checkpointing.measurement.device import finish

_SIZE = 512
_ROWS, _CHANNELS, _GATHERED = 2_000, 64, 60_000


class Sentinel:
    """A matrix product and a gather of rows, which between them are what a step is made of; about 5 ms on one core.

    Its tensors are made once and its results written over the last ones: it allocates nothing, and so measures the
    machine and not the allocator.
    """

    def __init__(self, device: torch.device) -> None:
        generator = torch.Generator().manual_seed(20261124)
        self._device = device
        self._left, self._right = (torch.randn(_SIZE, _SIZE, generator=generator).to(device) for _ in range(2))
        self._product = torch.empty_like(self._left)
        self._table = torch.randn(_ROWS, _CHANNELS, generator=generator).to(device)
        self._index = torch.randint(_ROWS, (_GATHERED,), generator=generator).to(device)
        self._gathered = torch.empty(_GATHERED, _CHANNELS, device=device)
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
        torch.mm(self._left, self._right, out=self._product)
        torch.index_select(self._table, 0, self._index, out=self._gathered)
