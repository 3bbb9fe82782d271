"""Figures over density show simultaneous bands, and break-evens are given in words."""

from collections.abc import Sequence
from typing import Any

import pytest

from gnn_checkpointing.analysis.results import BreakEven, Estimate
from gnn_checkpointing.report import units
from gnn_checkpointing.report.appendix import section
from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.inputs import EFFECTS, TRENDS, ReportInputs
from gnn_checkpointing.report.sections import trends
from synthetic import inputs as synthetic
from synthetic.results import made

from .reading import block, tables, texts

CROSSING, SPAN = Estimate(estimate=41.2, low=33.1, high=52.4), units.interval("33.1", "52.4")


@pytest.fixture(scope="module")
def inputs() -> ReportInputs:
    return synthetic.inputs(trends=synthetic.trends())


def test_the_whiskers_are_those_of_the_band(inputs: ReportInputs) -> None:
    """GATv2 under layers at degree 128: (1,500 + 500 x 128) / (3,000 + 2,000 x 128) = 0.2529, ± 10 %."""
    line = next(line for line in trends.ratio_lines(inputs, "GATv2", trends.MEMORY) if line.policy == "layers")
    last = line.points[-1]
    assert (last.y, last.low, last.high) == pytest.approx((0.25290, 0.22761, 0.27819), rel=1e-4)
    found = block(section(inputs, "trends.memory"), "figure-memory-ratio")
    assert found.source == TRENDS
    assert f"0.25 ({units.interval('0.23', '0.28')}) at degree 128" in found.panels[-1].alternative


def test_bytes_have_a_span_over_graphs_and_times_an_interval_that_holds_together(inputs: ReportInputs) -> None:
    of_memory, of_time = section(inputs, "trends.memory"), section(inputs, "trends.time")
    memory, time = block(of_memory, "figure-memory-ratio"), block(of_time, "figure-time-ratio")
    together, span = "simultaneous 95\N{NO-BREAK SPACE}% intervals", "span over replicate graphs"
    assert "with simultaneous intervals" in time.caption
    for text, other in (
        (time.how_to_read, memory.how_to_read),
        (time.panels[-1].alternative, memory.panels[-1].alternative),
    ):
        assert together in text and span not in text
        assert together not in other and span in other
    table = block(of_time, "table-time-step-ratio")
    assert table.source == EFFECTS
    assert "interval of each level alone" in table.caption
    assert "interval" not in block(of_memory, "table-memory-activation-ratio").caption


def test_without_a_band_for_every_level_each_level_has_its_own() -> None:
    bands = synthetic.trends().bands
    short = bands[0].model_copy(update={"points": bands[0].points[:-1]})
    made = synthetic.trends().model_copy(update={"bands": [short, *bands[1:]]})
    found = block(section(synthetic.inputs(trends=made), "trends.memory"), "figure-memory-ratio")
    assert found.source == EFFECTS
    assert "simultaneous" not in found.how_to_read + found.caption + found.panels[0].alternative


def test_an_interval_that_says_nothing_does_not_squeeze_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """An unbounded interval of a ratio of 0.7 is drawn from a third of the ratio to three times the ratio."""
    scaled: list[Sequence[float]] = []
    drawn = scales.ratio_scale
    monkeypatch.setattr(scales, "ratio_scale", lambda values, label: scaled.append(values) or drawn(values, label))
    made = synthetic.trends()
    first = next(band for band in made.bands if band.quantity == "time_ratio")
    others = [band for band in made.bands if band is not first]
    wild = first.points[0].model_copy(update={"ratio": Estimate(estimate=0.7, low=1e-6, high=1e6)})
    bands = [first.model_copy(update={"points": [wild, *first.points[1:]]}), *others]
    wide = synthetic.inputs(trends=made.model_copy(update={"bands": bands}))
    found = block(section(wide, "trends.time"), "figure-time-ratio")
    assert "run out of the panel" in found.how_to_read
    assert max(scaled[0]) == pytest.approx(2.1)
    assert min(scaled[0]) > 0.01


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "saves at every density measured"),
        ({"certain": False}, "saves at every density measured, though not for certain at each"),
        ({"course": "above"}, "saves at no density measured"),
        ({"course": "rises", "average_degree": CROSSING}, f"stops saving above degree 41.2 ({SPAN})"),
        (
            {"course": "falls", "average_degree": CROSSING, "open": "sparse"},
            "starts to save above degree 41.2 (52.4 or less)",
        ),
        (
            {"course": "rises", "average_degree": CROSSING, "open": "dense"},
            "stops saving above degree 41.2 (33.1 or more)",
        ),
        ({"course": "rises", "average_degree": Estimate(estimate=40, low=40, high=40)}, "stops saving above degree 40"),
        (
            {"quantity": "time_ratio", "course": "falls", "average_degree": CROSSING},
            f"slower than none below degree 41.2 ({SPAN}), faster above",
        ),
        ({"quantity": "time_ratio", "course": "above"}, "slower than none at every density measured"),
        ({"course": "crosses", "certain": False}, "saves at some densities, and not at others between them"),
    ],
)
def test_a_break_even_in_words(changes: dict[str, Any], expected: str) -> None:
    assert trends.in_words(made(BreakEven, **{"convolution": "GCN", **changes})) == expected


def test_policies_of_one_course_share_a_row(inputs: ReportInputs) -> None:
    table = block(section(inputs, "trends.memory"), "table-break-even-activation")
    assert "more than 1\N{NO-BREAK SPACE}% of none's" in table.caption
    assert texts(table, "GCN") == ["layers, edge_blocks", "saves at every density measured"]
    assert texts(table, "SAGE", "layers") == [f"stops saving above degree 41.2 ({SPAN})"]
    assert len(table.rows) == 4
    time = block(section(inputs, "trends.time"), "table-break-even-time")
    assert texts(time, "GCN", "layers") == ["slower than none at every density measured"]
    ids = [one.id for one in tables(section(synthetic.inputs(), "trends.memory"))]
    assert "table-memory-activation-ratio" in ids
    assert "table-break-even-activation" not in ids
