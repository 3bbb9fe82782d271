"""A record warns about itself: each warning by numbers replayed, and none where there is nothing to say."""

from typing import Any

import pytest

from gnn_checkpointing.measurement.job import unavailable_cell
from gnn_checkpointing.measurement.readings import sentinel_drift, with_warnings
from gnn_checkpointing.records.cell import CellRecord
from measurement.cells import cell_of
from synthetic.studies import small_study

ROUNDS = 12
STUDY = small_study(["GCN"], grid={"family": "sbm", "num_nodes": [40], "average_degrees": [4]}, seed=1)


def steps(**changed: list[float]) -> dict[str, Any]:
    each = {"wall_seconds": 0.02, "forward_seconds": 0.01, "cpu_seconds": 0.02, "system_seconds": 0.0}
    each |= dict.fromkeys(("page_faults", "voluntary_switches", "involuntary_switches"), 0)
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
            **dict.fromkeys(("loss_error", "gradient_error", "buffer_error"), 0),
            **{"same_loss": True, "same_gradients": same, "same_buffers": True},
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
    record = CellRecord.model_validate(record.model_dump(mode="json") | undisturbed | changed)
    return with_warnings(record, STUDY).warnings


FAULTING = policy("layers", page_faults=[65] * ROUNDS)
CUDA = {"device": "cuda"}
OTHERS = ["process 7 (train), 5 bytes", "process 8 (serve), 6 bytes"]
DRIVER = policy("layers")
DRIVER["readings"] |= {"reserved_bytes": 2000, "driver_bytes": 9000, "driver_agrees": False}


def slower(rounds: int) -> dict[str, Any]:
    """A sentinel that takes 20 % longer in the last three of some rounds."""
    return {"sentinel_seconds": [0.005] * (rounds - 3) + [0.006] * 3, "sentinel_by_round": True}


@pytest.mark.parametrize(
    ("layers", "changed"),
    [
        (None, {}),
        # No surprise where freed memory goes back; on CUDA the faults are the interpreter's own.
        (FAULTING, {"allocator": "default"}),
        (FAULTING, CUDA),
        (policy("layers", device_allocations=[0] * (ROUNDS - 1) + [9]), CUDA),
        (None, slower(8)),  # single readings of so few rounds are no drift
    ],
)
def test_a_record_with_nothing_to_say_says_nothing(layers: dict[str, Any] | None, changed: dict[str, Any]) -> None:
    assert warnings(layers, **changed) == []


@pytest.mark.parametrize(
    ("layers", "changed", "words"),
    [
        (policy("layers", wall_seconds=[0.02, 0.03] * 6), {}, "time ratio of layers is known to"),
        (policy("layers", fake_bytes=7), {}, "memory readings of layers disagree: allocator events 900 bytes"),
        (policy("layers", same=False), {}, "layers changes what is computed"),
        (FAULTING, {}, "layers faulted 65 pages a step although freed memory is kept"),
        # 13 switches in each of 12 steps of 20 ms, beside as many undisturbed ones of none: 156 in 0.48 s.
        (policy("layers", involuntary_switches=[13] * ROUNDS), {}, "taken away 325 times a second"),
        (None, {"load_after": 1.8}, "load 1.8"),
        (None, {"sentinel_seconds": [0.005] * 4 + [0.006] * 4}, "took 20% longer"),
        (None, slower(9), "took 20% longer"),
        (None, CUDA | {"others_on_device": OTHERS}, f"held by {OTHERS[0]} and {OTHERS[1]}"),
        (
            DRIVER,
            CUDA,
            "over a step of layers the driver's account of the device changed by more than 33,554,432 bytes",
        ),
        (
            policy("layers", device_allocations=[3] * ROUNDS),
            CUDA,
            "layers took new memory from the driver 3 times a step although freed memory is kept",
        ),
    ],
)
def test_a_record_warns_in_one_sentence(layers: dict[str, Any] | None, changed: dict[str, Any], words: str) -> None:
    (sentence,) = warnings(layers, **changed)
    assert words in sentence


def test_steps_too_short_to_time_are_told() -> None:
    short = [0.0009] * ROUNDS
    found = warnings(policies=[policy("none", wall_seconds=short), policy("layers", wall_seconds=short)])
    assert [sentence.split(" ms")[0] for sentence in found] == [
        "a step of none takes 0.90",
        "a step of layers takes 0.90",
    ]


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
