"""A training job killed in the middle and started again gives the identical loss curve."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gnn_checkpointing.records.training import REORDERED
from gnn_checkpointing.study.study import Study
from gnn_checkpointing.training.job import Job, train
from measurement.cells import cell_of
from synthetic.studies import small_study

EPOCHS = 30


def study(**training: int) -> Study:
    """Dropout draws from the random state in every epoch: a resumed job must go on drawing where it was."""
    return small_study(
        ["SAGE"],
        ["none", "layers", "edge_blocks"],
        {"family": "sbm", "num_nodes": [90], "num_features": 8, "num_classes": 3},
        {"num_layers": 2, "hidden_channels": 8, "dropout": 0.4, "norm": "batch"},
        measurement={"device": "cpu"},
        training={"epochs": EPOCHS, "save_every": 1, **training},
    )


def job(policy: str = "none", **training: int) -> Job:
    made = study(**training)
    return Job(made, *cell_of(made), policy)


def silent(epoch: int, loss: float) -> None:
    pass


class Stop(Exception):  # noqa: N818 - a signal of the test, not an error
    pass


def test_a_job_stopped_between_saves_resumes_to_the_identical_curve(tmp_path: Path) -> None:
    whole = train(job(save_every=7), tmp_path / "whole.safetensors", silent)

    def stop(epoch: int, loss: float) -> None:
        if epoch == 17:
            raise Stop

    with pytest.raises(Stop):
        train(job(save_every=7), tmp_path / "cut.safetensors", stop)
    resumed = train(job(save_every=7), tmp_path / "cut.safetensors", silent)
    assert resumed.resumed_from_epoch == 14
    assert resumed.losses == whole.losses
    assert (resumed.train_accuracy, resumed.test_accuracy) == (whole.train_accuracy, whole.test_accuracy)
    assert whole.losses[-1] < whole.losses[0]


RUN = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from training.test_resume import job
from gnn_checkpointing.training.job import train
def tell(epoch, loss):
    print(epoch, flush=True)
    time.sleep(600 * (epoch == 10))  # until it is killed
train(job(), Path(sys.argv[1]), tell)
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
    resumed = train(job(), state, silent)
    assert resumed.resumed_from_epoch == 9
    assert resumed.losses == train(job(), tmp_path / "whole.safetensors", silent).losses


def test_every_policy_learns_the_same(tmp_path: Path) -> None:
    curves = [train(job(policy), tmp_path / policy, silent).losses for policy in study().policies]
    for curve in curves[1:]:
        assert curve == pytest.approx(curves[0], rel=1e-3)


def test_a_damaged_or_foreign_state_starts_anew(tmp_path: Path) -> None:
    state = tmp_path / "state.safetensors"
    whole = train(job(), state, silent)
    state.write_bytes(state.read_bytes()[:100])
    assert train(job(), state, silent).resumed_from_epoch == 0
    assert train(job("layers"), state, silent).resumed_from_epoch == 0
    assert train(job(), state, silent).losses == whole.losses


def test_the_control_reads_the_same_edges_in_another_order(tmp_path: Path) -> None:
    curve, control = (train(job(policy), tmp_path / policy, silent).losses for policy in ("none", REORDERED))
    assert control != curve
    assert control == pytest.approx(curve, rel=1e-3)
