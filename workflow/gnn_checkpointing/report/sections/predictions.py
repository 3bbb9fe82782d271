"""Laws that predict: which form was chosen from which, how far off each was, and the bytes counted beside it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gnn_checkpointing.analysis.results import AnalyticCount, Candidate, Coverage, Knee, PredictiveLaw, Response
from gnn_checkpointing.report import units
from gnn_checkpointing.report.inputs import PREDICTIONS, ReportInputs
from gnn_checkpointing.report.page import Block, Cell, Column, Paragraph, Section, Table
from gnn_checkpointing.report.sections.law_words import FORMS, RESPONSES, in_words
from gnn_checkpointing.sourced import counted, counted_where, sourced

_METHODS = {
    "held_out_bound": "worst error on the other levels (bound)",
    "conformal": "conformal quantile of errors on the other levels",
    "least_squares": "least squares' own prediction interval, additive law",
}
_IDS: dict[Response, str] = {
    "activation_bytes": "activation",
    "saved_activation_bytes": "saved",
    "step_time_seconds": "time",
}
_NOTABLE = sourced(0.05, "gnn_checkpointing/report/sections/predictions.py#/_NOTABLE")
"""Below this p-value a knee is told of."""


def predictions_section(inputs: ReportInputs) -> Section | None:
    """Return the section on predictive laws, None where no law predicts anything."""
    found = inputs.predictions
    if not found.laws:
        return None
    blocks: list[Block] = [
        Paragraph(
            "A law that predicts is chosen from candidates that the study file lists: the one whose median error is "
            "smallest on the densest level and on the largest graphs, each predicted by a law fitted without it. "
            "Terms are never negative. N are nodes, E edges, K the edges of the largest block that a policy works on "
            "at once. Bytes are exact, so their residuals are the law's own error: an interval reaches as far as the "
            "worst error on any level held out, and is called a bound. Times scatter, and theirs is a conformal "
            "interval at "
            f"{units.confidence(found.confidence)}."
        )
    ]
    for response in RESPONSES:
        laws = [law for law in found.laws if law.response == response]
        if laws:
            blocks.append(_laws(laws, response))
            blocks.append(_leaderboard([one for one in found.leaderboard if one.response == response], response))
    blocks.append(_coverage(found.coverage))
    if found.analytic:
        blocks.append(_analytic(found.analytic))
    if found.knees:
        blocks += _knees(found.knees)
    return Section("predictions", "Laws that predict", tuple(blocks))


def _laws(laws: Sequence[PredictiveLaw], response: Response) -> Table:
    return Table(
        id=f"table-predictive-{_IDS[response]}",
        caption=f"{RESPONSES[response]}: the chosen law, and how far its intervals reach.",
        columns=(
            Column("Convolution"),
            Column("Policy"),
            Column("Form"),
            Column("Law", "", "prose"),
            Column("Interval", "±", "number"),
            Column("Worst residual", "", "number"),
        ),
        rows=tuple(
            (
                Cell(law.convolution, law.convolution),
                Cell(law.policy, law.policy),
                Cell(FORMS[law.form], law.form),
                Cell(in_words(law)),
                Cell(units.share(law.half_width), law.half_width),
                Cell(units.share(law.worst_relative_residual), law.worst_relative_residual),
            )
            for law in laws
        ),
        source=PREDICTIONS,
    )


def _leaderboard(board: Sequence[Candidate], response: Response) -> Table:
    """Return each form's score for each series; the chosen one is marked by a word, not by colour."""
    forms = list(dict.fromkeys(one.form for one in board))
    series = list(dict.fromkeys((one.convolution, one.policy) for one in board))
    scores = {(one.convolution, one.policy, one.form): one for one in board}
    return Table(
        id=f"table-leaderboard-{_IDS[response]}",
        caption=f"{RESPONSES[response]}: every candidate's score, the larger of its median errors on the densest level "
        "and on the largest graphs; a dash where a form cannot be told apart from a simpler one, or lacks cells.",
        columns=(Column("Convolution"), Column("Policy"), *(Column(FORMS[form], "", "number") for form in forms)),
        rows=tuple(
            (Cell(pair[0], pair[0]), Cell(pair[1], pair[1]), *(_score(scores.get((*pair, form))) for form in forms))
            for pair in series
        ),
        source=PREDICTIONS,
    )


