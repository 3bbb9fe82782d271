"""On a CUDA device: peaks worked out on paper, to the byte, wider accounts, and times by events on the device."""

import pytest
import torch
from torch import nn

from gnn_checkpointing.measurement.device import accelerator, chosen_device, full_precision
from gnn_checkpointing.measurement.readings import DRIVER_BYTES
from gnn_checkpointing.measurement.rounds import Sentinel, timed
from measurement.test_peak_memory import MIB, measured, three_layers


def test_auto_takes_the_device_and_the_record_describes_it(cuda: torch.device) -> None:
    assert chosen_device("auto") == chosen_device("cuda") == cuda
    assert chosen_device("cpu") == torch.device("cpu")
    full_precision(cuda)
    found = accelerator(cuda)
    assert found is not None and found.memory_bytes == torch.cuda.get_device_properties(cuda).total_memory
    assert found.allocator.startswith("native") and not found.tf32
    assert accelerator(torch.device("cpu")) is None


def test_three_linear_layers(cuda: torch.device) -> None:
    """The bytes of `test_peak_memory`: a CUDA device keeps, and copies, what a processor does.

    Requested: saved z1 + z2 and the loss, 16 MiB + 4; at the peak W3's gradient (0.25 MiB), z2's gradient (8), the copy
    of y's expanded gradient (2) and the root gradient (4 bytes) more. Blocks: the two numbers of 4 bytes have 512 each.
    """
    layers, x = (one.to(cuda) for one in three_layers())
    found = measured(layers, lambda: layers(x).sum(), cuda)
    assert found.saved == 16 * MIB + 4
    assert found.peak == 16 * MIB + MIB // 4 + 8 * MIB + 2 * MIB + 8
    assert found.device is not None
    assert found.device.allocated % 512 == 0
    assert found.peak < found.device.allocated <= found.device.reserved <= found.device.driver
    assert abs(found.device.beside) <= DRIVER_BYTES


def test_elementwise_operators(cuda: torch.device) -> None:
    """exp(x), 1 MiB, is kept for both operators. Backward: its gradient beside cos(x) and their product, 3 MiB in all,
    then exp(x), its gradient and x's; with the loss and the root gradient, 4 bytes each.
    """
    x = nn.Parameter(torch.randn(2**18, device=cuda))
    model = nn.ParameterList([x])
    found = measured(model, lambda: x.exp().sin().sum(), cuda)
    assert found.saved == MIB + 4
    assert found.peak == 3 * MIB + 8


def test_the_count_does_not_depend_on_what_the_cache_holds(cuda: torch.device) -> None:
    layers, x = (one.to(cuda) for one in three_layers())
    counted = set()
    for cached in (0, 3, 30):
        torch.empty(cached * MIB + 1, dtype=torch.uint8, device=cuda)
        counted.add(measured(layers, lambda: layers(x).sum(), cuda))
    assert len(counted) == 1


def test_what_another_tensor_holds_is_not_this_steps(cuda: torch.device) -> None:
    layers, x = (one.to(cuda) for one in three_layers())
    alone = measured(layers, lambda: layers(x).sum(), cuda)
    beside = torch.empty(64 * MIB, dtype=torch.uint8, device=cuda)
    found = measured(layers, lambda: layers(x).sum(), cuda)
    assert found == alone
    assert found.device is not None and alone.device is not None
    assert found.device.reserved == pytest.approx(alone.device.reserved, abs=20 * MIB)  # a segment may be shared
    assert beside.numel() == 64 * MIB


def test_events_lie_within_the_wall_time_and_forward_within_the_step(cuda: torch.device) -> None:
    layers, x = (one.to(cuda) for one in three_layers())
    for _ in range(3):
        found = timed(lambda: layers(x).sum(), cuda)
        layers.zero_grad(set_to_none=True)
    assert found.device_seconds is not None
    assert 0 < found.forward_seconds < found.device_seconds <= found.wall_seconds
    assert found.device_allocations == 0
    torch.cuda.empty_cache()
    again = timed(lambda: layers(x).sum(), cuda)
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
