"""Real graphs: every graph, convolution and policy, completed or not, and the same graphs graded in density."""

from __future__ import annotations

from gnn_checkpointing.analysis.results import Effect, Estimate
from gnn_checkpointing.records.measurements_table import number
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figure import Figure
from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.figures.palette import looks
from gnn_checkpointing.report.figures.points import Mark
from gnn_checkpointing.report.inputs import EFFECTS, MEASUREMENTS, ReportInputs, Row
from gnn_checkpointing.report.page import Section
from gnn_checkpointing.report.panels import Of, figure, marks_on_rows, table
from gnn_checkpointing.report.sections.parts import CONVOLUTION, Columns, blocks, of_policy, of_ratio, over_bases
from gnn_checkpointing.report.texts import texts

_text = texts("real")

METHODS = {"": "as it is", "thinned": "thinned", "capped": "capped", "two_hop": "two-hop"}
_REAL: Columns = (
    Of("Graph", lambda row: str(row["graph_label"]), content="prose"),
    Of("Nodes", lambda row: number(row, "num_nodes"), units.count),
    Of("Edges", lambda row: number(row, "num_edges"), units.count),
    Of("Average degree", lambda row: number(row, "average_degree"), units.plain),
    Of("Convolution", lambda row: str(row["convolution"])),
    Of("Policy", lambda row: str(row["policy"])),
    Of("Peak", lambda row: number(row, "peak_memory_bytes"), units.size),
    Of(
        "Activations",
        lambda row: None if row["policy"] == "none" else number(row, "activation_ratio"),
        units.ratio,
        "/ none",
    ),
    Of("Step time", lambda row: number(row, "step_time_seconds"), units.duration),
    Of("Time", lambda row: _ratio(row), units.ratio_estimate, "/ none"),
    Of("Outcome", lambda row: outcome_text(row)),
)


def real_section(inputs: ReportInputs) -> Section | None:
    """Every policy on every real graph, None where the study has none."""
    rows = [
        row
        for row in inputs.rows
        if row["family"] == "real"
        and not row["derivation"]
        and row["allocator"] == inputs.reference
        and row["outcome"] not in ("refused", "unavailable")
    ]
    if not rows:
        return None
    # Edges per second divided by none's: the inverse of the time ratio.
    figures = [
        _figure(inputs, rows, "figure-real", "activation memory / none's", "activation_ratio", inverse=False),
        _figure(inputs, rows, "figure-real-throughput", "throughput / none's", "time_ratio", inverse=True),
    ]
    shown = table("table-real", _text("table-real"), MEASUREMENTS, rows, *_REAL)
    return Section("real-graphs", "Real graphs", blocks(_text("the-same-models-and-policies"), figures, shown))


def _figure(
    inputs: ReportInputs, rows: list[Row], name: str, axis: str, column: str, *, inverse: bool
) -> Figure | None:
    """What each policy leaves of none's on each graph; what was not measured has no mark."""
    marks = {
        convolution: [
            Mark(str(row["graph_label"]), str(row["policy"]), 1 / found if inverse else found)
            for row in rows
            if row["convolution"] == convolution and row["policy"] != "none" and (found := number(row, column))
        ]
        for convolution in inputs.convolutions
    }
    values = [mark.value for each in marks.values() for mark in each]
    if not values:
        return None
    x = scales.ratio_scale(values, axis)
    shown = (marks_on_rows(name, each, looks(inputs.policies), x, convolution=name) for name, each in marks.items())
    return figure(name, _text(name), _text("figure-real-how-to-read"), MEASUREMENTS, shown)


def _ratio(row: Row) -> Estimate | None:
    middle, low, high = (number(row, name) for name in ("time_ratio", "time_ratio_low", "time_ratio_high"))
    if middle is None or row["policy"] == "none":
        return None
    return units.estimate_of(middle, middle if low is None else low, middle if high is None else high)


def outcome_text(row: Row) -> str:
    """An outcome as words."""
    return str(row["outcome"]).replace("_", " ")


def graded_section(inputs: ReportInputs) -> Section | None:
    """Real graphs with fewer or more edges, None where the study has none."""
    found = inputs.variants.graded
    if not found:
        return None
    order = {name: place for place, name in enumerate(inputs.convolutions)}

    def place(e: Effect) -> tuple[object, ...]:
        return order.get(e.convolution, 99), e.base, inputs.policies.index(e.policy), e.average_degree

    shown = table(
        "table-graded",
        _text("table-graded", confidence=inputs.effects.confidence),
        EFFECTS,
        sorted(found, key=place),
        Of("Graph", "base", content="prose"),
        Of("Edges", lambda effect: METHODS.get(effect.method, effect.method), content="prose"),
        Of("Average degree", "average_degree", units.plain),
        CONVOLUTION,
        of_policy(inputs),
        of_ratio("Activations", "activation_ratio"),
        of_ratio("Step time", "time_ratio"),
    )
    # A capped graph differs from a thinned one of the same degree in more than its edges' number: in the table only.
    effects = sorted((e for e in found if e.method != "capped"), key=lambda e: e.average_degree)
    y = scales.ratio_scale([effect.activation_ratio.estimate for effect in effects], "activation memory / none's")
    x = scales.count_scale([effect.average_degree for effect in effects], "average degree (edges per node)")
    drawn = figure(
        "figure-graded",
        _text("figure-graded"),
        _text("figure-graded-how-to-read"),
        EFFECTS,
        over_bases(inputs, effects, lambda e: e.average_degree, lambda e: e.activation_ratio, x, y),
    )
    parts = blocks(_text("each-real-graph-keeps-its"), drawn, shown)
    return Section("graded-graphs", "Real graphs, graded in density", parts)
