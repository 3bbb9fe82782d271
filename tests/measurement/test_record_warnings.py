"""A record warns about itself: each warning by numbers replayed, and none where there is nothing to say."""

from typing import Any

import pytest

from gnn_checkpointing.measurement.job import unavailable_cell
from gnn_checkpointing.measurement.readings import record_warnings, sentinel_drift
from gnn_checkpointing.records.cell import CellRecord
from measurement.cells import cell_of
from synthetic.studies import small_study

ROUNDS = 12
STUDY = small_study(["GCN"], grid={"family": "sbm", "num_nodes": [40], "average_degrees": [4]}, seed=1)


def steps(**changed: list[float]) -> dict[str, Any]:
    each = {
        "wall_seconds": 0.02,
        "forward_seconds": 0.01,
        "cpu_seconds": 0.02,
        "system_seconds": 0.0,
        "page_faults": 0,
        "voluntary_switches": 0,
        "involuntary_switches": 0,
    }
    return {name: [value] * ROUNDS for name, value in each.items()} | changed


def policy(name: str, fake_bytes: int = 900, same: bool = True, **changed: list[float]) -> dict[str, Any]:
    return {
        "policy": name,
        "outcome": "completed",
        "memory": {
            "resident_bytes": 100,
            "policy_resident_bytes": 0,
            "saved_activation_bytes": 500,
            "transient_bytes": 400,
            "peak_memory_bytes": 1000,
        },
        "readings": {"fake_tensor_bytes": fake_bytes, "fake_tensor_agrees": fake_bytes == 900},
        "sameness": {
            "loss_error": 0,
            "gradient_error": 0,
            "buffer_error": 0,
            "same_loss": True,
            "same_gradients": same,
            "same_buffers": True,
        },
        "warm_up_seconds": 0.1,
        "steps": steps(**changed),
    }


def warnings(layers: dict[str, Any] | None = None, **changed: Any) -> list[str]:
    undisturbed = {
        "started": "2026-11-24T19:29:40.074+00:00",
        "ended": "2026-11-24T19:29:41.074+00:00",
        "load_before": 0.5,
        "load_after": 1.0,
        "sentinel_seconds": [0.005] * 9,
        "policies": [policy("none"), layers or policy("layers")],
    }
    context = {"hardware": "here", "fingerprint": "f", "memory_limit_bytes": 1, "restarts": 0}
    record = unavailable_cell(STUDY, *cell_of(STUDY), "cpu", "replayed", context)
    return record_warnings(CellRecord.model_validate(record.model_dump(mode="json") | undisturbed | changed), STUDY)


def test_a_clean_record_says_nothing_against_itself() -> None:
    assert warnings() == []


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        (policy("layers", wall_seconds=[0.02, 0.03] * 6), "time ratio of layers is known to"),
        (policy("layers", fake_bytes=7), "memory readings of layers disagree: allocator events 900 bytes"),
        (policy("layers", same=False), "layers changes what is computed"),
        (policy("layers", page_faults=[65] * ROUNDS), "layers faulted 65 pages a step although freed memory is kept"),
        # 13 switches in each of 12 steps of 20 ms, beside as many undisturbed ones of none: 156 in 0.48 s.
        (policy("layers", involuntary_switches=[13] * ROUNDS), "taken away 325 times a second"),
    ],
)
def test_a_policy_is_warned_about(layers: dict[str, Any], words: str) -> None:
    (sentence,) = warnings(layers)
    assert words in sentence


def test_steps_too_short_to_time_are_told() -> None:
    short = [0.0009] * ROUNDS
    found = warnings(policies=[policy("none", wall_seconds=short), policy("layers", wall_seconds=short)])
    assert [sentence.split(" ms")[0] for sentence in found] == [
        "a step of none takes 0.90",
        "a step of layers takes 0.90",
    ]


def test_faults_are_no_surprise_where_freed_memory_goes_back() -> None:
    assert warnings(policy("layers", page_faults=[65] * ROUNDS), allocator="default") == []


def test_a_shared_machine_is_told() -> None:
    (sentence,) = warnings(load_after=1.8)
    assert "load 1.8" in sentence


def test_a_machine_that_grows_slower_is_told() -> None:
    (sentence,) = warnings(sentinel_seconds=[0.005] * 4 + [0.006] * 4)
    assert "took 20% longer" in sentence


@pytest.mark.parametrize(("rounds", "told"), [(8, False), (9, True)])
def test_single_readings_of_the_step_of_each_round_are_no_drift(rounds: int, told: bool) -> None:
    seconds = [0.005] * (rounds - 3) + [0.006] * 3
    assert bool(warnings(sentinel_seconds=seconds, sentinel_by_round=True)) == told


@pytest.mark.parametrize(
    ("seconds", "drift"),
    [
        ([], None),
        ([1.0, 2.0], None),
        ([1.0, 1.0, 1.5], 0.5),
        ([1.5, 1.0, 1.0], 0.5),
        # One interrupted run is no drift: each third's median stays.
        ([1.0, 9.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0], 0.0),
    ],
)
def test_drift_is_the_slowest_third_over_the_fastest(seconds: list[float], drift: float | None) -> None:
    assert sentinel_drift(seconds) == (drift if drift is None else pytest.approx(drift))


def test_who_else_was_on_the_gpu_is_told_once() -> None:
    (sentence,) = warnings(device="cuda", others_on_device=["process 7 (train), 5 bytes", "process 8 (serve), 6 bytes"])
    assert sentence.endswith("held by process 7 (train), 5 bytes and process 8 (serve), 6 bytes")


def test_a_driver_that_disagrees_is_told() -> None:
    layers = policy("layers")
    layers["readings"] |= {"reserved_bytes": 2000, "driver_bytes": 9000, "driver_agrees": False}
    (sentence,) = warnings(layers, device="cuda")
    assert "over a step of layers the driver's account of the device changed by more than 33,554,432 bytes" in sentence


def test_steps_that_wait_for_the_driver_are_told_in_place_of_page_faults() -> None:
    """The faults are the interpreter's own on CUDA; what counts there is asking the driver for memory."""
    assert warnings(policy("layers", page_faults=[65] * ROUNDS), device="cuda") == []
    (sentence,) = warnings(policy("layers", device_allocations=[3] * ROUNDS), device="cuda")
    assert sentence == "layers took new memory from the driver 3 times a step although freed memory is kept"
    assert warnings(policy("layers", device_allocations=[0] * (ROUNDS - 1) + [9]), device="cuda") == []
