"""A study of many policies: the frontier, the allocator's effect, the timeline and the instrument."""

import math
import re
from dataclasses import replace

import pytest

from gnn_checkpointing.analysis.results import Effect
from gnn_checkpointing.report import units
from gnn_checkpointing.report.appendix import section
from gnn_checkpointing.report.documents import documents
from gnn_checkpointing.report.inputs import ReportInputs
from gnn_checkpointing.report.page import Note, Page, Paragraph, Table, words_of
from gnn_checkpointing.report.sections.claims import Claims
from gnn_checkpointing.report.sections.parts import spans
from gnn_checkpointing.sourced import bare
from synthetic import inputs as synthetic
from synthetic.changes import TIMES
from synthetic.frontier import FRONTIER_SHARES, NEEDS_ATTENTION, NEEDS_CUDA

from .reading import block, prose, tables, texts, words_in

DASH = units.NOTHING


@pytest.fixture(scope="module")
def inputs() -> ReportInputs:
    return synthetic.frontier_inputs()


@pytest.fixture(scope="module")
def page(inputs: ReportInputs) -> Page:
    return documents(inputs, {}).appendix


def sentences(page: Page) -> list[tuple[str, str]]:
    blocks = [(part.id, one) for part in page.sections for one in part.blocks]
    said = [(id, words_of(one.text)) for id, one in blocks if isinstance(one, Paragraph | Note)]
    return said + [(id, item.sentence) for id, one in blocks if isinstance(one, Claims) for item in one.items]


def test_many_policies_have_a_frontier_and_three_have_none(page: Page) -> None:
    ids = [part.id for part in page.sections]
    assert ids[:5] == ["memory", "time", "frontier", "allocator", "timeline"]
    assert "instrument" in ids
    default = [part.id for part in documents(synthetic.inputs(), {}).appendix.sections]
    assert default[:3] == ["memory", "time", "timeline"]
    assert not {"frontier", "allocator"} & set(default)


def test_every_point_of_the_frontier_is_in_its_tables(inputs: ReportInputs) -> None:
    """GATv2 with layers keeps 0.25 of 7,500 bytes an edge and 0.6 of 14,000 a node: 0.36 at degree 4, 0.26 at 128."""
    found = section(inputs, "frontier")
    memory, time = (block(found, f"table-frontier-{name}") for name in ("memory", "time"))
    assert [column.name for column in memory.columns] == ["Convolution", "Policy", "4", "8", "32", "128", "512"]
    assert [column.name for column in time.columns][2:] == ["4", "8", "32", "128"]
    assert texts(memory, "GATv2", "layers") == ["0.36", "0.32", "0.27", "0.26", "0.25"]
    assert len(memory.rows) == len(time.rows) == len({(p.convolution, p.policy) for p in inputs.effects.points}) - 3
    for point in inputs.effects.points:
        if point.allocator == "retaining" and point.time_ratio and point.policy not in ("none", "reversible"):
            shown = texts(time, point.convolution, point.policy)[["4", "8", "32", "128"].index(point.level)]
            assert shown.startswith(f"{point.time_ratio.estimate:.2f} (")
    payoff = block(found, "table-payoff")
    assert texts(payoff, "GATv2", "layers") == [f"all (4{DASH}512)", f"all (4{DASH}128)", "nowhere", "nowhere"]
    assert texts(payoff, "GATv2", "fused_edge_blocks")[2:] == [f"all (4{DASH}128)", f"all (4{DASH}128)"]
    assert texts(block(found, "table-flatness"), "GATv2", "edge_blocks") == ["15", "0.0020", "1.76", "512 / 8"]
    assert texts(block(found, "table-segments"), "GATv2", "128")[0] == "segments(3)"
    assert texts(block(found, "table-frontier-bytes"), "GATv2", "edge_blocks")[-1] == "12"
    for id in ("table-frontier-memory", "table-frontier-time", "table-payoff", "table-flatness"):
        assert {row[1] for row in block(found, id).rows if "reversible" in row[1]} == {"reversible (another model)"}


def test_the_figure_says_in_words_where_each_policy_lies(inputs: ReportInputs) -> None:
    lead, *others = documents(inputs, {}).report.figures()
    (figure,) = [one for one in others if one.id.startswith("figure-frontier")]
    assert [panel.title for panel in lead.panels] == ["Key", "GCN"]
    assert [panel.title for panel in figure.panels] == ["Key", "GCN (spmm)", "GATv2"]
    assert figure.size == "wide"
    alternative = figure.panels[-1].alternative
    for policy in set(FRONTIER_SHARES) - {"none", "offloaded"}:
        spot = rf"[ ;.]{re.escape(policy)} [0-9.]+ and [0-9.]+ \([0-9.{DASH}]+\) at degree 4, "
        assert re.search(spot, alternative), policy
    assert "layers 0.36 and 1.4" in alternative


