"""On a CUDA device: the time by its events lies within the wall's, and a step that waits for the driver is known."""

from __future__ import annotations

import pytest
import torch

from gnn_checkpointing.measurement.sentinel import Sentinel
from gnn_checkpointing.measurement.step_time import timed
from measurement.test_peak_memory import three_layers


def test_events_lie_within_the_wall_time_and_forward_within_the_step(cuda: torch.device) -> None:
    layers, x = three_layers()
    layers, x = layers.to(cuda), x.to(cuda)

    def forward() -> torch.Tensor:
        return layers(x).sum()

    for _ in range(3):
        found = timed(forward, cuda)
        layers.zero_grad(set_to_none=True)
    assert found.device_seconds is not None
    assert 0 < found.forward_seconds < found.device_seconds <= found.wall_seconds
    assert found.device_allocations == 0
    torch.cuda.empty_cache()
    again = timed(forward, cuda)
    assert again.device_allocations is not None and again.device_allocations > 0


def test_the_sentinel_is_the_devices_time_and_not_that_of_starting_kernels(cuda: torch.device) -> None:
    """16 kernels take some 0.1 ms to start; the work itself is more than ten times that on any device."""
    sentinel = Sentinel(cuda)
    before = torch.cuda.memory_allocated(cuda)
    for _ in range(5):
        sentinel.time()
    assert torch.cuda.memory_allocated(cuda) == before
    assert min(sentinel.seconds) > 1e-3
    assert max(sentinel.seconds[2:]) == pytest.approx(min(sentinel.seconds[2:]), rel=1)
