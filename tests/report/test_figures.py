from __future__ import annotations

import itertools
import re

import pytest

from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.figures.canvas import _ungrouped
from gnn_checkpointing.report.figures.labels import Box, placed, wrapped
from gnn_checkpointing.report.figures.lines import Line, Point, line_panel, spread
from gnn_checkpointing.report.figures.palette import INK, family, looks, ramp
from gnn_checkpointing.report.figures.timeline import thinned

ALL_POLICIES = (
    "none", "layers", "segments(2)", "segments(3)", "segments(4)", "selective", "edge_blocks", "edge_blocks(4096)",
    "layers+edge_blocks", "compiled", "memory_budget(1)", "memory_budget(0.5)", "memory_budget(0)",
    "compiled_edge_blocks", "fused_edge_blocks", "reversible", "offloaded",
)  # fmt: skip
WHITE, DARK = "#ffffff", "#14171a"


def panel(name: str) -> str:
    line = Line("none", (Point(4, 1e6, 9e5, 1.1e6), Point(128, 3e7, 2.9e7, 3.1e7)))
    x, y = scales.degree_scale([4, 8, 128]), scales.size_scale([1e6, 3e7], "activation memory $x$")
    return line_panel(name, [line], looks(["none"]), x, y)


def test_the_same_data_give_the_same_bytes() -> None:
    assert panel("a") == panel("a")


def test_ids_of_two_panels_never_meet_but_for_letters_and_every_reference_is_kept() -> None:
    first, second = panel("a"), panel("b")
    ids = [set(re.findall(r'\bid="([^"]+)"', svg)) for svg in (first, second)]
    letters = [dict(re.findall(r'<path id="([DB][0-9a-f]+)"([^>]*)/>', svg)) for svg in (first, second)]
    assert ids[0] - set(letters[0])
    assert ids[0] & ids[1] == set(letters[0]) & set(letters[1])
    assert letters[0] == letters[1] != {}
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
    assert len({(look.colour, look.marker) for look in together.values()}) == 4


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


def luminance(colour: str) -> float:
    """Relative luminance by WCAG 2.1."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("ground", [WHITE, DARK])
def test_every_colour_stands_out_from_either_ground(ground: str) -> None:
    """3:1 is what WCAG 2.1 asks of a graphic (1.4.11)."""
    colours = {look.colour for look in looks(ALL_POLICIES).values()} - {INK}
    colours |= {ramp(step / 20) for step in range(21)}
    assert {colour: contrast(colour, ground) for colour in colours if contrast(colour, ground) < 3} == {}


def test_no_two_policies_look_alike() -> None:
    drawn = [(look.colour, look.marker) for look in looks(ALL_POLICIES).values()]
    assert len(set(drawn)) == len(ALL_POLICIES)


def test_a_variant_keeps_the_colour_of_its_kind_and_a_family_its_shape() -> None:
    found = looks(ALL_POLICIES)
    assert found["segments(2)"].colour == found["segments(3)"].colour != found["layers"].colour
    assert family("segments(3)") == family("layers") != family("edge_blocks(4096)")
    assert family("edge_blocks(4096)") == family("layers+edge_blocks")


def test_a_name_is_broken_where_it_reads_best() -> None:
    assert wrapped("layers+edge_blocks") == "layers+\nedge_blocks"
    assert wrapped("compiled_edge_blocks") == "compiled_\nedge_blocks"
    assert wrapped("edge_blocks(4096)") == "edge_blocks\n(4096)"
    assert wrapped("memory_budget(0.5)") == "memory_\nbudget(0.5)"
    assert wrapped("segments(3)") == "segments(3)"
    assert wrapped("none") == "none"


def test_names_of_marks_that_touch_cover_neither_each_other_nor_a_mark_and_stay_inside() -> None:
    anchors = [(100.0 + 4 * number, 100.0 - 3 * number) for number in range(6)]
    marks = [Box(x - 3, y - 3, x + 3, y + 3) for x, y in anchors]
    frame = Box(0, 0, 300, 200)
    boxes = placed(anchors, ["some_policy"] * 6, marks, frame, 7.0)
    assert all(one.overlap(other) == 0 for one, other in itertools.combinations(boxes, 2))
    assert all(box.overlap(mark) == 0 for box in boxes for mark in marks)
    assert all(box.outside(frame) == 0 for box in boxes)


def test_thinning_keeps_the_peak_and_the_floor() -> None:
    points = [(number / 999, float(number == 517) * 1000 + number % 7) for number in range(1000)]
    kept = thinned(points, 50)
    assert len(kept) <= 100
    assert max(value for _, value in kept) == max(value for _, value in points)
    assert kept == sorted(kept)


def test_a_panel_grows_where_its_names_need_room() -> None:
    lines = [Line(policy, (Point(4, 1e6, 1e6, 1e6), Point(128, 1e6, 1e6, 1e6))) for policy in ALL_POLICIES]
    x, y = scales.degree_scale([4, 128]), scales.size_scale([1e5, 1e7], "activation memory")
    heights = [
        float(str(line_panel("h", some, looks(ALL_POLICIES), x, y)).split('viewBox="0 0 ')[1].split('"')[0].split()[1])
        for some in (lines[:3], lines)
    ]
    assert heights[0] == pytest.approx(2.6 * 72)
    assert heights[1] > 1.5 * heights[0]


@pytest.mark.parametrize("value", [3.0e6, 391_700_000.0, 1.0])
def test_a_single_value_has_a_tick_on_either_side(value: float) -> None:
    scale = scales.size_scale([value], "memory")
    assert len(scale.ticks) >= 1
    assert scale.low <= min(scale.ticks) and max(scale.ticks) <= scale.high
    assert scale.low < value < scale.high or value in scale.ticks


def test_groups_that_say_nothing_are_left_out_and_the_others_still_close() -> None:
    svg = '<svg><g><g style="a"><path/><g style="b"/></g><g/><g><path/></g></g></svg>'
    assert _ungrouped(svg) == '<svg><g style="a"><path/></g><path/></svg>'
