"""Do three memory readings agree? The tolerances, each with its reason, and the verdict (torch-free).

Allocator events are exact for what PyTorch's allocator hands out. The process's high-water mark sees every page, whole
pages only, and besides tensors the C library's free lists and what operators take past PyTorch's allocator. Fake
tensors see whole tensors and nothing inside an operator. On CUDA the caching allocator's own count takes the place of
its events, there is no mark, and the driver is asked beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gnn_checkpointing.records.policy import Memory, Readings

SORT_BYTES_PER_EDGE = 32
"""ATen sorts the indices of an index_add or scatter on CPU: keys, values and a copy of each, int64, taken from C++ past
PyTorch's allocator (`cpu_scatter_reduce_expanded_index`). Found by the high-water mark: 31.7 to 32.0 bytes an edge."""

HIGH_WATER_SHARE = 0.02
"""Pages, page tables of the C library's big blocks and what Python allocates meanwhile: at most 1 % where a peak was
over 100 MiB."""

HIGH_WATER_BYTES = 2 * 2**20
"""Blocks below the mapping threshold lie in a heap with holes, whose pages stay: up to 1.6 MiB, whatever the peak."""

FAKE_TENSOR_SHARE = 0.01
"""Workspace that an operator takes from PyTorch's allocator, which fake tensors do not see."""

FAKE_TENSOR_BYTES = 256 * 2**10
"""Random states that checkpointing keeps (5,056 bytes a layer on CPU) come without a dispatched operator."""


DRIVER_BYTES = 32 * 2**20
"""Over one step the driver's account of a CUDA device may grow by so much more, or less, than the caching allocator's
segments: kernels that are loaded when they first run, and the driver's own tables. More is someone else's."""


@dataclass(frozen=True)
class DeviceBytes:
    """The peak of one step by wider accounts than the requested bytes, above what lived before (`peak_memory.py`).

    `beside` is by how much the driver's account grew over the step beyond the caching allocator's.
    """

    allocated: int
    reserved: int
    driver: int
    beside: int


def agreement(
    memory: Memory,
    num_edges: int,
    node_map_bytes: int,
    high_water: int | None,
    fake: int | None,
    notes: list[str],
    device: DeviceBytes | None = None,
) -> Readings:
    """The readings with their verdicts against the activation peak by allocator events.

    `num_edges` are those of the graph as the convolution reads it; `node_map_bytes` the bytes of one map
    `[num_nodes, channels]`: the gradient of a gather makes one more of them under fake tensors, which PyTorch never
    changes in place. `device` has the accounts of CUDA.
    """

    def agrees(reading: int | None, share: float, slack: int, more: int) -> bool | None:
        if reading is None:
            return None
        allowed = share * memory.activation_bytes + slack
        return -allowed <= reading - memory.activation_bytes <= allowed + more

    found = Readings(
        high_water_bytes=high_water,
        high_water_agrees=agrees(high_water, HIGH_WATER_SHARE, HIGH_WATER_BYTES, SORT_BYTES_PER_EDGE * num_edges),
        fake_tensor_bytes=fake,
        fake_tensor_agrees=agrees(fake, FAKE_TENSOR_SHARE, FAKE_TENSOR_BYTES, node_map_bytes),
        notes=notes,
    )
    if device is None:
        return found
    accounts = {
        "allocated_bytes": memory.resident_bytes + device.allocated,
        "reserved_bytes": memory.resident_bytes + device.reserved,
        "driver_bytes": memory.resident_bytes + device.driver,
        "driver_agrees": abs(device.beside) <= DRIVER_BYTES,
    }
    return found.model_copy(update=accounts)


def disagreements(policy: str, activation_bytes: int, readings: Readings) -> Iterator[str]:
    """One sentence for each reading that does not agree."""
    for name, value, agrees in (
        ("high-water mark", readings.high_water_bytes, readings.high_water_agrees),
        ("fake tensors", readings.fake_tensor_bytes, readings.fake_tensor_agrees),
    ):
        if agrees is False:
            yield (
                f"memory readings of {policy} disagree: allocator events {activation_bytes} bytes, {name} {value} bytes"
            )
    if readings.driver_agrees is False:
        yield (
            f"over a step of {policy} the driver's account of the device changed by more than {DRIVER_BYTES:,} bytes "
            "beside the caching allocator's: something else takes memory of the device"
        )
