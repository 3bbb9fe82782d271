"""The tables that only the report has: one a section, short enough to read."""

from __future__ import annotations

from gnn_checkpointing.analysis.results import Compared
from gnn_checkpointing.records.measurements_table import number
from gnn_checkpointing.report import units
from gnn_checkpointing.report.facts import Facts
from gnn_checkpointing.report.inputs import EFFECTS, MEASUREMENTS, REGRESSIONS, ReportInputs, Row
from gnn_checkpointing.report.page import Table
from gnn_checkpointing.report.panels import Of, table
from gnn_checkpointing.report.sections.parts import CONVOLUTION, Columns
from gnn_checkpointing.report.sections.real import outcome_text
from gnn_checkpointing.report.texts import texts

_text = texts("short")

FEW = ("none", "layers", "edge_blocks", "compiled", "memory_budget(0.5)", "fused_edge_blocks", "reversible")
"""What a short table shows of many policies."""
MOST_SERIES = 6
_WINNERS: Columns = (
    CONVOLUTION,
    Of("Average degree", "level", str),
    Of("Fastest", lambda one: one.fastest.policy),
    Of("Time", lambda one: one.ratios[0], units.ratio, "/ none"),
    Of("Memory", lambda one: one.ratios[1], units.ratio, "/ none"),
    Of("Smallest", lambda one: one.smallest.policy),
    Of("Time", lambda one: one.ratios[2], units.ratio, "/ none"),
    Of("Memory", lambda one: one.ratios[3], units.ratio, "/ none"),
)
_EDGES: Columns = (
    Of("Convolution", lambda pair: pair[0].convolution),
    Of("Policy", lambda pair: pair[0].policy),
    Of("Activation memory", lambda pair: pair[0].per_edge.estimate, units.plain, "bytes per edge"),
    Of("Step time", lambda pair: pair[1] and pair[1].per_edge.estimate / units.NANOSECOND, units.plain, "ns per edge"),
    Of(
        "Throughput",
        lambda pair: 1 / pair[1].per_edge.estimate if pair[1] and pair[1].per_edge.low > 0 else None,
        units.significant,
        "edges per second",
    ),
)
_REAL: Columns = (
    Of("Graph", "level"),
    Of("Average degree", "average_degree", units.plain),
    CONVOLUTION,
    Of("Policy", "policy"),
    Of("Activation memory", lambda e: e.activation_ratio.estimate, units.ratio, "/ none"),
    Of("Step time", lambda e: e.time_ratio and e.time_ratio.estimate, units.ratio, "/ none"),
    Of("Throughput", lambda e: e.time_ratio and 1 / e.time_ratio.estimate, units.ratio, "/ none"),
)


def short_tables(inputs: ReportInputs) -> list[Table]:
    """Every short table that the study has rows for."""
    facts = Facts(inputs)
    found = [_throughput(inputs, facts), _winners(inputs, facts), _limit(inputs), _edges(inputs), _real(inputs, facts)]
    return [one for one in found if one.rows]


def _throughput(inputs: ReportInputs, facts: Facts) -> Table:
    rates = facts.rates(FEW if inputs.many_policies else ())
    names = list(dict.fromkeys(rate.point.convolution for rate in rates))[:MOST_SERIES]
    return table(
        "table-throughput",
        _text("table-throughput", confidence=inputs.effects.confidence),
        EFFECTS,
        [rate for rate in rates if rate.point.convolution in names],
        Of("Convolution", lambda rate: rate.point.convolution),
        Of("Policy", lambda rate: inputs.named(rate.point.policy)),
        Of("Average degree", lambda rate: rate.point.average_degree, units.plain),
        Of("Nodes", "nodes", units.significant, "per second"),
        Of("Edges", "edges", units.significant, "per second"),
        Of("Throughput", "ratio", units.ratio_estimate, "/ none"),
    )


def _winners(inputs: ReportInputs, facts: Facts) -> Table:
    found = facts.winners() if inputs.has_frontier else ()
    return table("table-winners", _text("table-winners"), EFFECTS, found, *_WINNERS)


def _limit(inputs: ReportInputs) -> Table:
    def rate(row: Row) -> float | None:
        edges, seconds = number(row, "num_edges"), number(row, "step_time_seconds")
        return edges / seconds if edges and seconds else None

    return table(
        "table-limit",
        _text("table-limit"),
        MEASUREMENTS,
        inputs.rows if inputs.study.measurement.memory_limit_gib is not None else (),
        Of("Convolution", lambda row: row["convolution"]),
        Of("Policy", lambda row: row["policy"]),
        Of("Outcome", outcome_text),
        Of("Activation memory", lambda row: number(row, "activation_bytes"), units.size),
        Of("Peak memory", lambda row: number(row, "peak_memory_bytes"), units.size),
        Of("Step time", lambda row: number(row, "step_time_seconds"), units.duration),
        Of("Throughput", rate, units.significant, "edges per second"),
    )


def _edges(inputs: ReportInputs) -> Table:
    policies = [p for p in inputs.policies if not inputs.many_policies or p in FEW]
    pairs = [
        (memory, inputs.law(name, policy, "step_time_seconds"))
        for name in inputs.convolutions
        for policy in policies
        if (memory := inputs.law(name, policy, "activation_bytes")) is not None
    ]
    return table("table-edges", _text("table-edges"), REGRESSIONS, pairs, *_EDGES)


def _real(inputs: ReportInputs, facts: Facts) -> Table:
    effects: list[Compared] = [e for policy in inputs.compared for e in facts.reals(policy)]
    order = {name: place for place, name in enumerate(inputs.convolutions)}
    effects = sorted(effects, key=lambda e: (e.average_degree, order[e.convolution]))
    return table("table-real-short", _text("table-real-short"), EFFECTS, effects, *_REAL)
