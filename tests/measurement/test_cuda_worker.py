"""On an idle CUDA device: a graph measured by the worker from end to end, what runs out, and who else is refused."""

import io
import json
import subprocess
import sys
from pathlib import Path
from statistics import median

import pytest
import torch

from gnn_checkpointing.collecting.rows import cell_rows
from gnn_checkpointing.measurement.worker import fatal_policies
from gnn_checkpointing.records.measurements_table import columns_of
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.study import Study
from measurement import cells
from measurement.cells import cell_of, measured, small_study

POLICIES = ("none", "layers", "edge_blocks", "compiled", "fused_edge_blocks", "offloaded")
HOLD = """
import sys, torch
held = torch.empty(2**28, dtype=torch.uint8, device="cuda")
print("held", flush=True)
sys.stdin.read()
"""


def study_of(nodes: int, degree: float, policies: tuple[str, ...], **measurement: object) -> Study:
    return cells.study_of(nodes, degree, policies, **{"device": "cuda", "processes": 2, **measurement})


@pytest.mark.usefixtures("idle_cuda")
def test_every_policy_is_measured_with_every_account(tmp_path: Path) -> None:
    record = measured(study_of(2000, 64, POLICIES), tmp_path)
    assert {found.policy: (found.outcome, found.message) for found in record.policies} == dict.fromkeys(
        POLICIES, ("completed", "")
    )
    assert record.device == "cuda" and record.accelerator is not None and not record.accelerator.tf32
    assert [run.others_on_device for run in record.runs] == [[], []]
    for found in record.policies:
        memory, readings, same = found.memory, found.readings, found.sameness
        assert memory is not None and readings is not None and same is not None
        assert same.same_loss and same.same_gradients and same.same_buffers, found.policy
        assert readings.allocated_bytes is not None and readings.reserved_bytes is not None
        assert memory.peak_memory_bytes <= readings.allocated_bytes <= readings.reserved_bytes
        assert readings.driver_bytes is not None and readings.reserved_bytes <= readings.driver_bytes
        assert readings.driver_agrees and readings.high_water_bytes is None
        assert readings.fake_tensor_agrees is not False
        for steps in record.steps_of(found.policy):
            assert steps.device_seconds is not None and steps.device_allocations is not None
            pairs = zip(steps.device_seconds, steps.wall_seconds, strict=True)
            assert all(0 < device <= wall for device, wall in pairs)
            assert median(steps.device_allocations) == 0, found.policy
    rows = {str(row["policy"]): row for row in cell_rows(record, study_of(8, 2, POLICIES).analysis)}
    columns = {column.name for column in columns_of([*rows.values()])}
    assert {"reserved_bytes", "driver_bytes", "device_time_seconds"} <= columns
    for policy in ("layers", "edge_blocks", "offloaded", "fused_edge_blocks"):
        assert float(rows[policy]["activation_ratio"] or 1) < 0.8, policy


@pytest.mark.usefixtures("idle_cuda")
def test_a_policy_over_a_small_limit_is_an_outcome(tmp_path: Path) -> None:
    """3 layers on 400 x 200 edges with 64 channels: `none` holds about 0.24 GiB, edge blocks far less than 0.15."""
    record = measured(study_of(400, 200, ("none", "edge_blocks(4000)"), memory_limit_gib=0.15, processes=1), tmp_path)
    assert [found.outcome for found in record.policies] == ["out_of_memory", "completed"]
    assert f"over the limit of {int(0.15 * 2**30):,} bytes" in record.policies[0].message
    assert record.restarts == 0


@pytest.mark.usefixtures("idle_cuda")
def test_a_policy_that_the_device_cannot_hold_is_an_outcome_and_the_others_go_on(tmp_path: Path) -> None:
    """Attention of 2**24 edges with 4,096 channels: a tensor of messages is 256 GiB, beyond any device."""
    study = study_of(2**15, 512, ("none", "edge_blocks(20000)"), processes=1, fake_tensor_reading=False)
    wide = study.architecture.model_copy(update={"hidden_channels": 4096, "num_layers": 1})
    record = measured(study.model_copy(update={"architecture": wide}), tmp_path)
    assert [found.outcome for found in record.policies] == ["out_of_memory", "completed"]
    assert record.policies[0].message.startswith("OutOfMemoryError in first step")
    assert record.restarts == 1


@pytest.mark.usefixtures("idle_cuda")
def test_another_process_on_the_device_is_refused_in_one_sentence(tmp_path: Path) -> None:
    held = subprocess.Popen([sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert held.stdout is not None and held.stdout.readline() == "held\n"
        with pytest.raises(Refusal, match="CUDA_VISIBLE_DEVICES"):
            measured(study_of(60, 6, ("none", "layers")), tmp_path)
    finally:
        held.kill()
        held.wait()


def test_the_devices_out_of_memory_is_told_from_other_errors(cuda: torch.device) -> None:
    cell, _ = cell_of(small_study())
    told = []

    def take(size: int, events: io.StringIO) -> None:
        with fatal_policies(cell, events) as announce:
            announce("none", "first step")
            torch.empty(size, dtype=torch.uint8, device=cuda)

    for size in (2**50, -1):
        events = io.StringIO()
        with pytest.raises(SystemExit):
            take(size, events)
        told.append(json.loads(events.getvalue().splitlines()[-1])["outcome"])
    assert told == ["out_of_memory", "failed"]
