from __future__ import annotations

import re

from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.figures.lines import Line, Point, line_panel, spread
from gnn_checkpointing.report.figures.palette import INK, looks


def panel(name: str) -> str:
    line = Line("none", (Point(4, 1e6, 9e5, 1.1e6), Point(128, 3e7, 2.9e7, 3.1e7)))
    x, y = scales.degree_scale([4, 8, 128]), scales.size_scale([1e6, 3e7], "activation memory $x$")
    return line_panel(name, [line], looks(["none"]), x, y)


def test_the_same_data_give_the_same_bytes() -> None:
    assert panel("a") == panel("a")


def test_ids_of_two_panels_never_meet_and_every_reference_is_kept() -> None:
    first, second = panel("a"), panel("b")
    ids = [set(re.findall(r'\bid="([^"]+)"', svg)) for svg in (first, second)]
    assert ids[0]
    assert not ids[0] & ids[1]
    assert set(re.findall(r'(?:href="|url\()#([^")]+)', first)) <= ids[0]


def test_a_panel_holds_no_address_no_stamp_and_no_text_of_anyone() -> None:
    svg = panel("a").replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert "http" not in svg
    assert "metadata" not in svg
    assert "<style" not in svg
    assert "activation" not in svg
    assert INK in svg


def test_policies_keep_their_colour_whatever_stands_beside_them() -> None:
    alone, together = looks(["layers"]), looks(["none", "edge_blocks(4096)", "layers", "segments"])
    assert alone["layers"] == together["layers"]
    assert len({look.colour for look in together.values()}) == 4


def test_labels_are_moved_apart_and_keep_their_order() -> None:
    """Two labels of height 0.1 at one place move by half of it each; a distant one stays."""
    assert [round(place, 6) for place in spread([0.5, 0.5, 0.9], [0.1, 0.1, 0.1])] == [0.45, 0.55, 0.9]


def test_ticks_are_few_and_inside() -> None:
    for low, high in ((1e-3, 2e-3), (1e-3, 5.0), (2000.0, 256000.0), (1.0, 1.0)):
        scale = scales.time_scale([low, high], "step time")
        assert len(scale.ticks) <= 7
        assert all(scale.low <= tick <= scale.high for tick in scale.ticks)


def test_a_ratio_axis_contains_one() -> None:
    for values in ([0.02, 0.5], [1.2, 1.4], [0.8]):
        scale = scales.ratio_scale(values, "ratio")
        assert scale.low <= 1 <= scale.high
