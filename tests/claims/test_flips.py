"""A claim that another run may turn is inconclusive, whatever its interval says."""

from __future__ import annotations

import pytest

from gnn_checkpointing.analysis.results import Estimate
from gnn_checkpointing.claims.noise import flipping, steady
from gnn_checkpointing.claims.rules import above, within
from synthetic.findings import claim, synthetic
from synthetic.results import about


@pytest.mark.parametrize(
    ("low", "middle", "high", "expected"),
    [
        (1.0, 1.0, 1.0, 0.0),  # not above 1, and no run differs
        (1.2, 1.4, 1.6, 0.0),
        (0.9, 1.0001, 1.11, 0.5),  # at the threshold every second run says the opposite
        (0.95, 1.05, 1.16, 0.17),  # z = ln 1.05 / (ln(1.16 / 0.95) / 3.92) = 0.96: 17 % of a normal lie beyond
    ],
)
def test_the_share_of_runs_that_turn_a_claim(low: float, middle: float, high: float, expected: float) -> None:
    estimate = Estimate(estimate=middle, low=low, high=high)
    assert flipping(above(1), [estimate], 0.95) == pytest.approx(expected, abs=0.05)


def test_many_estimates_at_once_turn_more_easily_than_one() -> None:
    """Each alone turns in 2.5 % of the runs; of twelve one or more does in 26 %."""
    edge = about(1.0, 0.1)
    assert flipping(within(0.9, 2), [edge], 0.95) < 0.05
    assert 0.15 < flipping(within(0.9, 2), [edge] * 12, 0.95) < 0.4
    assert steady("supported", 0.26) == steady("refuted", 0.26) == "inconclusive"
    assert steady("supported", 0.05) == "supported"
    assert steady("untested", 0.5) == "untested"


def test_bytes_never_flip_and_times_may() -> None:
    found = synthetic()
    assert claim(found, "layers-lower-the-peak:GATv2:layers").flips == 0
    assert claim(found, "edge-blocks-no-slower-than-layers:GATv2:edge_blocks").flips > 0
    assert claim(found, "layers-keep-half-the-throughput:GATv2:layers").verdict == "supported"
