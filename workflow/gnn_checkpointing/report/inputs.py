"""What a report is made from: the study and everything that was found, as typed values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gnn_checkpointing.analysis.analyse import Findings
from gnn_checkpointing.analysis.results import Accuracy, Effects, Law, Quality, Regressions, Response
from gnn_checkpointing.claims.ledger import Ledger, Sentence
from gnn_checkpointing.records import Value
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.report.page import Fact
from gnn_checkpointing.study import Study

Row = dict[str, Value]

MEASUREMENTS = "measurements.csv"
CLAIMS = "claims.json"
ANALYSIS = "analysis"
EFFECTS = "analysis/effects.json"
REGRESSIONS = "analysis/regressions.json"
ACCURACY = "analysis/accuracy.json"
QUALITY = "analysis/quality.json"


@dataclass(frozen=True)
class Machine:
    """The machine a study ran on, as `hardware.json` describes it."""

    slug: str
    label: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True)
class ReportInputs:
    """The study, its measurements and all that was concluded from them."""

    study: Study
    machine: Machine
    rows: list[Row]
    effects: Effects
    regressions: Regressions
    accuracy: list[Accuracy]
    quality: Quality
    ledger: Ledger
    answer: list[Sentence]

    @property
    def measured_on(self) -> str:
        """ISO date of the latest measurement."""
        return max((str(row["ended"] or "") for row in self.rows), default="")[:10]

    @property
    def convolutions(self) -> list[str]:
        """Measured convolutions, in the study's order."""
        return [
            name for name in self.study.architecture.convolutions if any(r["convolution"] == name for r in self.rows)
        ]

    @property
    def policies(self) -> list[str]:
        """Policies, none first, the others in the study's order."""
        return ["none", *self.compared]

    @property
    def compared(self) -> list[str]:
        """Policies other than none, in the study's order."""
        return [policy for policy in self.study.policies if policy != "none"]

    @property
    def completed(self) -> list[Row]:
        """Rows whose policy ran to the end."""
        return [row for row in self.rows if row["outcome"] == "completed"]

    @property
    def generated(self) -> list[Row]:
        """Completed rows on generated graphs."""
        return [row for row in self.completed if row["requested_average_degree"] is not None]

    def law(self, convolution: str, policy: str, response: Response) -> Law | None:
        """Return the fitted law, if there is one."""
        for law in self.regressions.laws:
            if (law.convolution, law.policy, law.response) == (convolution, policy, response):
                return law
        return None


def report_inputs(
    study: Study, hardware: Any, rows: list[Row], findings: Findings, ledger: Ledger, answer: list[Sentence]
) -> ReportInputs:
    """Return the report's inputs; `hardware` is the content of hardware.json, `findings` what the analysis found."""
    return ReportInputs(
        study=study,
        machine=machine(hardware),
        rows=rows,
        effects=findings.effects,
        regressions=findings.regressions,
        accuracy=findings.accuracy,
        quality=findings.quality,
        ledger=ledger,
        answer=answer,
    )


def machine(values: Any) -> Machine:
    """Return the machine that the content of a `hardware.json` describes, or refuse."""
    try:
        facts = tuple(Fact(str(fact["name"]), str(fact["value"])) for fact in values["facts"])
        return Machine(str(values["slug"]), str(values["label"]), facts)
    except (KeyError, TypeError) as error:
        raise Refusal(
            f"hardware description: {error!r}; it needs slug, label and facts (a list of name and value); write it anew"
        ) from None


def number(row: Row, column: str) -> float | None:
    """Return a numeric field of a row, None where it is empty."""
    value = row[column]
    return float(value) if isinstance(value, int | float) else None