def test_each_panel_has_axes_that_its_points_fill_and_the_caption_says_so(inputs: ReportInputs) -> None:
    lead, *others = documents(inputs, {}).report.figures()
    (figure,) = [one for one in others if one.id.startswith("figure-frontier")]
    own = "Each panel has axes of its own."
    assert own in figure.how_to_read and own not in lead.how_to_read
    for panel in (*lead.panels[1:], *figure.panels[1:]):
        for place, (low, high) in enumerate(re.findall(r'data-[xy]="log (\S+) (\S+)', panel.svg)):
            values = [1.0, *(float(row[column]) for row in panel.drawn.rows for column in ((2,), (4, 5))[place])]
            assert float(low) <= min(values) <= max(values) <= float(high)
            assert math.log(max(values) / min(values)) > 0.6 * math.log(float(high) / float(low)), panel.title


def test_the_limits_give_the_share_with_the_sorted_graph_and_the_allocators_effect(inputs: ReportInputs) -> None:
    said = words_in(next(part for part in documents(inputs, {}).report.sections if part.id == "limits").blocks)
    own = [e for e in inputs.effects.generated if e.policy == "fused_edge_blocks" and e.level == "128"]
    assert own
    for effect in own:
        more = effect.activation_ratio.estimate * (1 + effect.policy_resident_bytes / effect.activation_bytes)
        assert (
            bare(f"fused_edge_blocks leaves {units.percent(more)} of activation memory on the densest graphs") in said
        )
    wanted = ("layers", "edge_blocks")  # with GCN, fused_edge_blocks is refused here
    found = [e for e in inputs.effects.allocators if (e.convolution, e.level) == ("GCN", "128") and e.policy in wanted]
    assert len(found) == len(wanted)
    assert bare(f"GCN's plain training then takes {units.ratio(found[0].on_none)} times as long") in said
    for seen in found:
        ends = [bare(units.ratio_estimate(ratio)) for ratio in (seen.observed, seen.checkpointing)]
        assert f"{seen.policy} {ends[0]} instead of {ends[1]}" in said
    alone = synthetic.frontier_inputs(allocators=("retaining",))
    assert "GCN's plain training" not in words_in(documents(alone, {}).report.sections[0].blocks)


def test_wherever_the_densest_graphs_are_named_it_is_said_that_they_were_not_timed(inputs: ReportInputs) -> None:
    """Graphs of degree 512 have bytes only."""
    report = documents(inputs, {}).report
    limits = next(part for part in report.sections if part.id == "limits")
    assert "Average degree 512, with 1,024,000 edges, was not timed" in words_in(limits.blocks)
    assert "on the densest timed graphs?" in words_in(report.opening)
    named = [f"table-frontier-{name}" for name in ("memory", "bytes")] + ["table-payoff", "table-flatness"]
    frontier = section(inputs, "frontier")
    captions = [block(frontier, id).caption for id in named]
    captions += [
        block(section(inputs, "trends.memory"), f"{kind}-memory-level").caption for kind in ("figure", "table")
    ]
    captions += [report.lead.caption] if report.lead else []
    assert [one for one in captions if "Average degree 512 was not timed" not in one] == []
    timed = documents(synthetic.frontier_inputs(untimed=None), {}).report
    assert "not timed" not in words_in([*timed.opening, *(one for part in timed.sections for one in part.blocks)])


def test_a_policy_with_other_gradients_is_left_out_with_the_reason(inputs: ReportInputs) -> None:
    changed = {"same_gradients": False, "gradient_error": 3.05e-5}
    lost = {"convolution": "GATv2", "policy": "edge_blocks", "requested_average_degree": 128, "allocator": "retaining"}
    rows = [{**row, **changed} if lost.items() <= row.items() else row for row in inputs.rows]
    reason = "GATv2, edge_blocks is left out at degree 128: its"
    for study, words in ((replace(inputs, rows=rows), reason), (inputs, "")):
        report = documents(study, {}).report
        said = words_in([*report.opening, *(one for part in report.sections for one in part.blocks)])
        assert words in said
        assert ("Edge blocks left out" in said) == bool(words)
        (figure,) = [one for one in report.figures() if one.id == "figure-throughput"]
        drawn = {(panel.title, *row[:2]) for panel in figure.panels for row in panel.drawn.rows}
        assert (("GATv2", "edge_blocks", 128.0) in drawn) != bool(words)
        assert ("GATv2", "layers", 128.0) in drawn


@pytest.mark.parametrize(
    ("chosen", "levels", "text"),
    [
        ([], [], "not measured"),
        ([], ["4", "8"], "nowhere"),
        (["4", "8"], ["4", "8"], f"all (4{DASH}8)"),
        (["4"], ["4"], "4"),
        (["4", "16", "32", "64"], ["4", "8", "16", "32", "64", "128"], f"4, 16{DASH}64"),
    ],
)
def test_levels_are_printed_as_runs(chosen: list[str], levels: list[str], text: str) -> None:
    assert spans(chosen, levels) == text


