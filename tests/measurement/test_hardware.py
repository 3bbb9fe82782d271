"""One study's results are of one type of machine: which one this is, and a refusal on another."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from gnn_checkpointing.artefacts import write_json
from gnn_checkpointing.measurement import hardware
from gnn_checkpointing.measurement.hardware import differences, refuse_another_type, this_host
from gnn_checkpointing.records.cell import Host
from gnn_checkpointing.records.record import machine_of
from gnn_checkpointing.refusal import Refusal
from measurement.cells import study_of

HOST = Host(id="1234abcd", processor="AMD EPYC", cores="64", memory="251.6 GiB", accelerator="none")
FACTS = {"processor": "AMD EPYC", "cores": "64", "memory": "251.6 GiB", "accelerator": "none"}


def test_this_machine_is_of_the_type_that_it_describes() -> None:
    study = study_of(60, 4)
    assert differences(this_host(study), machine_of(hardware.hardware_record(study)).facts, "auto") == []


def test_nodes_of_one_machine_are_told_apart_by_slurms_names(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for node in ("n1", "n2"):
        monkeypatch.setenv("SLURMD_NODENAME", node)
        found.append(this_host(study_of(60, 4)))
    assert found[0].id != found[1].id
    assert found[0] == found[1].model_copy(update={"id": found[0].id})
    assert "n1" not in found[0].id


@pytest.mark.parametrize(
    ("fact", "value", "device", "said"),
    [
        ("processor", "Intel Xeon", "cpu", ["processor AMD EPYC, not Intel Xeon"]),
        ("cores", "32", "cpu", ["cores 64, not 32"]),
        ("memory", "503.4 GiB", "cpu", ["memory 251.6 GiB, not 503.4 GiB"]),
        ("memory", "251.4 GiB", "cpu", []),  # a system that keeps a little more for itself
        ("memory", "plenty", "cpu", ["memory 251.6 GiB, not plenty"]),
        ("memory", "inf GiB", "cpu", ["memory 251.6 GiB, not inf GiB"]),
        ("accelerator", "NVIDIA H100", "cpu", []),  # not what is measured
        ("accelerator", "NVIDIA H100", "auto", ["accelerator none, not NVIDIA H100"]),
    ],
)
def test_what_makes_another_type(fact: str, value: str, device: str, said: list[str]) -> None:
    assert differences(HOST, FACTS | {fact: value}, device) == said


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (r"printf '\377\376g\033[2J++ 13\n'", r"\ufffd\ufffdg\x1b[2J++ 13"),
        ("head -c 1000000 /dev/zero | tr '\\0' x", f"{'x' * 100}…{'x' * 99}"),
        ("exit 1", "unknown"),
        ("kill -9 $$", "unknown"),
        (":", "unknown"),
    ],
)
def test_what_a_compiler_prints_is_one_short_line(
    script: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "c++").write_text(f"#!/bin/sh\n{script}\n")
    (tmp_path / "c++").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert machine_of(hardware.hardware_record(study_of(60, 4))).facts["compiler"] == said.replace(r"\ufffd", "�")


def described(facts: dict[str, str]) -> dict[str, Any]:
    return {"slug": "here", "facts": [{"name": name, "value": value} for name, value in facts.items()]}


def test_another_type_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "hardware.json"
    write_json(path, described(FACTS))
    refuse_another_type(HOST, path, "cpu")
    write_json(path, described(FACTS | {"cores": "32"}))
    words = r"hardware\.json: .*another type \(cores 64, not 32\).*`constraint`.*hardware\.slug"
    with pytest.raises(Refusal, match=words):
        refuse_another_type(HOST, path, "cpu")
    write_json(path, ["no facts"])
    with pytest.raises(Refusal, match=r"hardware\.json: .*facts"):
        refuse_another_type(HOST, path, "cpu")


def test_the_clock_is_the_systems_or_the_processors_own_account(monkeypatch: pytest.MonkeyPatch) -> None:
    said: dict[str, str] = {"/proc/cpuinfo": "cpu MHz : 2000.0\ncpu MHz : 3000.0\n"}
    monkeypatch.setattr(hardware, "_read", said.get)
    assert hardware.clock_mhz() == 2500.0
    said.clear()
    assert hardware.clock_mhz() is None


def test_code_that_has_changed_since_its_commit_is_not_named_as_if_it_had_not(tmp_path: Path) -> None:
    assert hardware.commit_of(tmp_path) == "unknown"
    named = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.org")
    (tmp_path / "code.py").write_text("1\n")
    for command in (("init", "-q"), ("add", "."), (*named, "commit", "-q", "-m", "first")):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    commit = hardware.commit_of(tmp_path)
    assert re.fullmatch("[0-9a-f]{12}", commit)
    (tmp_path / "code.py").write_text("2\n")
    assert hardware.commit_of(tmp_path) == f"{commit} and changes"
