"""Real graphs graded in density: the same nodes, features and labels with fewer or more edges."""

from __future__ import annotations

from gnn_checkpointing.report import units
from gnn_checkpointing.report.figure import Figure
from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.figures.lines import Line, Point
from gnn_checkpointing.report.figures.palette import looks
from gnn_checkpointing.report.inputs import EFFECTS, ReportInputs
from gnn_checkpointing.report.page import Paragraph, Section, Table
from gnn_checkpointing.report.panels import Of, figure, lines_over, table
from gnn_checkpointing.report.sections.density import estimate_cell
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
    shown = sorted((e for e in inputs.variants.graded if e.method != "capped"), key=lambda e: e.average_degree)
    y = scales.ratio_scale([effect.activation_ratio.estimate for effect in shown], "activation memory / none's")
    x = scales.count_scale([effect.average_degree for effect in shown], "average degree (edges per node)")
    places = [(c, base) for c in inputs.convolutions for base in dict.fromkeys(effect.base for effect in shown)]

    def line(policy: str, place: tuple[str, str]) -> Line:
        own = [e for e in shown if (e.policy, e.convolution, e.base) == (policy, *place)]
        return Line(policy, tuple(Point.of(e.average_degree, e.activation_ratio) for e in own))

    return figure(
        "figure-graded",
        _text("figure-graded"),
        _text("figure-graded-how_to_read"),
        EFFECTS,
        (
            lines_over(
                ", ".join(place),
                [line(policy, place) for policy in inputs.compared],
                looks(inputs.policies),
                x,
                y,
                reference=1.0,
                convolution=place[0],
            )
            for place in places
        ),
    )


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
        Of("Edges", lambda effect: METHODS.get(effect.method, effect.method), content="prose"),
        Of("Average degree", "average_degree", units.plain),
        Of("Convolution", "convolution"),
        Of("Policy", "policy", inputs.named, content="text"),
        Of("Activations", lambda effect: estimate_cell(effect.activation_ratio), unit="/ none", content="number"),
        Of("Step time", lambda effect: estimate_cell(effect.time_ratio), unit="/ none", content="number"),
    )
