"""A policy that refuses at its first step is an outcome, another model is compared with its twin, jemalloc may lack."""

from pathlib import Path
from statistics import median
from typing import Any

import pytest
import torch

from gnn_checkpointing.collecting.rows import cell_rows
from gnn_checkpointing.measurement import cell as in_process
from gnn_checkpointing.measurement import probe, supervise
from gnn_checkpointing.measurement.allocator import worker_environment
from gnn_checkpointing.measurement.cell import Bench
from gnn_checkpointing.measurement.high_water import HighWater
from gnn_checkpointing.records.cell import CellRecord
from gnn_checkpointing.refusal import Refusal, Unavailable
from gnn_checkpointing.study.study import Study
from measurement.cells import CPU, cell_of, small_study
from measurement.cells import measured as by_a_worker

CONTEXT = {"hardware": "here", "fingerprint": "f", "memory_limit_bytes": 2**30, "restarts": 0, "visit": 0}


def no_marks(cell: str, policies: list[str]) -> dict[str, HighWater]:
    return {policy: HighWater(None, "not read") for policy in policies}


def measured(study: Study) -> CellRecord:
    cell, graph = cell_of(study)
    record, _ = Bench(study, graph, CPU).measure(cell, {}, lambda *_: None, no_marks, CONTEXT)
    return record


@pytest.mark.parametrize(("kind", "outcome"), [(Refusal, "refused"), (Unavailable, "unavailable")])
def test_a_policy_that_refuses_at_its_first_step_is_an_outcome(
    monkeypatch: pytest.MonkeyPatch, kind: type[Refusal], outcome: str
) -> None:
    made = probe.subject_of

    def planted(cell: Any, task: Any, policy: str) -> Any:
        subject = made(cell, task, policy)
        if policy == "layers":

            def forward(*args: Any) -> torch.Tensor:
                raise kind("cannot be done here")

            subject.model.forward = forward
        return subject

    monkeypatch.setattr(probe, "subject_of", planted)
    record = measured(small_study(policies=("layers", "none", "segments(2)")))
    found = {policy.policy: policy for policy in record.policies}
    assert (found["layers"].outcome, found["layers"].message) == (outcome, "cannot be done here")
    assert found["none"].outcome == found["segments(2)"].outcome == "completed"
    assert all(sorted(order) == ["none", "segments(2)"] for order in record.round_orders)


def test_a_policy_is_announced_before_it_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """In either process: a compiler that hangs or fails there is charged to the policy that compiles."""
    study, announced = small_study(), []
    cell, graph = cell_of(study)
    for module in (probe, in_process):

        def noted(cell: Any, task: Any, policy: str, made: Any = module.subject_of) -> Any:
            assert announced[-1] == (policy, "preparation")
            return made(cell, task, policy)

        monkeypatch.setattr(module, "subject_of", noted)
    bench = Bench(study, graph, CPU)
    bench.measure(cell, {}, lambda *step: announced.append(step), no_marks, CONTEXT)
    assert len([phase for _, phase in announced if phase == "preparation"]) == 2
    bench.time_again(cell, 1, study.policies, lambda *step: announced.append(step))
    assert len([phase for _, phase in announced if phase == "preparation"]) == 4


def test_another_model_is_compared_with_itself_without_the_policy() -> None:
    record = measured(small_study(convolution="SAGE", policies=("none", "reversible")))
    found = record.policies[1]
    assert found.other_model and not record.policies[0].other_model
    assert found.sameness is not None and found.sameness.gradient_error < 1e-4


def test_a_policy_of_blocks_says_how_large_its_largest_one_is() -> None:
    """60 nodes of degree 6, with GATv2 a self-loop each: 420 edges; a block of at most 100 is more than half full.

    And every policy drops the same of what its layers compute.
    """
    study = small_study(policies=("none", "layers", "edge_blocks(100)"), dropout=0.5)
    rows = cell_rows(measured(study), study.analysis)
    at_once = {row["policy"]: row["edges_at_once"] for row in rows}
    assert at_once["none"] == at_once["layers"] == 360
    assert 50 < int(at_once["edge_blocks(100)"] or 0) <= 100
    assert {row["heads"] for row in rows} == {2}
    assert [row["same_loss"] and row["same_gradients"] for row in rows] == [True] * 3


def test_the_sentinel_ran_once_a_round_and_the_record_says_why_readings_lack() -> None:
    study = small_study()
    record = measured(study)
    assert len(record.sentinel_seconds) == len(record.round_orders) >= 2 and min(record.sentinel_seconds) > 0
    assert {row["sentinel_seconds"] for row in cell_rows(record, study.analysis)} == {median(record.sentinel_seconds)}
    # What was read seldom, of another kind of work, divides no step time.
    before = record.model_copy(update={"sentinel_by_round": False})
    assert {row["sentinel_seconds"] for row in cell_rows(before, study.analysis)} == {None}
    readings = record.policies[0].readings
    assert readings is not None
    assert readings.notes == ["not read"] and readings.fake_tensor_agrees
    assert all(
        forward < wall
        for found in record.policies
        if found.steps
        for forward, wall in zip(found.steps.forward_seconds, found.steps.wall_seconds, strict=True)
    )


def test_without_jemalloc_every_policy_of_its_cells_is_unavailable_and_nothing_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = small_study()
    study = study.model_copy(update={"measurement": study.measurement.model_copy(update={"allocators": ("jemalloc",)})})
    reason = "needs libjemalloc: apt-get install libjemalloc2"
    monkeypatch.setattr(supervise, "missing", lambda allocator: reason if allocator == "jemalloc" else None)
    monkeypatch.setattr(supervise, "_run_worker", lambda *args: pytest.fail("started a process"))
    told: list[tuple[CellRecord, int]] = []
    record = by_a_worker(study, tmp_path, lambda *told_of: told.append(told_of))
    assert told == [(record, 1)]
    assert [(found.outcome, found.message) for found in record.policies] == [("unavailable", reason)] * 2
    assert all(row["outcome"] == "unavailable" for row in cell_rows(record, study.analysis))


INFLUENCES = """
LD_PRELOAD MALLOC_ARENA_MAX MALLOC_CONF GLIBC_TUNABLES PYTORCH_ALLOC_CONF PYTORCH_CUDA_ALLOC_CONF
PYTORCH_NO_CUDA_MEMORY_CACHING CUDA_LAUNCH_BLOCKING NVIDIA_TF32_OVERRIDE OMP_PROC_BIND ATEN_CPU_CAPABILITY
TORCH_COMPILE_DISABLE TORCHDYNAMO_DISABLE TORCHINDUCTOR_MAX_AUTOTUNE PYTHONWARNINGS
"""


def test_nothing_that_changes_what_is_measured_is_inherited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gnn_checkpointing.measurement.allocator.jemalloc", lambda: "/lib/libjemalloc.so.2")
    kept = {"PATH": "/bin", "CUDA_VISIBLE_DEVICES": "1", "TORCHINDUCTOR_CACHE_DIR": "/cache", "PYTHONPATH": "here"}
    dropped = dict.fromkeys(INFLUENCES.split(), "1")
    for allocator, own in (("retaining", {}), ("default", {}), ("jemalloc", {"LD_PRELOAD": "/lib/libjemalloc.so.2"})):
        found = worker_environment(kept | dropped, allocator, 1)
        expected = kept | {"PYTORCH_ALLOC_CONF": "expandable_segments:False"} | own
        assert {name: found[name] for name in (kept | dropped) if name in found} == expected
        assert ("MALLOC_MMAP_THRESHOLD_" in found) == (allocator == "retaining")
