"""The tables that only the report has: one a section, short enough to read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gnn_checkpointing.records.measurements_table import number, per_second
from gnn_checkpointing.report import units
from gnn_checkpointing.report.facts import Facts
from gnn_checkpointing.report.inputs import EFFECTS, MEASUREMENTS, REGRESSIONS, ReportInputs, Row
from gnn_checkpointing.report.page import Table
from gnn_checkpointing.report.sections.parts import outcome_text
from gnn_checkpointing.report.appendix import Texts

FEW = ("none", "layers", "edge_blocks", "compiled", "memory_budget(0.5)", "fused_edge_blocks", "reversible")
"""What a short table shows of many policies."""
MOST_SERIES = 6


def short_tables(inputs: ReportInputs) -> list[Table]:
    """Every short table that the study has rows for."""
    facts = Facts(inputs)
    rates = facts.rates(FEW if inputs.many_policies else ())
    names = list(dict.fromkeys(rate.point.convolution for rate in rates))[:MOST_SERIES]
    laws = [
        (memory, inputs.law(name, policy, "step_time_seconds"))
        for name in inputs.convolutions
        for policy in inputs.policies
        if not inputs.many_policies or policy in FEW
        if (memory := inputs.law(name, policy, "activation_bytes")) is not None
    ]
    reals = [effect for policy in inputs.compared for effect in facts.reals(policy)]

    def edges_per_second(row: Row) -> float | None:
        return per_second(number(row, "num_edges") or 0.0, number(row, "step_time_seconds"))

    def table(name: str, source: str, items: Iterable[object], **values: Any) -> Table:
        return Texts("short").table(inputs, name, source, items, **values)

    found = [
        table("table-throughput", EFFECTS, (rate for rate in rates if rate.point.convolution in names)),
        table("table-winners", EFFECTS, facts.winners() if inputs.has_frontier else ()),
        table(
            "table-limit",
            MEASUREMENTS,
            inputs.rows if inputs.study.measurement.memory_limit_gib is not None else (),
            outcome_text=outcome_text,
            edges_per_second=edges_per_second,
        ),
        table(
            "table-edges",
            REGRESSIONS,
            laws,
            nanoseconds=lambda edge: edge.estimate / units.NANOSECOND,
            rate=lambda edge: 1 / edge.estimate if edge.low > 0 else None,
        ),
        table(
            "table-real-short",
            EFFECTS,
            sorted(reals, key=lambda e: (e.average_degree, inputs.convolutions.index(e.convolution))),
            inverse=lambda ratio: 1 / ratio.estimate,
        ),
    ]
    return [one for one in found if one.rows]
