"""Do three memory readings agree? The tolerances, each with its reason, and the verdict (torch-free).

Allocator events are exact for what PyTorch's allocator hands out. The process's high-water mark sees every page, whole
pages only, and besides tensors the C library's free lists and what operators take past PyTorch's allocator. Fake
tensors see whole tensors and nothing inside an operator. On CUDA the caching allocator's own count takes the place of
its events, there is no mark, and the driver is asked beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gnn_checkpointing.records.agreement import high_water_agrees
from gnn_checkpointing.records.policy import Memory, Readings

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
    num_layers: int,
    node_map_bytes: int,
    high_water: int | None,
    fake: int | None,
    notes: list[str],
    device: DeviceBytes | None = None,
) -> Readings:
    """The readings with their verdicts against the activation peak by allocator events.

    `num_edges` are those of the graph as the convolution reads it, `num_layers` those of the model; `node_map_bytes`
    the bytes of one map `[num_nodes, channels]`: the gradient of a gather makes one more of them under fake tensors,
    which PyTorch never changes in place. `device` has the accounts of CUDA.
    """

    peak, allowed = memory.activation_bytes, FAKE_TENSOR_SHARE * memory.activation_bytes + FAKE_TENSOR_BYTES
    found = Readings(
        high_water_bytes=high_water,
        high_water_agrees=None if high_water is None else high_water_agrees(high_water, peak, num_edges, num_layers),
        fake_tensor_bytes=fake,
        fake_tensor_agrees=None if fake is None else -allowed <= fake - peak <= allowed + node_map_bytes,
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
