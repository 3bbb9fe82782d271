"""What the worker tells of the device's other users: they are in the record and its warnings, or it does not begin."""

import errno
import io
import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from gnn_checkpointing.measurement import worker
from gnn_checkpointing.measurement.cell import Bench
from gnn_checkpointing.measurement.gpu import Neighbours
from gnn_checkpointing.refusal import Refusal
from measurement.cells import CPU, cell_of, small_study
from measurement.test_cell import CONTEXT, no_marks

OTHER = "process 7 (train), 5 bytes"


NEIGHBOURS: Any = SimpleNamespace(found=lambda: [OTHER])


def test_who_came_meanwhile_is_in_the_record_its_warnings_and_further_rounds(tmp_path: Path) -> None:
    study, events = small_study(), io.StringIO()
    cell, graph = cell_of(study)
    context = {name: CONTEXT[name] for name in ("hardware", "restarts", "visit")}
    job: dict[str, Any] = {"lost": {}, "folder": str(tmp_path), "context": context, "fingerprints": {cell.id: "f"}}
    job |= {"process": 1, "timed": {cell.id: ["none", "layers"]}}
    measuring = worker.Worker(job, Bench(study, graph, CPU), NEIGHBOURS, events)
    measuring.measure(cell, no_marks)
    record = json.loads(events.getvalue().splitlines()[-1])["record"]
    assert record["others_on_device"] == [OTHER]
    assert any("the GPU was shared" in sentence and OTHER in sentence for sentence in record["warnings"])
    measuring.time_again(cell)
    assert json.loads(events.getvalue().splitlines()[-1])["rounds"]["others_on_device"] == [OTHER]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Refusal(f"the GPU is in use by {OTHER}"), f"the GPU is in use by {OTHER}"),
        (
            OSError(errno.ENOSPC, "No space left on device", "/disk/traces.npz"),
            "/disk/traces.npz: no space left on device; free some space, and run it again",
        ),
    ],
)
def test_a_device_in_use_or_a_full_disk_ends_the_worker_with_a_refusal(
    monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    study = small_study()

    def refused(device: torch.device) -> Neighbours:
        raise error

    monkeypatch.setattr(worker, "die_with_parent", lambda: None)
    monkeypatch.setattr(worker, "chosen_device", lambda asked: torch.device("cuda", 0))
    monkeypatch.setattr(worker, "alone_on", refused)
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps({"study": study.model_dump(mode="json", by_alias=True)})))
    reading, writing = os.pipe()
    monkeypatch.setattr(sys, "argv", ["worker", str(writing)])
    with pytest.raises(SystemExit) as ended:
        worker.main()
    assert ended.value.code == 2
    with os.fdopen(reading) as told:
        assert json.loads(told.read()) == {"event": "refusal", "message": said}


def test_a_full_disk_in_a_policys_step_is_no_outcome_of_the_policy() -> None:
    (cell, _), events = cell_of(small_study()), io.StringIO()

    def step() -> None:
        with worker.fatal_policies(cell, events) as announce:
            announce("layers", "first step")
            raise RuntimeError("the compiler failed") from OSError(errno.ENOSPC, "full")

    with pytest.raises(OSError, match="full"):
        step()
    assert [json.loads(line)["event"] for line in events.getvalue().splitlines()] == ["step"]
