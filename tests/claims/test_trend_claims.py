"""Claims about the course along density rest on bands that hold together, and tell where a policy breaks even."""

from __future__ import annotations

import pytest

from gnn_checkpointing.analysis.results import Estimate
from gnn_checkpointing.claims.ledger import Claim
from synthetic.findings import claim, empty
from synthetic.results import about, effect, some_effects, trends

STOP = "layers-stop-saving-within-the-range:GATv2:layers"
LOCATED = "layers-break-even-is-located:GATv2:layers"
RISING = ("rises", Estimate(estimate=45, low=40, high=70), "")


def judged(id: str, *band: object) -> Claim:
    return claim(empty(trends=trends(*band), effects=some_effects(effect("GATv2", "edge_blocks"))), id)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("dense", "verdict"),
    [(about(0.995, 0.003), "supported"), (about(0.99, 0.01), "inconclusive"), (about(0.9), "refuted")],
)
def test_layers_stop_saving_where_the_band_ends_above_99_per_cent(dense: Estimate, verdict: str) -> None:
    found = judged(STOP, "layers", "activation_ratio", {"4": about(0.7), "128": dense}, RISING)
    assert found.verdict == verdict
    assert found.reason == (
        "at average degree 128, the densest of 2 levels; it rises through 0.99 at average degree 45 (40 to 70)"
    )


def test_a_policy_that_never_stops_saving_is_said_to_lie_below() -> None:
    found = judged(STOP, "layers", "activation_ratio", {"4": about(0.7), "128": about(0.6)}, ("below", None, ""))
    assert (found.verdict, found.reason.partition("; ")[2]) == ("refuted", "it lies below 0.99 at every level")


@pytest.mark.parametrize(
    ("even", "verdict", "words"),
    [
        (RISING, "supported", "it rises through 0.99 at average degree 45 (40 to 70)"),  # 70 / 40 = 1.75
        (("falls", Estimate(estimate=45, low=20, high=60), ""), "refuted", "it falls through"),  # 60 / 20 = 3
        (("above", None, ""), "untested", "it lies above 0.99 at every level"),
        (("rises", Estimate(estimate=90, low=70, high=128), "dense"), "untested", "beyond the measured densities"),
    ],
)
def test_a_break_even_is_located_where_its_interval_spans_a_factor_of_two(
    even: tuple[str, Estimate | None, str], verdict: str, words: str
) -> None:
    found = judged(LOCATED, "layers", "activation_ratio", {"4": about(0.7), "128": about(0.995)}, even)
    assert found.verdict == verdict
    assert words in found.reason


def test_edge_blocks_save_everywhere_only_if_they_do_at_every_level() -> None:
    id = "edge-blocks-save-at-every-density:GATv2:edge_blocks"
    saving = {"4": about(0.98), "8": about(0.5), "128": about(0.02)}
    found = judged(id, "edge_blocks", "activation_ratio", saving)
    assert found.verdict == "supported"
    assert "3 values" in found.quantity
    assert judged(id, "edge_blocks", "activation_ratio", {**saving, "4": about(0.995)}).verdict == "refuted"


def test_the_direction_along_density_must_be_beyond_what_the_band_leaves_open() -> None:
    """0.9 / 0.8 with intervals of 0.05: at worst 0.85 / 0.85 = 1, which decides nothing; with 0.02, 0.88 / 0.82."""
    id = "layers-save-less-when-dense-on-the-band:GATv2:layers"
    wide = judged(id, "layers", "activation_ratio", {"4": about(0.8, 0.05), "128": about(0.9, 0.05)})
    narrow = judged(id, "layers", "activation_ratio", {"4": about(0.8, 0.02), "128": about(0.9, 0.02)})
    falling = judged(id, "layers", "activation_ratio", {"4": about(0.9), "128": about(0.8)})
    assert [found.verdict for found in (wide, narrow, falling)] == ["inconclusive", "supported", "refuted"]


def test_time_is_judged_on_its_own_band() -> None:
    times = {"4": about(1.5, 0.02), "128": about(1.3, 0.02)}
    assert (
        judged("layers-cost-time-at-every-density:GATv2:layers", "layers", "time_ratio", times).verdict == "supported"
    )
    assert judged("layers-cost-less-time-when-dense:GATv2:layers", "layers", "time_ratio", times).verdict == "supported"
    stops = "edge-blocks-stop-costing-time-within-the-range:GATv2:edge_blocks"
    assert judged(stops, "edge_blocks", "time_ratio", times).verdict == "refuted"
    assert judged(stops, "edge_blocks", "time_ratio", {**times, "128": about(0.97, 0.02)}).verdict == "supported"


def test_one_level_has_no_course() -> None:
    found = judged(STOP, "layers", "activation_ratio", {"4": about(0.995)})
    assert (found.verdict, found.reason) == ("untested", "only one level of density was measured")


def test_without_a_band_nothing_is_judged() -> None:
    found = claim(empty(), STOP)
    assert (found.verdict, found.reason) == (
        "untested",
        "no band along density was found for this convolution and policy",
    )
