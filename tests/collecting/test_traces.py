"""A byte trace that is thinned for a figure keeps its peak, its saved bytes and its local extremes."""

import numpy as np
import pytest

from gnn_checkpointing.collecting.traces import thinned
from gnn_checkpointing.measurement.byte_trace import ByteTrace


def trace(events: int, forward: int, seed: int = 0) -> ByteTrace:
    changes = np.random.default_rng(seed).integers(-900, 1000, events)
    seconds = np.arange(events) / 1000
    return ByteTrace(seconds, np.cumsum(changes, dtype=np.int64), forward, forward / 1000)


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
