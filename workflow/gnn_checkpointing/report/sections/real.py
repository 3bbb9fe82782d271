"""Real graphs: every graph, convolution and policy, completed or not."""

from __future__ import annotations

from collections.abc import Callable

from gnn_checkpointing.analysis.results import Estimate
from gnn_checkpointing.records.measurements_table import number
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figure import Figure
from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.figures.palette import looks
from gnn_checkpointing.report.figures.points import Mark
from gnn_checkpointing.report.inputs import MEASUREMENTS, ReportInputs, Row
from gnn_checkpointing.report.page import Block, Column, Paragraph, Section, Table
from gnn_checkpointing.report.panels import figure, marks_on_rows
from gnn_checkpointing.report.texts import texts

_text = texts("real")

Value = Callable[[Row], float | None]


def real_section(inputs: ReportInputs) -> Section | None:
    """Return the section on real graphs, None where the study has none."""
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
    blocks: list[Block] = [Paragraph(_text("the-same-models-and-policies"))]
    drawn: tuple[tuple[str, str, Value], ...] = (
        ("figure-real", "activation memory / none's", _memory),
        ("figure-real-throughput", "throughput / none's", _throughput),
    )
    blocks += [
        _figure(inputs, rows, name, axis, value)
        for name, axis, value in drawn
        if any(value(row) for row in rows if row["policy"] != "none")
    ]
    blocks.append(_table(rows))
    return Section("real-graphs", "Real graphs", tuple(blocks))


def _table(rows: list[Row]) -> Table:
    return Table(
        id="table-real",
        caption=_text("table-real"),
        columns=(
            Column("Graph", "", "prose"),
            Column("Nodes", "", "number"),
            Column("Edges", "", "number"),
            Column("Average degree", "", "number"),
            Column("Convolution"),
            Column("Policy"),
            Column("Peak", "", "number"),
            Column("Activations", "/ none", "number"),
            Column("Step time", "", "number"),
            Column("Time", "/ none", "number"),
            Column("Outcome"),
        ),
        rows=tuple(_row(row) for row in rows),
        source=MEASUREMENTS,
    )


def _row(row: Row) -> tuple[str, ...]:
    nodes, edges = number(row, "num_nodes"), number(row, "num_edges")
    degree, peak, step = (
        number(row, "average_degree"),
        number(row, "peak_memory_bytes"),
        number(row, "step_time_seconds"),
    )
    activation = number(row, "activation_ratio") if row["policy"] != "none" else None
    return (
        str(row["graph_label"]),
        (units.NOTHING if nodes is None else units.count(nodes)),
        (units.NOTHING if edges is None else units.count(edges)),
        (units.NOTHING if degree is None else units.plain(degree)),
        str(row["convolution"]),
        str(row["policy"]),
        (units.NOTHING if peak is None else units.size(peak)),
        (units.NOTHING if activation is None else units.ratio(activation)),
        (units.NOTHING if step is None else units.duration(step)),
        _time_ratio(row),
        outcome_text(row),
    )


def outcome_text(row: Row) -> str:
    """Return an outcome as words."""
    return str(row["outcome"]).replace("_", " ")


def _time_ratio(row: Row) -> str:
    if row["policy"] == "none":
        return units.NOTHING
    estimate = _time_estimate(row)
    return units.NOTHING if estimate is None else units.ratio_estimate(estimate)


def _time_estimate(row: Row) -> Estimate | None:
    middle, low, high = (number(row, name) for name in ("time_ratio", "time_ratio_low", "time_ratio_high"))
    if middle is None:
        return None
    return units.estimate_of(middle, middle if low is None else low, middle if high is None else high)


def _memory(row: Row) -> float | None:
    return number(row, "activation_ratio")


def _throughput(row: Row) -> float | None:
    """Edges per second divided by none's: the inverse of the time ratio."""
    ratio = number(row, "time_ratio")
    return 1 / ratio if ratio else None


def _figure(inputs: ReportInputs, rows: list[Row], name: str, axis: str, value: Value) -> Figure:
    """What each policy leaves of none's on each graph; what was not measured has no mark."""
    marks = {
        convolution: [
            Mark(str(row["graph_label"]), str(row["policy"]), found)
            for row in rows
            if row["convolution"] == convolution and row["policy"] != "none" and (found := value(row))
        ]
        for convolution in inputs.convolutions
    }
    x = scales.ratio_scale([mark.value for each in marks.values() for mark in each], axis)
    return figure(
        name,
        _text(name),
        _text("figure-real-how_to_read"),
        MEASUREMENTS,
        (marks_on_rows(name, each, looks(inputs.policies), x, convolution=name) for name, each in marks.items()),
    )
