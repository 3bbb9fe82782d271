"""The frontier in tables: memory, time, bytes, where each policy pays, the best segments, and what stays flat."""

from __future__ import annotations

from gnn_checkpointing.analysis.results import SAVES_BELOW, SPARSE_DEGREE, Flatness, FrontierPoint, Payoff
from gnn_checkpointing.report import units
from gnn_checkpointing.report.inputs import EFFECTS, ReportInputs
from gnn_checkpointing.report.page import Column, Table
from gnn_checkpointing.report.panels import Of, table
from gnn_checkpointing.report.sections.density import degree_columns, estimate_cell
from gnn_checkpointing.report.sections.frontier_points import (
    frontier_levels,
    reference_points,
    spans,
    timed_levels,
    turned,
)
from gnn_checkpointing.report.texts import texts
from gnn_checkpointing.sourced import sourced

_text = texts("frontier_tables")

SAVES = units.share(1 - sourced(SAVES_BELOW, "gnn_checkpointing/analysis/results/frontier.py#/SAVES_BELOW"))
"""A policy saves memory where it saves more than this."""

_SPARSE = sourced(SPARSE_DEGREE, "gnn_checkpointing/analysis/results/frontier.py#/SPARSE_DEGREE")


def frontier_tables(inputs: ReportInputs) -> list[Table]:
    """Return the tables that the study has points for."""
    found = [_memory_table(inputs), _time_table(inputs), _bytes_table(inputs), _payoff_table(inputs)]
    if inputs.frontier.best_segments:
        found.append(_segments_table(inputs))
    if inputs.frontier.flatness:
        found.append(_flatness_table(inputs))
    return found


def _memory_table(inputs: ReportInputs) -> Table:
    return Table(
        id="table-frontier-memory",
        caption=_text("table-frontier-memory"),
        columns=(Column("Convolution"), Column("Policy"), *degree_columns(frontier_levels(inputs))),
        rows=turned(inputs, _memory_cell, reference_points(inputs), frontier_levels(inputs)),
        source=EFFECTS,
    )


def _memory_cell(point: FrontierPoint) -> str:
    ratio = point.activation_ratio
    return units.NOTHING if ratio is None else units.ratio(ratio.estimate)


def _time_table(inputs: ReportInputs) -> Table:
    levels = timed_levels(inputs)
    return Table(
        id="table-frontier-time",
        caption=_text("table-frontier-time", reference=inputs.reference, confidence=inputs.effects.confidence),
        columns=(Column("Convolution"), Column("Policy"), *degree_columns(levels)),
        rows=turned(inputs, lambda point: estimate_cell(point.time_ratio), reference_points(inputs), levels),
        source=EFFECTS,
    )


def _bytes_table(inputs: ReportInputs) -> Table:
    densest: dict[tuple[str, str], FrontierPoint] = {(p.convolution, p.policy): p for p in reference_points(inputs)}
    return table(
        "table-frontier-bytes",
        _text("table-frontier-bytes"),
        EFFECTS,
        densest.values(),
        Of("Convolution", "convolution"),
        Of("Policy", "policy", inputs.named, content="text"),
        Of("Average degree", "average_degree", units.plain, unit="edges per node"),
        Of("Activation peak", "activation_bytes", units.size),
        Of("Saved", "saved_activation_bytes", units.size),
        Of("Transient", "transient_bytes", units.size),
        Of("Policy's own", "policy_resident_bytes", units.size),
        Of("Policy's own", lambda point: _per_edge(point), unit="bytes per edge", content="number"),
    )


def _per_edge(point: FrontierPoint) -> str:
    value = point.policy_resident_bytes / point.num_edges if point.num_edges else 0.0
    return units.plain(value)


def _payoff_table(inputs: ReportInputs) -> Table:
    order = list(dict.fromkeys((point.convolution, point.policy) for point in reference_points(inputs)))
    payoffs = {(payoff.convolution, payoff.policy): payoff for payoff in inputs.frontier.payoffs}
    return Table(
        id="table-payoff",
        caption=_text("table-payoff", saves=SAVES, confidence=inputs.effects.confidence),
        columns=(
            Column("Convolution"),
            Column("Policy"),
            Column("Saves memory at", "average degree"),
            Column("Costs time at", "average degree"),
            Column("Saves time at", "average degree"),
            Column("Unbeaten at", "average degree"),
        ),
        rows=tuple(_payoff_row(inputs, payoffs[pair]) for pair in order if pair in payoffs),
        source=EFFECTS,
    )


def _payoff_row(inputs: ReportInputs, payoff: Payoff) -> tuple[str, ...]:
    unbeaten = [
        best.level
        for best in inputs.frontier.pareto
        if best.convolution == payoff.convolution and payoff.policy in best.policies
    ]
    return (
        payoff.convolution,
        inputs.named(payoff.policy),
        spans(payoff.saves_at, payoff.levels),
        spans(payoff.slower_at, payoff.timed_levels),
        spans(payoff.faster_at, payoff.timed_levels),
        spans(unbeaten, payoff.timed_levels),
    )


def _segments_table(inputs: ReportInputs) -> Table:
    best = sorted(
        inputs.frontier.best_segments, key=lambda one: (inputs.convolutions.index(one.convolution), float(one.level))
    )
    return table(
        "table-segments",
        _text("table-segments"),
        EFFECTS,
        best,
        Of("Convolution", "convolution"),
        Of("Average degree", lambda one: one.level, unit="edges per node", content="number"),
        Of("Best", "policy"),
        Of("Activation memory", "activation_ratio", units.ratio, unit="/ none"),
        Of("Step time", "time_ratio", units.ratio, unit="/ none"),
        Of("Tried", lambda one: ", ".join(one.tried), content="prose"),
    )


def _flatness_table(inputs: ReportInputs) -> Table:
    order = list(dict.fromkeys((point.convolution, point.policy) for point in reference_points(inputs)))
    found = {(flat.convolution, flat.policy): flat for flat in inputs.frontier.flatness}
    return Table(
        id="table-flatness",
        caption=_text("table-flatness", sparse=_SPARSE),
        columns=(
            Column("Convolution"),
            Column("Policy"),
            Column("Slope", "bytes per edge", "number"),
            Column("Slope", "/ none", "number"),
            Column("Densest / sparse", "peak", "number"),
            Column("Degrees compared", "edges per node"),
        ),
        rows=tuple(_flatness_row(inputs, found[pair]) for pair in order if pair in found),
        source=EFFECTS,
    )


def _flatness_row(inputs: ReportInputs, flat: Flatness) -> tuple[str, ...]:
    ratio = flat.slope_ratio
    return (
        flat.convolution,
        inputs.named(flat.policy),
        units.plain(flat.bytes_per_edge),
        units.NOTHING if ratio is None else units.ratio(ratio),
        units.ratio(flat.peak_ratio),
        f"{flat.densest} / {flat.sparse}",
    )
