import itertools
import json
import re
from pathlib import Path

import pytest

from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.figures import svg as drawn_svg
from gnn_checkpointing.report.figures.bars import Bar, Turn, bar_panel, gantt_panel
from gnn_checkpointing.report.figures.frontier import key_panel
from gnn_checkpointing.report.figures.labels import Box, crosses, placed, wrapped
from gnn_checkpointing.report.figures.lines import Line, Point, lines_over, spread
from gnn_checkpointing.report.figures.palette import INK, looks, ramp
from gnn_checkpointing.report.figures.points import scattered
from gnn_checkpointing.report.page import Panel
from gnn_checkpointing.report.sections.timeline import thinned

ROOT = Path(__file__).resolve().parents[2]
ALL_POLICIES = (
    "none", "layers", "segments(2)", "segments(3)", "segments(4)", "selective", "edge_blocks", "edge_blocks(4096)",
    "layers+edge_blocks", "compiled", "memory_budget(1)", "memory_budget(0.5)", "memory_budget(0)",
    "compiled_edge_blocks", "fused_edge_blocks", "reversible", "offloaded",
)  # fmt: skip
WHITE, DARK = "#ffffff", "#14171a"


def panel() -> str:
    line = Line("none", (Point(4, 1e6, 9e5, 1.1e6), Point(128, 3e7, 2.9e7, 3.1e7)))
    x, y = scales.degree_scale([4, 8, 128]), scales.size_scale([1e6, 3e7], "activation memory $x$")
    return drawn(lines_over("GCN", [line], looks(["none"]), x, y))


def drawn(panel: Panel | None) -> str:
    assert panel is not None
    return panel.svg


def test_a_panel_keeps_text_as_text_has_neither_ids_nor_stamps_and_is_the_same_again() -> None:
    svg = panel()
    assert svg == panel()
    assert "activation memory $x$</text>" in svg
    assert svg.count("http") == 1  # the namespace
    assert " id=" not in svg and "metadata" not in svg
    assert INK in svg


def test_a_page_has_the_style_of_drawings_once_and_its_drawings_are_without() -> None:
    made = drawn_svg.on_page(panel())
    assert made.startswith('<svg viewBox="0 0 ') and "<style" not in made
    classes = set(re.findall(r"\.(\w+)", drawn_svg.STYLE))
    assert {"plot", "x", "y", "chart", "names"} <= classes & set(re.findall('class="(.*?)"', made))


def test_each_mark_says_its_numbers() -> None:
    made = panel().replace("\N{NO-BREAK SPACE}", " ")
    (told,), (numbers,) = re.findall('data-told="(.*?)"', made), re.findall('data-numbers="(.*?)"', made)
    assert told == "{}: {} at average degree {}; GCN"
    assert numbers.split("¶")[1].split("¦") == ["28.6 MiB (27.7 MiB\N{EN DASH}29.6 MiB)", "128"]
    (marks,) = re.findall('class="marks" d="(.*?)"', made)
    assert marks.count("M") == 2


def test_coordinates_are_short_and_lines_are_straightened() -> None:
    assert drawn_svg.compact([0.5, -0.25, 0.31, 12, 3.04, -0.001]) == ".5-.2.3 12 3 0"
    assert drawn_svg.path([(0, 5), (1, 5), (2, 5), (2, 7), (4, 8)]) == "M0 5l2 0 0 2 2 1"
    assert drawn_svg.path([(0, 5), (2, 5), (1, 5)]) == "M0 5l2 0-1 0"  # a turning point stays


def test_text_of_anyone_is_text() -> None:
    name = "<b>&\x00"
    line = Line(name, (Point(4, 1, 1, 1, "a < b"),))
    x, y = scales.degree_scale([4]), scales.ratio_scale([1], "y")
    made = drawn(lines_over("x", [line], {name: looks(["none"])["none"]}, x, y))
    assert "<b>" not in made and "&lt;b&gt;&amp;" in made and "\x00" not in made


