"""What nvidia-smi answers is read field by field; another process on the GPU is refused before, and said afterwards."""

import importlib.util
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from gnn_checkpointing.measurement import gpu, hardware
from gnn_checkpointing.measurement.gpu import GROWTH_BYTES, Gpu, GpuProcess, alone_on, first_gpu, gpu_processes
from gnn_checkpointing.refusal import Refusal
from measurement.cells import small_study

ANSWER = "81559, 550.54.15, NVIDIA H100 80GB HBM3\n"
H100 = Gpu("NVIDIA H100 80GB HBM3", 81559 * 2**20, "550.54.15")


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An nvidia-smi that prints `answer` and leaves what it was asked in `asked`, both beside it."""
    script = tmp_path / "nvidia-smi"
    script.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/asked\ncat {tmp_path}/answer\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return tmp_path


@pytest.mark.parametrize(
    ("answer", "visible", "found"),
    [
        (ANSWER * 2, None, H100),
        ("[N/A], 580.0, NVIDIA GB10\n", None, Gpu("NVIDIA GB10", None, "580.0")),
        (ANSWER, "3,1", H100),
        (ANSWER, "", None),
        (ANSWER, "-1", None),
    ],
)
def test_the_first_gpu_that_is_visible_has_a_name_memory_where_it_is_told_and_a_driver(
    tool: Path, monkeypatch: pytest.MonkeyPatch, answer: str, visible: str | None, found: Gpu | None
) -> None:
    (tool / "answer").write_text(answer)
    (tool / "asked").touch()
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert first_gpu() == found
    assert ("--id=3" if visible == "3,1" else "") in (tool / "asked").read_text()
    assert ("--id" in (tool / "asked").read_text()) is (visible == "3,1")


def test_processes_are_read_with_commas_in_their_names_and_without_their_bytes(tool: Path) -> None:
    (tool / "answer").write_text("GPU-1, 4711, 2048, python -c a, b\nGPU-2, 7, [N/A], [Not Found]\n\nno, row\n")
    assert gpu_processes() == [
        GpuProcess("GPU-1", 4711, "python -c a, b", 2048 * 2**20),
        GpuProcess("GPU-2", 7, "[Not Found]", None),
    ]
    assert [str(process) for process in gpu_processes()] == [
        "process 4711 (python -c a, b), 2,147,483,648 bytes",
        "process 7 ([Not Found]), an unknown number of bytes",
    ]


def test_a_tool_that_fails_or_is_missing_says_nothing(tool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tool / "nvidia-smi").write_text("#!/bin/sh\necho '1, 2, 3, 4'\nexit 9\n")
    assert gpu_processes() == [] and first_gpu() is None
    (tool / "nvidia-smi").unlink()
    monkeypatch.setenv("PATH", str(tool))
    assert gpu_processes() == [] and first_gpu() is None


@pytest.mark.parametrize(
    ("line", "version"),
    [("cuda: Optional[str] = None", None), ("cuda: Optional[str] = '13.0'", "13.0"), ("cuda = '12.8'", "12.8")],
)
def test_what_torch_was_built_for_is_read_without_importing_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, version: str | None
) -> None:
    (tmp_path / "version.py").write_text(f"__version__ = '2.13.0'\ndebug = False\n{line}\nhip: Optional[str] = None\n")
    found = SimpleNamespace(origin=str(tmp_path / "__init__.py"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: found)
    assert gpu.cuda_of_torch() == version
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert gpu.cuda_of_torch() is None


@pytest.mark.parametrize(
    ("asked", "built_for", "slug"),
    [
        ("cpu", "13.0", "xeon"),
        ("auto", None, "xeon"),  # torch computes on the CPU, whatever the machine has
        ("auto", "13.0", "nvidia-h100-80gb-hbm3"),
        ("cuda", None, "nvidia-h100-80gb-hbm3"),  # refused when it measures; the folder says what was asked for
    ],
)
def test_the_folder_is_named_after_the_device_that_is_measured(
    monkeypatch: pytest.MonkeyPatch, asked: str, built_for: str | None, slug: str
) -> None:
    study = small_study()
    study = study.model_copy(update={"measurement": study.measurement.model_copy(update={"device": asked})})
    for module in (gpu, hardware):
        monkeypatch.setattr(module, "first_gpu", lambda: H100)
        monkeypatch.setattr(module, "cuda_of_torch", lambda: built_for)
    monkeypatch.setattr(hardware, "processor_name", lambda: "Xeon")
    assert (gpu.measured_gpu(study.measurement.device) is None) == (slug == "xeon")
    found = hardware.hardware_record(study)
    assert found["slug"].startswith(f"{slug}-")
    assert found["label"].startswith("Xeon" if slug == "xeon" else "NVIDIA H100 80GB HBM3 + Xeon")
    facts = {fact["name"]: fact["value"] for fact in found["facts"]}
    assert facts["accelerator driver"] == "550.54.15"
    assert facts["accelerator memory"] == "81559 MiB"
    assert facts["CUDA of torch"] == (built_for or "none: built without")
    assert facts["measured device"] == ("cpu" if slug == "xeon" else "cuda")


GIB = 2**30
DEVICE = torch.device("cuda", 0)
OWN = GpuProcess("GPU-1234", os.getpid(), "python", GIB // 2)
OTHER = GpuProcess("GPU-1234", 1, "their job", 2 * GIB)
ELSEWHERE = GpuProcess("GPU-5678", 2, "their job", 2 * GIB)
HOSTS = GpuProcess("GPU-1234", 99_001, "python", GIB // 2)
"""This process in a container, by the number that the host gives it."""


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A device of 80 GiB as the driver and the caching allocator tell it."""
    total, told = 80 * GIB, SimpleNamespace(used=GIB // 2, reserved=0)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (total - told.used, total))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: told.reserved)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "Big GPU")
    properties = SimpleNamespace(uuid="1234", total_memory=total)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: properties)
    monkeypatch.setattr(gpu, "_PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr(gpu, "_LOOK_SECONDS", 0.01)
    return told


@pytest.fixture
def listed(memory: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> list[list[GpuProcess]]:
    """The processes that are listed, answer by answer; the last one for good."""
    answers: list[list[GpuProcess]] = []
    monkeypatch.setattr(gpu, "gpu_processes", lambda: answers.pop(0) if len(answers) > 1 else answers[0])
    return answers


Answers = list[list[GpuProcess]]


@pytest.mark.parametrize(
    ("answers", "own", "others"),
    [
        ([[ELSEWHERE], [OWN, ELSEWHERE]], os.getpid(), []),
        ([[OTHER], *[[OTHER, OWN]] * 3, [OWN]], os.getpid(), []),  # it has just ended, and is waited for
        ([[], [OWN], [OWN], [OWN, OTHER, ELSEWHERE]], os.getpid(), [str(OTHER)]),  # it came later
        ([[], [HOSTS]], 99_001, []),
    ],
    ids=["another device's", "ended", "came later", "the host's number"],  # a process's number is no name of a test
)
def test_who_else_is_on_the_device(listed: Answers, answers: Answers, own: int, others: list[str]) -> None:
    listed += answers
    found = alone_on(DEVICE)
    assert found.own == {own}
    assert found.found() == others


@pytest.mark.parametrize("own", [OWN, HOSTS])
def test_a_process_that_holds_memory_is_refused_in_one_sentence(listed: Answers, own: GpuProcess) -> None:
    listed += [[OTHER], [own, OTHER]]
    with pytest.raises(Refusal) as refused:
        alone_on(DEVICE)
    assert str(refused.value) == (
        "the GPU Big GPU is in use by process 1 (their job), 2,147,483,648 bytes: it would be measured along with the "
        "study; end it, wait for it, or name an idle GPU in CUDA_VISIBLE_DEVICES"
    )


def test_where_no_process_is_listed_the_drivers_account_decides(listed: Answers, memory: SimpleNamespace) -> None:
    """Half a GiB is a context of this process's own; 1 GiB and 1 % of the device, 1.8 GiB, are more than that.

    Later, what the caching allocator reserves is this process's own, and some growth is kernels that were loaded.
    """
    listed.append([])
    found = alone_on(DEVICE)
    for used, reserved in ((0, 0), (30 * GIB, 30 * GIB), (GROWTH_BYTES, 0)):
        memory.used, memory.reserved = memory.used + used, memory.reserved + reserved
        assert found.found() == []
    memory.used += 1
    assert found.found() == [f"someone who cannot be seen from here, {GROWTH_BYTES + 1:,} bytes"]
    memory.used, memory.reserved = gpu.CONTEXT_BYTES + 81 * GIB // 100, 0
    with pytest.raises(Refusal, match=r"1,943,\d{3},\d{3} bytes in use before anything .* cannot be seen from here"):
        alone_on(DEVICE)


def test_where_this_process_is_listed_its_own_growth_is_no_surprise(listed: Answers, memory: SimpleNamespace) -> None:
    listed.append([OWN])
    memory.used = 5 * GIB
    assert gpu.Neighbours(DEVICE, frozenset({os.getpid()}), 0).found() == []


def test_a_device_that_does_not_say_who_it_is_counts_every_process(
    listed: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed += [[ELSEWHERE], [OWN, ELSEWHERE]]
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: SimpleNamespace(total_memory=GIB))
    with pytest.raises(Refusal, match="process 2 "):
        alone_on(DEVICE)