def _score(one: Candidate | None) -> Cell:
    if one is None or one.score is None:
        return Cell(units.NOTHING)
    return Cell(units.share(one.score) + (" (chosen)" if one.chosen else ""), one.score)


def _coverage(found: Iterable[Coverage]) -> Table:
    return Table(
        id="table-coverage",
        caption="Intervals tried on cells that were held out: every level of density and every number of nodes, each "
        "in turn, with intervals made from the other levels alone.",
        columns=(
            Column("Response"),
            Column("Interval", "", "prose"),
            Column("Held-out cells", "", "number"),
            Column("Inside", "", "number"),
            Column("Median width", "±", "number"),
            Column("Widest", "±", "number"),
        ),
        rows=tuple(
            (
                Cell(RESPONSES[one.response], one.response),
                Cell(_METHODS[one.method]),
                Cell(units.count(one.held_out), one.held_out),
                Cell(units.accuracy(one.inside), one.inside),
                Cell(units.share(one.median_half_width), one.median_half_width),
                Cell(units.share(one.worst_half_width), one.worst_half_width),
            )
            for one in found
        ),
        source=PREDICTIONS,
    )


def _analytic(found: Sequence[AnalyticCount]) -> Table:
    counted = [one for one in found if one.counted is not None]
    nodes = " and ".join({one.num_nodes: units.count(one.num_nodes) for one in found}.values())
    return Table(
        id="table-analytic",
        caption=f"Bytes of one more edge between the two densest levels at {nodes} nodes: measured, by the law, and "
        "counted from the tensors that PyG's layers make of an edge (L layers, F channels, H heads, 4 bytes a value).",
        columns=(
            Column("Convolution"),
            Column("Policy"),
            Column("Bytes"),
            Column("Measured", "", "number"),
            Column("Law", "", "number"),
            Column("Counted", "", "number"),
            Column("Count", "", "prose"),
        ),
        rows=tuple(
            (
                Cell(one.convolution, one.convolution),
                Cell(one.policy, one.policy),
                Cell("peak" if one.response == "activation_bytes" else "saved", one.response),
                Cell(units.fixed(one.measured, 1), one.measured),
                Cell(units.fixed(one.law, 1), one.law),
                Cell(units.count(one.counted or 0), one.counted),
                Cell(one.formula),
            )
            for one in counted
        ),
        source=PREDICTIONS,
    )


def _knees(found: list[Knee]) -> list[Block]:
    bent = [one for one in found if one.p_value < _NOTABLE]
    number = counted_where(found, ("p_value", "<", _NOTABLE))
    sentence = (
        "A breakpoint was looked for in every law of time (largest F over places between the sparsest and the densest "
        f"graphs, wild bootstrap): {units.count(number)} of {units.count(counted(found))} laws have one at p < "
        f"{units.plain(_NOTABLE)}, where chance alone gives {units.plain(_NOTABLE * counted(found))}."
    )
    if not bent:
        return [Paragraph(sentence)]
    return [
        Paragraph(sentence),
        Table(
            id="table-knees",
            caption="Where the time of one more edge changes.",
            columns=(
                Column("Convolution"),
                Column("Policy"),
                Column("From", "edges", "number"),
                Column("Before", "per edge", "number"),
                Column("After", "per edge", "number"),
                Column("p", "", "number"),
            ),
            rows=tuple(
                (
                    Cell(one.convolution, one.convolution),
                    Cell(one.policy, one.policy),
                    Cell(units.count(one.num_edges), one.num_edges),
                    Cell(units.duration(one.per_edge_before), one.per_edge_before),
                    Cell(units.duration(one.per_edge_after), one.per_edge_after),
                    Cell(units.probability(one.p_value), one.p_value),
                )
                for one in bent
            ),
            source=PREDICTIONS,
        ),
    ]