@pytest.mark.parametrize("value", [1.2345, 12.345, 0.005, -0.0001])
def test_the_last_bits_of_a_processor_change_no_coordinate(value: float) -> None:
    assert drawn_svg.number(value * (1 + 1e-15)) == drawn_svg.number(value) == drawn_svg.number(value * (1 - 1e-15))


def test_policies_keep_their_colour_whatever_stands_beside_them() -> None:
    alone, together = looks(["layers"]), looks(["none", "edge_blocks(4096)", "layers", "segments"])
    assert alone["layers"] == together["layers"]
    assert len({(look.colour, look.marker) for look in together.values()}) == 4


def test_labels_are_moved_apart_and_keep_their_order() -> None:
    """Two labels of height 0.1 at one place move by half their height each; a distant one stays."""
    assert [round(place, 6) for place in spread([0.5, 0.5, 0.9], [0.1, 0.1, 0.1])] == [0.45, 0.55, 0.9]


def test_ticks_are_few_and_inside_and_a_ratio_axis_contains_one() -> None:
    for low, high in ((1e-3, 2e-3), (1e-3, 5.0), (2000.0, 256000.0), (1.0, 1.0)):
        scale = scales.time_scale([low, high], "step time")
        assert len(scale.ticks) <= 7
        assert all(scale.low <= tick <= scale.high for tick in scale.ticks)
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
    """WCAG 2.1 requires a contrast of 3:1 for graphics (1.4.11)."""
    colours = {look.colour for look in looks(ALL_POLICIES).values()} - {INK}
    colours |= {ramp(step / 20) for step in range(21)}
    assert {colour: contrast(colour, ground) for colour in colours if contrast(colour, ground) < 3} == {}


def test_no_two_policies_look_alike_and_a_variant_keeps_its_colour() -> None:
    found = looks(ALL_POLICIES)
    assert len({(look.colour, look.marker) for look in found.values()}) == len(ALL_POLICIES)
    assert found["segments(2)"].colour == found["segments(3)"].colour != found["layers"].colour


@pytest.mark.parametrize("study", sorted(ROOT.glob("report/*/*/study.json")), ids=lambda path: path.parent.name)
def test_no_two_policies_of_a_published_study_have_the_same_shape(study: Path) -> None:
    """On the frontier colour is density, so that shape alone tells policies apart."""
    policies = json.loads(study.read_text())["policies"]
    assert len({look.marker for look in looks(policies).values()}) == len(policies)


def test_the_key_is_hollow_where_the_marks_are() -> None:
    key = key_panel(looks(["layers", "reversible"]), ["4", "128"], ["reversible"], "Key").svg
    assert ">reversible*</text>" in key
    layers, other = (mark for mark in re.findall(r"<path[^>]*>", key) if "fill-opacity" in mark or "stroke=" in mark)
    assert 'fill="none"' in other and 'fill="none"' not in layers


def test_a_name_is_broken_where_it_reads_best() -> None:
    broken = ("layers+\nedge_blocks", "compiled_\nedge_blocks", "edge_blocks\n(4096)", "memory_\nbudget(0.5)")
    for name in (*broken, "segments(3)", "none"):
        assert wrapped(name.replace("\n", "")) == name


def test_names_of_marks_that_touch_cover_neither_each_other_nor_a_mark_and_stay_inside() -> None:
    anchors = [(100.0 + 4 * number, 100.0 - 3 * number) for number in range(6)]
    marks = [Box(x - 3, y - 3, x + 3, y + 3) for x, y in anchors]
    frame = Box(0, 0, 300, 200)
    boxes = [box for box in placed(anchors, ["some_policy"] * 6, marks, frame, 7.0) if box is not None]
    assert len(boxes) == 6
    assert all(one.overlap(other) == 0 for one, other in itertools.combinations(boxes, 2))
    assert all(box.overlap(mark) == 0 for box in boxes for mark in marks)
    assert all(box.outside(frame) == 0 for box in boxes)


