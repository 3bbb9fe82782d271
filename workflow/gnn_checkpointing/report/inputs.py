"""Inputs of a report: the study and all findings, as typed values."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from gnn_checkpointing.analysis.analyse import Findings
from gnn_checkpointing.analysis.results import Law, Response
from gnn_checkpointing.analysis.table import series
from gnn_checkpointing.claims.ledger import Ledger
from gnn_checkpointing.packed import is_there
from gnn_checkpointing.planning.knowledge import Knowledge
from gnn_checkpointing.records.graph_facts import GraphFacts
from gnn_checkpointing.records.jobs import Demonstration
from gnn_checkpointing.records.measurements_table import Value
from gnn_checkpointing.records.record import Machine
from gnn_checkpointing.records.traces import Trace
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.report.grades import Audit
from gnn_checkpointing.sourced import SourcedList, counted, counted_where, part_where
from gnn_checkpointing.study.design import models
from gnn_checkpointing.study.study import Study

Row = dict[str, Value]

MEASUREMENTS = "measurements.csv"
CLAIMS = "claims.json"
AUDIT = "audit.json"
PLANNER = "planner.json"
ANALYSIS = "analysis"
EFFECTS = "analysis/effects.json"
REGRESSIONS = "analysis/regressions.json"
ACCURACY = "analysis/accuracy.json"
QUALITY = "analysis/quality.json"
TRENDS = "analysis/trends.json"
PREDICTIONS = "analysis/predictions.json"
ROBUSTNESS = "analysis/robustness.json"
GRAPHS = "graphs.json"
TRACES = "traces.json"
DEMONSTRATION = "demonstration.json"
RECORDS = "records.jsonl"
TRAININGS = "trainings.json"
HARDWARE = "hardware.json"
STUDY = "study.json"
EXPLAINED = "explained.json"
EXPLANATIONS = "analysis/explained.json"
ENCODINGS = "encodings.json"

HISTORY = "history.json"

PLAIN = (CLAIMS, PLANNER, STUDY, HARDWARE, HISTORY)
"""Data that are published as files of their own; all others are packed together."""

GIVEN = {"explanations": EXPLAINED, "encodings": ENCODINGS}
"""Files that only some studies have, by the command-line option that reads them."""

MEASURED = (MEASUREMENTS, GRAPHS, TRACES, RECORDS, TRAININGS, HARDWARE, STUDY)
"""Measured files of every published report. `DEMONSTRATION` is there too if a demonstration was run."""

MANY_POLICIES = 6
"""With more policies than this, not counting none, they no longer get a column or a line each."""

FEW = ("none", "layers", "edge_blocks", "compiled", "memory_budget(0.5)", "fused_edge_blocks", "reversible")
"""Policies shown by short tables, lines over density and labels when there are too many."""

FRONTIER_POLICIES = 4
"""Fewest policies, none included, for which a frontier is shown."""


@dataclass(frozen=True)
class ReportInputs(Findings):
    """The study, its measurements and all that was concluded from them.

    In `rows`, and wherever the report names a convolution, an unusual aggregation is part of the name: see `in_series`.
    """

    study: Study
    machine: Machine
    rows: list[Row]
    ledger: Ledger
    audit: Audit
    knowledge: Knowledge
    graphs: list[GraphFacts]
    traces: list[Trace]
    demonstration: Demonstration | None

    @cached_property
    def measured_on(self) -> str:
        """ISO date of the latest measurement."""
        return max((str(row["ended"] or "") for row in self.rows), default="")[:10]

    @cached_property
    def convolutions(self) -> list[str]:
        """Measured convolutions in the study's order; aggregations and models of one convolution are neighbours."""
        architecture = self.study.architecture
        names = [
            series({"convolution": convolution, "aggregation": aggregation, "model": model.name})
            for convolution in architecture.convolutions
            for aggregation in architecture.aggregations
            for model in models(self.study, convolution)
        ]
        measured = {row["convolution"] for row in self.rows}
        return [name for name in names if name in measured]

    @property
    def reference(self) -> str:
        """The allocator whose measurements decide all conclusions."""
        return self.study.measurement.allocators[0]

    @property
    def policies(self) -> list[str]:
        """Policies, none first, the others in the study's order."""
        return ["none", *self.compared]

    @cached_property
    def compared(self) -> list[str]:
        """Policies other than none that ran in at least one cell, in the study's order."""
        left_out = {"none", *self.absent}
        return [policy for policy in self.study.policies if policy not in left_out]

    @cached_property
    def absent(self) -> list[str]:
        """Policies that ran in no cell: refused or unavailable everywhere."""
        outcomes: dict[Value, set[Value]] = {}
        for row in self.rows:
            outcomes.setdefault(row["policy"], set()).add(row["outcome"])
        found = [policy for policy in self.study.policies if outcomes.get(policy)]
        return [policy for policy in found if outcomes[policy] <= {"refused", "unavailable"}]

    @property
    def not_started(self) -> int:
        """How many measurements never began: the policy refused, or lacks something on this machine."""
        return sum(counted_where(self.rows, ("outcome", "=", outcome)) for outcome in ("refused", "unavailable"))

    @property
    def started(self) -> int:
        """How many measurements began: one per cell and policy."""
        return counted(self.rows) - self.not_started

    @property
    def many_policies(self) -> bool:
        """Whether the policies are too many for a column each."""
        return len(self.compared) > MANY_POLICIES

    @property
    def few(self) -> list[str]:
        """All policies, or only the best known if there are too many."""
        return [policy for policy in self.policies if not self.many_policies or policy in FEW]

    @cached_property
    def has_frontier(self) -> bool:
        """Whether enough policies were measured along density for a frontier."""
        return len({point.policy for point in self.effects.points}) >= FRONTIER_POLICIES

    @property
    def leads_with_frontier(self) -> bool:
        """Whether the leading figure is the first convolution's frontier."""
        effects = self.effects
        other = effects.depths or effects.ego
        return self.has_frontier and self.many_policies and bool(effects.pareto) and not other

    @cached_property
    def untimed(self) -> list[str]:
        """Density levels at which only bytes were counted; empty if nothing was timed at all."""
        levels = {point.level: False for point in self.effects.points}
        levels |= {point.level: True for point in self.effects.points if point.step_time_seconds}
        found = [level for level, timed in levels.items() if not timed and any(levels.values())]
        return sorted(found, key=float)

    def named(self, policy: str) -> str:
        """A policy's name, marked if it trains a different model than none does."""
        return f"{policy} (another model)" if policy in self.quality.other_models else policy

    @cached_property
    def completed(self) -> list[Row]:
        """Rows under the reference allocator whose policy ran to the end."""
        return [row for row in self.rows if row["outcome"] == "completed" and row["allocator"] == self.reference]

    @cached_property
    def generated(self) -> list[Row]:
        """Completed rows on generated graphs, without those that `changes` leaves out."""
        return [row for row in self.completed if row["requested_average_degree"] is not None and not self.changes(row)]

    def changes(self, row: Row) -> bool:
        """Whether a policy that should train none's model changed loss, gradients or buffers; then it is left out."""
        same = (row[f"same_{what}"] for what in ("loss", "gradients", "buffers"))
        return row["policy"] not in self.quality.other_models and any(one is False for one in same)

    def law(self, convolution: str, policy: str, response: Response) -> Law | None:
        """The fitted law, if there is one."""
        laws = self.regressions.laws
        found = (law for law in laws if (law.convolution, law.policy, law.response) == (convolution, policy, response))
        return next(found, None)


def published(folder: Path) -> dict[str, Path]:
    """Measured files of a published report by name; raises Refusal if a file that every report has is missing."""
    missing = [name for name in MEASURED if not is_there(folder / name)]
    if missing:
        raise Refusal(
            f"{folder}: no {missing[-1]} there; name the folder of a published report, report/<hardware>/<study>"
        )
    some = (name for name in (DEMONSTRATION, *GIVEN.values(), HISTORY) if is_there(folder / name))
    return {name: folder / name for name in (*MEASURED, *some)}


def in_series(rows: list[Row]) -> list[Row]:
    """The rows with any unusual aggregation added to the convolution's name.

    Repeated measurements of a cell (`visit` above 0) are left out: they are not further cells.
    """
    once = part_where(rows, ("visit", "=", 0)) if any(row.get("visit") for row in rows) else rows
    named = SourcedList({**row, "convolution": series(row)} for row in once)
    named.source = getattr(once, "source", "")
    return named
