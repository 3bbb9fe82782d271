"""A byte trace comes back as it went, knows its blocks, and keeps its peak and extremes when thinned for a figure."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gnn_checkpointing.artefacts import seal_file
from gnn_checkpointing.collecting import thinned
from gnn_checkpointing.records.traces import ByteTrace, read_byte_traces, write_byte_traces
from gnn_checkpointing.refusal import Refusal


def trace(events: int, forward: int, seed: int = 0) -> ByteTrace:
    changes = np.random.default_rng(seed).integers(-900, 1000, events)
    seconds = np.arange(events) / 1000
    return ByteTrace(seconds, np.cumsum(changes, dtype=np.int64), forward, forward / 1000)


def test_traces_come_back_by_policy(tmp_path: Path) -> None:
    traces = {"none": trace(50, 20), "memory_budget(0.5)": trace(7, 3, seed=1), "empty": trace(0, 0)}
    traces["none"] = replace(traces["none"], block_events=np.array([0, 4, 20]))
    write_byte_traces(tmp_path / "t.npz", traces)
    found = read_byte_traces(tmp_path / "t.npz")
    assert list(found) == list(traces)
    for policy, expected in traces.items():
        assert np.array_equal(found[policy].seconds, expected.seconds)
        assert np.array_equal(found[policy].live_bytes, expected.live_bytes)
        assert found[policy].forward_events == expected.forward_events
        assert np.array_equal(found[policy].block_events, expected.block_events)
        assert found[policy].forward_ended_seconds == expected.forward_ended_seconds


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.npz").write_bytes(b"PK not a zip")
    with pytest.raises(Refusal, match=r"t\.npz"):
        read_byte_traces(tmp_path / "t.npz")


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("0.seconds", np.zeros(2**27), "not readable as an .npz file (its arrays have 1,0"),
        ("more", np.zeros(2**28), "not readable as an .npz file (its arrays have 2,1"),
        ("0.forward_events", np.array(50.0), "forward_events is of type float64"),
        ("0.live_bytes", np.zeros((50, 1), np.int64), "of 2 dimensions"),
        ("policies", np.array([1]), "policies is of type int64"),
        ("policies", np.array(["none", "none"]), "not a file of byte traces ('1.seconds')"),
        ("0.seconds", np.full(50, np.nan), "seconds are not one finite number for each event"),
        ("0.live_bytes", np.arange(50) + 1j, "live_bytes is of type complex128"),
        ("0.live_bytes", np.arange(49), "seconds are not one finite number for each event"),
        ("0.forward_events", np.array(51), "a forward pass has more events than there are"),
        ("0.forward_events", np.array(-1), "a forward pass has more events than there are"),
        ("0.block_events", np.array([0, 20, 99]), "a block ends after the last event"),
        ("0.block_events", None, "not a file of byte traces ('0.block_events')"),
    ],
)
def test_traces_that_cannot_be_are_refused(tmp_path: Path, column: str, value: object, said: str) -> None:
    path = tmp_path / "t.npz"
    write_byte_traces(path, {"none": replace(trace(50, 20), block_events=np.array([0, 4, 20]))})
    with np.load(path) as found:
        columns = {name: found[name] for name in found.files} | {column: value}
    np.savez_compressed(path, **{name: value for name, value in columns.items() if value is not None})
    seal_file(path).unlink()
    with pytest.raises(Refusal) as refused:
        read_byte_traces(path)
    assert said in str(refused.value)
    assert str(path) in str(refused.value)


def test_blocks_by_hand() -> None:
    """Events 5, 9, 7 | 8, 12, 6: the first block ends at 7 with 9 at once, the second at 6 with 12; before them 0."""
    live = np.array([5, 9, 7, 8, 12, 6], dtype=np.int64)
    marked = ByteTrace(np.arange(6.0), live, 6, 1.0, np.array([0, 3, 6]))
    assert marked.at_blocks() == [0, 7, 6]
    assert marked.within_blocks() == [9, 12]


@pytest.mark.parametrize("events", [0, 5, 400, 401, 20_000])
def test_a_thinned_trace_keeps_its_ends_and_extremes_in_order(events: int) -> None:
    whole = trace(events, events // 3)
    seconds, live = thinned(whole)
    assert len(seconds) == len(live) <= 400
    assert seconds == sorted(seconds)
    if events:
        assert max(live) == whole.live_bytes.max() and min(live) == whole.live_bytes.min()
        assert live[-1] == whole.live_bytes[-1]
    if events > 3:
        ended = whole.forward_events - 1
        assert (whole.seconds[ended], whole.live_bytes[ended]) in list(zip(seconds, live, strict=True))


def test_a_short_peak_in_each_pass_survives_thinning() -> None:
    """Two spikes of one event each among 20,000: both are the extremes of their buckets."""
    live = np.zeros(20_000, dtype=np.int64)
    live[3_333], live[15_001] = 7, 9
    _, kept = thinned(ByteTrace(np.arange(20_000.0), live, 10_000, 1.0))
    assert 7 in kept and 9 in kept
