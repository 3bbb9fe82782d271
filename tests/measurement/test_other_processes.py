"""Another process on the GPU is refused before measuring and told afterwards, in a container, too."""

from __future__ import annotations

import os
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
import torch

from gnn_checkpointing.measurement import other_processes
from gnn_checkpointing.measurement.gpu import GpuProcess
from gnn_checkpointing.measurement.other_processes import CONTEXT_BYTES, GROWTH_BYTES, Neighbours, alone_on
from gnn_checkpointing.refusal import Refusal

GIB = 2**30
DEVICE = torch.device("cuda", 0)
OWN = GpuProcess("GPU-1234", os.getpid(), "python", GIB // 2)
OTHER = GpuProcess("GPU-1234", 1, "their job", 2 * GIB)
ELSEWHERE = GpuProcess("GPU-5678", 2, "their job", 2 * GIB)


class Memory:
    """A device of 80 GiB as the driver and the caching allocator tell it."""

    used, reserved = GIB // 2, 0


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Memory]]:
    total = 80 * GIB
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (total - Memory.used, total))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: Memory.reserved)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "Big GPU")
    properties = SimpleNamespace(uuid="1234", total_memory=total)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: properties)
    monkeypatch.setattr(other_processes, "_PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr(other_processes, "_LOOK_SECONDS", 0.01)
    yield Memory
    Memory.used, Memory.reserved = GIB // 2, 0


class Listed:
    """Answers in turn; the last one for good."""

    def __init__(self, *answers: list[GpuProcess]) -> None:
        self.answers = list(answers)

    def __call__(self) -> list[GpuProcess]:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.mark.usefixtures("memory")
def test_alone_on_the_device_nothing_is_said() -> None:
    found = alone_on(DEVICE, Listed([ELSEWHERE], [OWN, ELSEWHERE]))
    assert found.own == {os.getpid()}
    assert found.found() == []


@pytest.mark.usefixtures("memory")
def test_a_process_that_holds_memory_is_refused_in_one_sentence() -> None:
    with pytest.raises(Refusal) as refused:
        alone_on(DEVICE, Listed([OTHER], [OWN, OTHER]))
    assert str(refused.value) == (
        "the GPU Big GPU is in use by process 1 (their job), 2,147,483,648 bytes: it would be measured along with the "
        "study; end it, wait for it, or name an idle GPU in CUDA_VISIBLE_DEVICES"
    )


@pytest.mark.usefixtures("memory")
def test_a_process_that_has_just_ended_is_waited_for() -> None:
    listed = Listed([OTHER], [OTHER, OWN], [OTHER, OWN], [OTHER, OWN], [OWN])
    assert alone_on(DEVICE, listed).found() == []


@pytest.mark.usefixtures("memory")
def test_a_process_that_came_later_is_told() -> None:
    found = alone_on(DEVICE, Listed([], [OWN], [OWN], [OWN, OTHER, ELSEWHERE]))
    assert found.found() == ["process 1 (their job), 2,147,483,648 bytes"]


@pytest.mark.usefixtures("memory")
def test_numbers_of_the_host_are_told_apart_by_when_they_came() -> None:
    """In a container this process is listed by another number than it knows of itself."""
    own = GpuProcess("GPU-1234", 99_001, "python", GIB // 2)
    found = alone_on(DEVICE, Listed([], [own]))
    assert found.own == {99_001} and found.found() == []
    with pytest.raises(Refusal, match="in use by process 1 "):
        alone_on(DEVICE, Listed([OTHER], [OTHER, own]))


def test_where_no_process_is_listed_the_drivers_account_decides(memory: type[Memory]) -> None:
    """Half a GiB is a context of this process's own; 1 GiB and 1 % of the device, 1.8 GiB, are more than that."""
    assert alone_on(DEVICE, Listed([])).found() == []
    memory.used = CONTEXT_BYTES + 81 * GIB // 100
    with pytest.raises(Refusal, match=r"1,943,\d{3},\d{3} bytes in use before anything .* cannot be seen from here"):
        alone_on(DEVICE, Listed([]))


def test_where_no_process_is_listed_what_was_added_later_is_told(memory: type[Memory]) -> None:
    """What the caching allocator reserves is this process's own, and some growth is kernels that were loaded."""
    found = alone_on(DEVICE, Listed([]))
    memory.used, memory.reserved = memory.used + 30 * GIB, 30 * GIB
    assert found.found() == []
    memory.used += GROWTH_BYTES
    assert found.found() == []
    memory.used += 1
    assert found.found() == [f"someone who cannot be seen from here, {GROWTH_BYTES + 1:,} bytes"]


def test_where_this_process_is_listed_its_own_growth_is_no_surprise(memory: type[Memory]) -> None:
    found = Neighbours(DEVICE, frozenset({os.getpid()}), 0, Listed([OWN]))
    memory.used = 5 * GIB
    assert found.found() == []


@pytest.mark.usefixtures("memory")
def test_a_device_that_does_not_say_who_it_is_counts_every_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: SimpleNamespace(total_memory=GIB))
    with pytest.raises(Refusal, match="process 2 "):
        alone_on(DEVICE, Listed([ELSEWHERE], [OWN, ELSEWHERE]))
