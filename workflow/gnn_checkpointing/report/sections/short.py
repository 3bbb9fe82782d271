"""The tables that only the report has: one a section, short enough to read."""

from __future__ import annotations

from collections.abc import Sequence

from gnn_checkpointing.analysis.results import Compared, Law
from gnn_checkpointing.records.measurements_table import number
from gnn_checkpointing.report import units
from gnn_checkpointing.report.facts import Facts, Rate, Winner
from gnn_checkpointing.report.inputs import EFFECTS, MEASUREMENTS, REGRESSIONS, ReportInputs, Row
from gnn_checkpointing.report.page import Table
from gnn_checkpointing.report.panels import Of, table

FEW = ("none", "layers", "edge_blocks", "compiled", "memory_budget(0.5)", "fused_edge_blocks", "reversible")
"""What a short table shows of many policies."""
MOST_SERIES = 6


def short_tables(inputs: ReportInputs) -> list[Table]:
    """Every short table that the study has rows for."""
    facts = Facts(inputs)
    found = [
        _throughput(inputs, facts.rates(FEW if inputs.many_policies else ())),
        _winners(inputs, facts.winners()),
        _limit(inputs),
        _edges(inputs),
        _real(inputs, facts),
    ]
    return [one for one in found if one.rows]


def _throughput(inputs: ReportInputs, rates: Sequence[Rate]) -> Table:
    level = units.confidence(inputs.effects.confidence)
    names = list(dict.fromkeys(rate.point.convolution for rate in rates))[:MOST_SERIES]
    return table(
        "table-throughput",
        f"Throughput of a training step on the densest graphs, and its ratio to none's with {level} interval.",
        EFFECTS,
        [rate for rate in rates if rate.point.convolution in names],
        Of("Convolution", lambda rate: rate.point.convolution),
        Of("Policy", lambda rate: inputs.named(rate.point.policy)),
        Of("Average degree", lambda rate: rate.point.average_degree, units.plain),
        Of("Nodes", "nodes", units.significant, "per second"),
        Of("Edges", "edges", units.significant, "per second"),
        Of("Throughput", "ratio", units.ratio_estimate, "/ none"),
    )


def _winners(inputs: ReportInputs, winners: Sequence[Winner]) -> Table:
    return table(
        "table-winners",
        "Of the policies that no other beats in both: the fastest and the smallest at each density, beside none.",
        EFFECTS,
        winners if inputs.has_frontier else (),
        Of("Convolution", "convolution"),
        Of("Average degree", "level", str),
        Of("Fastest", lambda one: one.fastest.policy),
        Of("Time", lambda one: one.ratios[0], units.ratio, "/ none"),
        Of("Memory", lambda one: one.ratios[1], units.ratio, "/ none"),
        Of("Smallest", lambda one: one.smallest.policy),
        Of("Time", lambda one: one.ratios[2], units.ratio, "/ none"),
        Of("Memory", lambda one: one.ratios[3], units.ratio, "/ none"),
    )


def _limit(inputs: ReportInputs) -> Table:
    limit = inputs.study.measurement.memory_limit_gib

    def rate(row: Row) -> float | None:
        edges, seconds = number(row, "num_edges"), number(row, "step_time_seconds")
        return edges / seconds if edges and seconds else None

    return table(
        "table-limit",
        "Every policy under the memory limit.",
        MEASUREMENTS,
        inputs.rows if limit is not None else (),
        Of("Convolution", lambda row: row["convolution"]),
        Of("Policy", lambda row: row["policy"]),
        Of("Outcome", lambda row: str(row["outcome"]).replace("_", " ")),
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

    def limit(pair: tuple[Law, Law | None]) -> float | None:
        return 1 / pair[1].per_edge.estimate if pair[1] and pair[1].per_edge.low > 0 else None

    def seconds(pair: tuple[Law, Law | None]) -> float | None:
        return pair[1].per_edge.estimate / units.NANOSECOND if pair[1] else None

    return table(
        "table-edges",
        "What one more edge costs, and the throughput that dense graphs approach.",
        REGRESSIONS,
        pairs,
        Of("Convolution", lambda pair: pair[0].convolution),
        Of("Policy", lambda pair: pair[0].policy),
        Of("Activation memory", lambda pair: pair[0].per_edge.estimate, units.plain, "bytes per edge"),
        Of(
            "Step time",
            lambda pair: pair[1] and pair[1].per_edge.estimate / units.NANOSECOND,
            units.plain,
            "ns per edge",
        ),
        Of("Throughput", limit, units.significant, "edges per second"),
    )


def _real(inputs: ReportInputs, facts: Facts) -> Table:
    effects: list[Compared] = [e for policy in inputs.compared for e in facts.reals(policy)]
    order = {name: place for place, name in enumerate(inputs.convolutions)}
    return table(
        "table-real-short",
        "Each policy on real graphs, divided by none: memory, step time, and edges per second; sparse graphs first.",
        EFFECTS,
        sorted(effects, key=lambda e: (e.average_degree, order[e.convolution])),
        Of("Graph", "level"),
        Of("Average degree", "average_degree", units.plain),
        Of("Convolution", "convolution"),
        Of("Policy", "policy"),
        Of("Activation memory", lambda e: e.activation_ratio.estimate, units.ratio, "/ none"),
        Of("Step time", lambda e: e.time_ratio and e.time_ratio.estimate, units.ratio, "/ none"),
        Of("Throughput", lambda e: e.time_ratio and 1 / e.time_ratio.estimate, units.ratio, "/ none"),
    )