def test_a_policy_that_is_unavailable_or_refuses_is_listed_with_its_reason(inputs: ReportInputs, page: Page) -> None:
    absent = block(section(inputs, "quality.failed"), "table-absent")
    assert [list(row) for row in absent.rows] == [
        ["offloaded", "unavailable here", "GATv2, GCN, GCN (spmm)", "30", NEEDS_CUDA],
        ["fused_edge_blocks", "refused", "GCN, GCN (spmm)", "20", NEEDS_ATTENTION],
    ]
    said = [text for _, text in sentences(page)]
    assert any("None failed: all 370 measurements" in text for text in said)
    assert any("reversible trains another model" in text for text in said)
    (missing,) = [text for text in said if text.startswith("Not on the frontier")]
    assert NEEDS_CUDA in missing and NEEDS_ATTENTION in missing


def test_the_allocators_part_is_apart_from_checkpointings(inputs: ReportInputs, page: Page) -> None:
    """Time of page faults is the allocator's effect: no answer, claim or other section may attribute it to a policy."""
    found = section(inputs, "frontier.allocator")
    assert "Checkpointing's effect, under retaining" in prose(found)
    assert "The allocator's effect: under default" in prose(found)
    parts = block(found, "table-allocator-parts-default")
    assert {row[2] for row in parts.rows} == {"4", "128"}
    none = texts(parts, "GATv2", "none", "128")
    assert none[:2] == [units.NOTHING, units.NOTHING]
    assert none[3] == f"0 / {1_948_005_000 // 4096:,}"
    assert "allocator" in {id for id, text in sentences(page) if "fault" in text} <= {"allocator", "method"}


def test_every_time_outside_the_allocators_section_is_the_references(inputs: ReportInputs) -> None:
    """A table without rows of the allocator `default` gives the same sections."""
    alone = synthetic.frontier_inputs(allocators=("retaining",))
    for place in ("trends.memory", "frontier", "trends.time"):
        assert [one.rows for one in tables(section(inputs, place))] == [
            one.rows for one in tables(section(alone, place))
        ]
    assert section(alone, "frontier.allocator") is None


def test_the_timeline_says_in_words_and_in_a_table_what_it_draws(inputs: ReportInputs) -> None:
    found = section(inputs, "timeline")
    figure = block(found, "figure-timeline")
    assert [panel.title for panel in figure.panels] == ["GCN", "GCN (spmm)", "GATv2"]
    trace = next(t for t in inputs.traces if (t.convolution, t.policy) == ("GATv2", "edge_blocks"))
    peak = texts(block(found, "table-timeline"), "GATv2", "edge_blocks")[1]
    assert f"edge_blocks peaks at {peak} and holds" in figure.panels[-1].alternative
    assert peak.endswith("MiB")
    assert float(peak.split()[0]) == pytest.approx(trace.peak_bytes / 2**20, rel=0.01)


def test_the_instrument_says_what_agrees_what_does_not_and_what_others_would_say(inputs: ReportInputs) -> None:
    found = section(inputs, "method.instrument")
    assert list(block(found, "table-readings").rows[0][1:4]) == ["370", "370", "369"]
    (note,) = [one.text for one in found.blocks if isinstance(one, Note)] if found else []
    assert "high_water_bytes is +0.2 % off activation_bytes" in note
    assert [row[3] for row in block(found, "table-demonstration").rows] == ["1.00", "1.00", "1.53", "1.86", "0.020"]
    assert texts(block(found, "table-halves"), "layers")[1:] == [
        "40\N{NO-BREAK SPACE}%",
        "60\N{NO-BREAK SPACE}%",
        "1.50",
    ]
    blind = synthetic.demonstration().model_copy(update={"benchmark_max_rss_bytes": None})
    shown = block(section(synthetic.inputs(demonstration=blind), "method.instrument"), "table-demonstration")
    assert list(shown.rows[-1][2:]) == ["saw nothing", units.NOTHING]


def test_a_study_in_which_nothing_was_timed_has_a_report() -> None:
    made = synthetic.frontier_inputs(
        convolutions=("GCN",), aggregations=("gather_scatter",), allocators=("retaining",), degrees=(4, 8), untimed=None
    )
    untimed = [{**row, **dict.fromkeys(TIMES)} for row in made.rows if row["policy"] in ("none", "layers", "selective")]
    nothing = dict.fromkeys(name for name in Effect.model_fields if name.endswith("per_second") or "time" in name)
    rows = [row.model_copy(update=nothing) for row in made.effects.rows]
    effects = made.effects.model_copy(update={"rows": rows})
    assert documents(synthetic.inputs(untimed, effects=effects), {}).appendix.sections


def test_no_table_is_wider_than_a_sheet(page: Page) -> None:
    found = (one for part in page.sections for one in part.blocks if isinstance(one, Table))
    assert max(len(one.columns) for one in found) <= 11
