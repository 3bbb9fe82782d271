"""Real graphs graded in density: the same nodes, features and labels with fewer or more edges."""

from __future__ import annotations

from gnn_checkpointing.analysis.results import GradedEffect
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figures import drawn, scales
from gnn_checkpointing.report.figures.lines import Line, Point, line_panel
from gnn_checkpointing.report.figures.palette import looks
from gnn_checkpointing.report.inputs import EFFECTS, ReportInputs
from gnn_checkpointing.report.page import Cell, Figure, Panel, Paragraph, Section, Table
from gnn_checkpointing.report.sections.density import estimate_cell
from gnn_checkpointing.report.tables import Of, table
from gnn_checkpointing.report.texts import texts

_text = texts("graded")

METHODS = {"": "as it is", "thinned": "thinned", "capped": "capped", "two_hop": "two-hop"}


def graded_section(inputs: ReportInputs) -> Section | None:
    """Return the section on graded real graphs, None where the study has none."""
    if not inputs.variants.graded:
        return None
    return Section(
        "graded-graphs",
        "Real graphs, graded in density",
        (
            Paragraph(_text("each-real-graph-keeps-its")),
            _figure(inputs),
            _table(inputs),
        ),
    )


def _figure(inputs: ReportInputs) -> Figure:
    # A capped graph differs from a thinned one of the same degree in more than its edges' number: in the table only.
    shown = [effect for effect in inputs.variants.graded if effect.method != "capped"]
    y = scales.ratio_scale([effect.activation_ratio.estimate for effect in shown], "activation memory / none's")
    x = scales.count_scale([effect.average_degree for effect in shown], "average degree (edges per node)")
    panels: list[Panel] = []
    for convolution in inputs.convolutions:
        for base in dict.fromkeys(effect.base for effect in shown):
            lines = _lines(inputs, [e for e in shown if (e.convolution, e.base) == (convolution, base)])
            name = f"graded-{len(panels)}"
            if lines:
                panels.append(
                    Panel(
                        id=name,
                        title=f"{convolution}, {base}",
                        alternative=_alternative(convolution, base, lines),
                        svg=line_panel(name, lines, looks(inputs.policies), x, y, reference=1.0),
                        drawn=drawn.of_lines(lines, x, y),
                        convolution=convolution,
                    )
                )
    return Figure(
        id="figure-graded",
        caption=_text("figure-graded"),
        how_to_read=_text("figure-graded-how_to_read"),
        panels=tuple(panels),
        source=EFFECTS,
    )


def _lines(inputs: ReportInputs, effects: list[GradedEffect]) -> list[Line]:
    lines = []
    for policy in inputs.compared:
        chosen = sorted((e for e in effects if e.policy == policy), key=lambda effect: effect.average_degree)
        if chosen:
            points = tuple(
                Point(e.average_degree, e.activation_ratio.estimate, e.activation_ratio.low, e.activation_ratio.high)
                for e in chosen
            )
            lines.append(Line(policy, points))
    return lines


def _alternative(convolution: str, base: str, lines: list[Line]) -> str:
    texts = [
        f"{line.policy} {units.ratio(line.points[0].y)} at degree {units.plain(line.points[0].x)}, "
        f"{units.ratio(line.points[-1].y)} at degree {units.plain(line.points[-1].x)}"
        for line in lines
    ]
    return _text("line-chart-on-activation-memory", convolution=convolution, base=base, texts="; ".join(texts))


def _table(inputs: ReportInputs) -> Table:
    order = {name: place for place, name in enumerate(inputs.convolutions)}
    found = sorted(
        inputs.variants.graded,
        key=lambda e: (order.get(e.convolution, 99), e.base, inputs.policies.index(e.policy), e.average_degree),
    )
    return table(
        "table-graded",
        _text("table-graded", confidence=inputs.effects.confidence),
        EFFECTS,
        found,
        Of("Graph", "base", content="prose"),
        Of("Edges", lambda effect: Cell(METHODS.get(effect.method, effect.method), effect.method), content="prose"),
        Of("Average degree", "average_degree", units.plain),
        Of("Convolution", "convolution"),
        Of("Policy", "policy", inputs.named, content="text"),
        Of("Activations", lambda effect: estimate_cell(effect.activation_ratio), unit="/ none", content="number"),
        Of("Step time", lambda effect: estimate_cell(effect.time_ratio), unit="/ none", content="number"),
    )
