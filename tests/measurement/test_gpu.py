"""What nvidia-smi answers is read field by field; where it is missing, fails or says `[N/A]`, nothing is invented."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import pytest

from gnn_checkpointing.measurement import gpu, hardware
from gnn_checkpointing.measurement.gpu import Gpu, GpuProcess, cuda_of_torch, first_gpu, gpu_processes, measured_gpu
from measurement.cells import small_study

GPU = "81559, 550.54.15, NVIDIA H100 80GB HBM3"


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An nvidia-smi that prints `answer` and leaves what it was asked in `asked`, both beside it."""
    script = tmp_path / "nvidia-smi"
    script.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/asked\ncat {tmp_path}/answer\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return tmp_path


def test_the_first_gpu_has_a_name_memory_and_a_driver(tool: Path) -> None:
    (tool / "answer").write_text(f"{GPU}\n{GPU}\n")
    assert first_gpu() == Gpu("NVIDIA H100 80GB HBM3", 81559 * 2**20, "550.54.15")
    assert "--id" not in (tool / "asked").read_text()


def test_memory_that_is_not_told_is_not_known(tool: Path) -> None:
    (tool / "answer").write_text("[N/A], 580.0, NVIDIA GB10\n")
    assert first_gpu() == Gpu("NVIDIA GB10", None, "580.0")


def test_the_first_visible_one_is_asked_for(tool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tool / "answer").write_text(GPU)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,1")
    first_gpu()
    assert "--id=3" in (tool / "asked").read_text()


@pytest.mark.parametrize("hidden", ["", "-1"])
def test_hidden_gpus_are_none(tool: Path, monkeypatch: pytest.MonkeyPatch, hidden: str) -> None:
    (tool / "answer").write_text(GPU)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
    assert first_gpu() is None


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


def test_a_tool_that_fails_says_nothing(tool: Path) -> None:
    (tool / "nvidia-smi").write_text("#!/bin/sh\necho '1, 2, 3, 4'\nexit 9\n")
    assert gpu_processes() == [] and first_gpu() is None


def test_without_the_tool_there_is_no_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
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
    assert cuda_of_torch() == version
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert cuda_of_torch() is None


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
    h100 = Gpu("NVIDIA H100 80GB HBM3", 81559 * 2**20, "550.54.15")
    monkeypatch.setattr(gpu, "first_gpu", lambda: h100)
    monkeypatch.setattr(gpu, "cuda_of_torch", lambda: built_for)
    monkeypatch.setattr(hardware, "first_gpu", lambda: h100)
    monkeypatch.setattr(hardware, "cuda_of_torch", lambda: built_for)
    monkeypatch.setattr(hardware, "processor_name", lambda: "Xeon")
    assert (measured_gpu(study.measurement.device) is None) == (slug == "xeon")
    found = hardware.hardware_record(study)
    assert found["slug"].startswith(f"{slug}-")
    assert found["label"].startswith("Xeon" if slug == "xeon" else "NVIDIA H100 80GB HBM3 + Xeon")
    facts = {fact["name"]: fact["value"] for fact in found["facts"]}
    assert facts["accelerator driver"] == "550.54.15"
    assert facts["accelerator memory"] == "81559 MiB"
    assert facts["CUDA of torch"] == (built_for or "none: built without")
    assert facts["measured device"] == ("cpu" if slug == "xeon" else "cuda")
