"""A training job killed in the middle and started again gives the identical loss curve."""

import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gnn_checkpointing.records.jobs import REORDERED, TrainingRecord
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.training import Job, train
from measurement.cells import cell_of
from synthetic.studies import small_study

POLICIES = ("none", "layers", "edge_blocks")


def trained(
    state: Path,
    policy: str = "none",
    tell: Callable[[int, float], object] = lambda *_: None,
    save_every: int = 1,
) -> TrainingRecord:
    """Dropout draws from the random state in every epoch: a resumed job must go on drawing where it was."""
    study = small_study(
        ["SAGE"],
        POLICIES,
        {"family": "sbm", "num_nodes": [90], "num_features": 8, "num_classes": 3},
        {"num_layers": 2, "hidden_channels": 8, "dropout": 0.4, "norm": "batch"},
        measurement={"device": "cpu"},
        training={"epochs": 30, "save_every": save_every},
    )
    return train(Job(study, *cell_of(study), policy), state, tell)


def test_a_job_stopped_between_saves_resumes_to_the_identical_curve(tmp_path: Path) -> None:
    whole = trained(tmp_path / "whole.safetensors", save_every=7)

    def stop(epoch: int, loss: float) -> None:
        if epoch == 17:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        trained(tmp_path / "cut.safetensors", tell=stop, save_every=7)
    resumed = trained(tmp_path / "cut.safetensors", save_every=7)
    assert resumed.resumed_from_epoch == 14
    assert resumed.losses == whole.losses
    assert (resumed.train_accuracy, resumed.test_accuracy) == (whole.train_accuracy, whole.test_accuracy)
    assert whole.losses[-1] < whole.losses[0]


def test_a_loss_that_is_no_number_is_one_sentence(tmp_path: Path) -> None:
    study = small_study(["GCN"], POLICIES)
    cell, graph = cell_of(study)
    job = Job(study, cell, replace(graph, features=np.full_like(graph.features, 3e38)), "layers")
    with pytest.raises(Refusal, match=r"GCN: the loss is (inf|nan) in epoch 1; lower training\.learning_rate"):
        train(job, tmp_path / "diverged.safetensors", lambda *_: None)


RUN = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from training.test_resume import trained
def tell(epoch, loss):
    print(epoch, flush=True)
    time.sleep(600 * (epoch == 10))  # until it is killed
trained(Path(sys.argv[1]), tell=tell)
"""


def test_a_job_killed_by_signal_9_resumes_to_the_identical_curve(tmp_path: Path) -> None:
    state = tmp_path / "killed.safetensors"
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, str(state), str(Path(__file__).parents[1])], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    while int(process.stdout.readline()) < 10:
        pass
    process.send_signal(signal.SIGKILL)
    process.wait()
    resumed = trained(state)
    assert resumed.resumed_from_epoch == 9
    assert resumed.losses == trained(tmp_path / "whole.safetensors").losses


def test_every_policy_learns_the_same_and_so_does_the_control_by_edges_in_another_order(tmp_path: Path) -> None:
    curves = {policy: trained(tmp_path / policy, policy).losses for policy in (*POLICIES, REORDERED)}
    for curve in curves.values():
        assert curve == pytest.approx(curves["none"], rel=1e-3)
    assert curves[REORDERED] != curves["none"]


def test_a_damaged_or_foreign_state_starts_anew(tmp_path: Path) -> None:
    state = tmp_path / "state.safetensors"
    whole = trained(state)
    state.write_bytes(state.read_bytes()[:100])
    assert trained(state).resumed_from_epoch == 0
    assert trained(state, "layers").resumed_from_epoch == 0
    assert trained(state).losses == whole.losses
