"""The sentinel: one fixed small step, the same in every cell and round, that shows when the machine changes."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch

from gnn_checkpointing.measurement.device import finish


@dataclass(frozen=True)
class _Work:
    """A layer of attention over `edges` edges of `nodes` nodes with `channels` channels, so many times over."""

    nodes: int
    edges: int
    channels: int
    times: int


_WORK = {
    "cpu": _Work(4_000, 64_000, 32, times=1),
    # Large and often enough to be the device's time and not that of starting kernels: 0.5 GB are moved a time.
    "cuda": _Work(20_000, 500_000, 64, times=8),
}


class Sentinel:
    """What a step is made of: matrix product, gather, softmax over each node's edges, scatter; about two milliseconds.

    Its tensors are made once and its results written over the last ones: it allocates nothing, and so measures the
    machine and not the allocator.
    """

    def __init__(self, device: torch.device) -> None:
        generator = torch.Generator().manual_seed(20261124)
        self._device, self._work = device, _WORK[device.type]
        nodes, edges, channels = self._work.nodes, self._work.edges, self._work.channels
        self._features = torch.randn(nodes, channels, generator=generator).to(device)
        self._weights = (torch.randn(channels, channels, generator=generator) / channels).to(device)
        self._source, self._target = (torch.randint(nodes, (edges,), generator=generator).to(device) for _ in range(2))
        self._scores = torch.randn(edges, generator=generator).to(device)
        self._projected, self._sums = torch.empty_like(self._features), torch.empty_like(self._features)
        self._shares, self._divisors = torch.empty_like(self._scores), torch.empty_like(self._scores)
        self._messages = torch.empty(edges, channels, device=device)
        self._totals = torch.empty(nodes, device=device)
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
            torch.mm(self._features, self._weights, out=self._projected)
            torch.index_select(self._projected, 0, self._source, out=self._messages)
            torch.exp(self._scores, out=self._shares)
            self._totals.zero_().index_add_(0, self._target, self._shares)
            torch.index_select(self._totals, 0, self._target, out=self._divisors)
            self._shares.div_(self._divisors)
            self._messages.mul_(self._shares.unsqueeze(1))
            self._sums.zero_().index_add_(0, self._target, self._messages)
