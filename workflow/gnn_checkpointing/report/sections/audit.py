"""The report's own grades: every question of the rubric, its rule, the answer and what decided it."""

from __future__ import annotations

from gnn_checkpointing.audit.grades import Audit
from gnn_checkpointing.packed import PACK
from gnn_checkpointing.report import units
from gnn_checkpointing.report.inputs import AUDIT, ReportInputs
from gnn_checkpointing.report.page import Link, Links, Paragraph, Section
from gnn_checkpointing.report.panels import Of, table
from gnn_checkpointing.report.texts import texts
from gnn_checkpointing.sourced import counted

_text = texts("audit")

_VERDICTS = {True: "passed", False: "FAILED", None: "does not apply"}


def audit_section(inputs: ReportInputs) -> Section:
    """Return the section on the audit."""
    audit = inputs.audit
    return Section(
        "audit",
        "Audit",
        (
            Paragraph(_text("the-report-grades-itself-on", checks=counted(audit.checks), text=_score(audit))),
            table(
                "table-audit",
                _text("table-audit"),
                AUDIT,
                audit.checks,
                Of("Question", "question", content="prose"),
                Of("Answer", lambda check: _VERDICTS[check.passed]),
                Of("Found", lambda check: check.found or check.needs, content="prose"),
                Of("Rule", "rule", content="prose"),
                Of("Evidence", lambda check: check.evidence or units.NOTHING, content="prose"),
            ),
            Links((Link(PACK, f"{AUDIT} in {PACK}", "every question with its rule, answer, numbers and evidence"),)),
        ),
    )


def _score(audit: Audit) -> str:
    """The score in words."""
    left_out = counted(audit.checks) - audit.applicable
    text = f"{units.count(audit.passed)} of {units.count(audit.applicable)} checks passed"
    if left_out:
        text += f"; {units.count(left_out)} more {'does' if left_out == 1 else 'do'} not apply to this study"
    return f"{text}."