def test_no_name_covers_a_mark_and_one_goes_round_what_is_crowded() -> None:
    crowd = [Box(x - 3, y - 3, x + 3, y + 3) for x in range(100, 160, 5) for y in range(60, 140, 5)]
    (box,) = placed([(110.0, 100.0)], ["some_policy"], crowd, Box(0, 0, 300, 200), 7.0)
    assert box and box.right < 97  # its mark lies near the left edge of the crowd
    assert placed([(130.0, 100.0)], ["some_policy"], crowd, Box(97, 57, 160, 140), 7.0) == [None]


def test_no_lines_to_names_cross_and_a_name_without_a_place_is_left_out() -> None:
    anchors = [(50.0 + 3 * (number % 5), 50.0 + 2 * (number // 5)) for number in range(25)]
    boxes = placed(anchors, ["some_policy"] * 25, [], Box(0, 0, 120, 100), 7.0)
    lines = [(anchor, box.nearest(anchor)) for anchor, box in zip(anchors, boxes, strict=True) if box is not None]
    assert 3 < len(lines) < 25
    assert not any(crosses(one, other) for one, other in itertools.combinations(lines, 2))


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
        float(
            drawn(lines_over("h", some, looks(ALL_POLICIES), x, y)).split('viewBox="0 0 ')[1].split('"')[0].split()[1]
        )
        for some in (lines[:3], lines)
    ]
    assert heights[0] == pytest.approx(187.2)
    assert heights[1] > 1.5 * heights[0]


@pytest.mark.parametrize("value", [3.0e6, 391_700_000.0, 1.0])
def test_a_single_value_has_a_tick_on_either_side(value: float) -> None:
    scale = scales.size_scale([value], "memory")
    assert len(scale.ticks) >= 1
    assert scale.low <= min(scale.ticks) and max(scale.ticks) <= scale.high
    assert scale.low < value < scale.high or value in scale.ticks


def test_a_chart_of_bars_has_a_row_for_each_and_the_width_of_all_panels() -> None:
    """Height: 22 points above, 26 per bar, 32 below."""
    made = [bar_panel([Bar("layers", 2.0**30)] * count, 2.0).svg for count in (1, 3)]
    sizes = [one.split('viewBox="0 0 ')[1].split('"')[0] for one in made]
    assert sizes == ["244.8 80", "244.8 132"]
    # The limit is at 1 / 1.16 of the axis, which is 244.8 - 8 - 78 points long.
    assert re.findall('class="rule" d="M([-.0-9]+?) ', made[0]) == ["136.9"]


def test_a_legend_takes_13_points_a_row_and_a_name_of_twelve_letters_keeps_its_size() -> None:
    """Four names are two rows of three; twelve letters of 8 points take 59.5 of the 60 beside a panel."""
    names = ["none", "layers", "a", "b"]
    x, y = scales.deviation_scale([1.0], "x"), scales.deviation_scale([1.0], "y")
    lines = [Line(name, (Point(0.5, 0.5, 0.5, 0.5),)) for name in names]
    assert 'viewBox="0 0 244.8 200.2"' in drawn(scattered("a", lines, looks(names), x, y, "told"))
    for name, smaller in (("twelveletter", False), ("thirteenletter", True)):
        made = drawn(lines_over("b", [Line(name, lines[0].points)], looks([name]), x, y))
        assert ('font-size="7"' in made) == smaller


def test_the_name_of_an_axis_begins_inside_its_drawing() -> None:
    made = gantt_panel([Turn(0, 0.0, 1.0, 0), Turn(1, 1.0, 2.0, 0)], ["a", "b"], "told").svg
    (left,) = re.findall(r'<text x="([-.\d]+)"[^>]*>graphs, in their order', made)
    assert float(left) >= 0


def test_policies_without_a_kind_get_spare_looks_of_their_own() -> None:
    found = looks(["one", "another", "third"])
    assert len({look.colour for look in found.values()}) == 3
