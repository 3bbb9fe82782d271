"""Three readings agree within the stated tolerances, and CUDA's wider accounts; one that does not is one sentence."""

from typing import Any

import pytest
import torch

from gnn_checkpointing.measurement.peak_memory import step_bytes
from gnn_checkpointing.measurement.readings import DRIVER_BYTES, DeviceBytes, agreement, disagreements
from gnn_checkpointing.records.policy import Memory, Readings

MIB = 2**20
PEAK = 100 * MIB
MOST = 36 * MIB + 4 * 80 * 1024
DEVICE = torch.device("cuda", 0)
ACCOUNTS = ("requested", "allocated", "reserved")


def memory(activation: int, resident: int = 0) -> Memory:
    return Memory(
        resident_bytes=resident,
        policy_resident_bytes=0,
        saved_activation_bytes=0,
        transient_bytes=activation,
        peak_memory_bytes=resident + activation,
    )


def read(high_water: int | None = None, fake: int | None = None) -> Readings:
    """A peak of 100 MiB of 4 layers on 2**20 edges, with node maps of 3 MiB."""
    return agreement(memory(PEAK), 2**20, 4, node_map_bytes=3 * MIB, high_water=high_water, fake=fake, notes=[])


@pytest.mark.parametrize(
    ("reading", "above", "agrees"),
    [
        # 2 % of 100 MiB and 2 MiB either way; above also 32 bytes an edge (a sort) and 80 KiB a layer.
        *(("high_water", above, True) for above in (0, 4 * MIB, MOST, -4 * MIB)),
        *(("high_water", above, False) for above in (MOST + 1, -4 * MIB - 1)),
        # 1 % of 100 MiB and 256 KiB either way; above also one node map: the gradient of a gather.
        *(("fake", above, True) for above in (0, MIB + MIB // 4, 4 * MIB + MIB // 4)),
        *(("fake", above, False) for above in (5 * MIB, -2 * MIB)),
    ],
)
def test_a_reading_may_be_higher_by_what_its_instrument_sees_besides(reading: str, above: int, agrees: bool) -> None:
    found = read(**{reading: PEAK + above})
    assert (found.high_water_agrees if reading == "high_water" else found.fake_tensor_agrees) is agrees


def test_no_reading_is_no_verdict() -> None:
    """On the CPU there are none of CUDA's accounts."""
    readings = read()
    assert set(readings.model_dump(exclude={"notes"}).values()) == {None}
    assert list(disagreements("layers", PEAK, readings)) == []


def test_a_disagreement_names_policy_instrument_and_both_values() -> None:
    (sentence,) = disagreements("layers", PEAK, read(high_water=PEAK, fake=7))
    assert sentence == f"memory readings of layers disagree: allocator events {PEAK} bytes, fake tensors 7 bytes"


class Allocator:
    """Current and highest bytes by account, and the device's memory in use; `told` is what was called."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, driver: int, **current: int) -> None:
        self.driver, self.current, self.highest, self.told = driver, current, dict(current), []
        for name in ("empty_cache", "reset_peak_memory_stats", "synchronize"):
            monkeypatch.setattr(torch.cuda, name, lambda *args, name=name: self.called(name))
        monkeypatch.setattr(torch.cuda, "memory_stats", lambda device: self.stats())
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (80 * 2**30 - self.driver, 80 * 2**30))

    def called(self, name: str) -> None:
        self.told.append(name)
        if name == "reset_peak_memory_stats":
            self.highest = dict(self.current)

    def change(self, requested: int, allocated: int, reserved: int = 0, driver: int = 0) -> None:
        for name, added in zip(ACCOUNTS, (requested, allocated, reserved), strict=True):
            self.current[name] += added
            self.highest[name] = max(self.highest[name], self.current[name])
        self.driver += driver

    def stats(self) -> dict[str, Any]:
        values = {f"{name}_bytes.all.current": self.current[name] for name in ACCOUNTS}
        return values | {f"{name}_bytes.all.peak": self.highest[name] for name in ACCOUNTS}


class Loss:
    """What forward returns; backward first makes a gradient of 700 bytes, then releases what was saved."""

    def __init__(self, allocator: Allocator) -> None:
        self.allocator = allocator

    def backward(self) -> None:
        self.allocator.change(700, 1024)
        self.allocator.change(-1000, -1024)


def test_each_account_is_above_what_lived_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before: 5,000 bytes of tensors in blocks of 5,120 in a segment of 2 MiB; the driver has given out 600 MiB.

    Forward leaves 1,000 bytes (1,024 in blocks) after a workspace of 500 (512), in a new segment of 2 MiB. Requested:
    saved 1,000; the peak is then 1,000 + 700. Allocated 1,024 + 1,024. Reserved: 4 MiB, of which 5,120 bytes lived
    before. Driver: 602 MiB, likewise, and nothing beside the segments.
    """
    allocator = Allocator(monkeypatch, driver=600 * MIB, requested=5000, allocated=5120, reserved=2 * MIB)
    allocator.highest["requested"] = 10**9  # of an earlier step, which must be forgotten

    def forward() -> Any:
        allocator.change(1000, 1024, 2 * MIB, 2 * MIB)
        allocator.change(500, 512)
        allocator.change(-500, -512)
        return Loss(allocator)

    found = step_bytes(forward, DEVICE)
    assert (found.saved, found.peak) == (1000, 1700)
    assert found.device == DeviceBytes(allocated=2048, reserved=4 * MIB - 5120, driver=602 * MIB - 5120, beside=0)
    # Free segments go back before the highest marks are reset, and the device is waited for before each account.
    assert allocator.told[:3] == ["synchronize", "empty_cache", "reset_peak_memory_stats"]
    assert allocator.told.count("synchronize") == 3


@pytest.mark.parametrize(("beside", "agrees"), [(0, True), (DRIVER_BYTES, True), (DRIVER_BYTES + 1, False)])
@pytest.mark.parametrize("sign", [1, -1])
def test_the_drivers_account_must_grow_as_the_segments_do(beside: int, agrees: bool, sign: int) -> None:
    wider = DeviceBytes(allocated=2048, reserved=4096, driver=8192, beside=sign * beside)
    found = agreement(memory(1700, resident=100), 1, 1, 1, None, None, [], device=wider)
    assert (found.allocated_bytes, found.reserved_bytes, found.driver_bytes) == (2148, 4196, 8292)
    assert found.driver_agrees is agrees
    sentences = list(disagreements("layers", 1700, found))
    assert len(sentences) == (not agrees)
    assert agrees or "over a step of layers the driver's account" in sentences[0]
