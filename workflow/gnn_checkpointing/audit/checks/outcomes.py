"""Is every measurement that did not run to its end told, with its reason?"""

from __future__ import annotations

from gnn_checkpointing.analysis.quality import NOT_FAILED
from gnn_checkpointing.audit.answers import Answer, no_offender, not_applicable
from gnn_checkpointing.audit.inputs import AuditInputs, place
from gnn_checkpointing.audit.question import asks


@asks(
    "failures-listed",
    "Is every failure listed?",
    "The list of failures has exactly the rows of the table that ran out of memory or time, or failed.",
)
def failures_listed(inputs: AuditInputs) -> Answer:
    failed = {place(row) for row in inputs.rows if row["outcome"] not in NOT_FAILED}
    listed = {f"{failure.get('cell')}, {failure.get('policy')}" for failure in inputs.findings.quality.failures}
    if not failed and not listed:
        return not_applicable("nothing failed, and nothing is listed")
    differing = sorted(failed ^ listed)
    what = "failures stand in the table or in the list alone"
    evidence = "measurements.csv: outcome; analysis/quality.json: failures"
    return no_offender(differing, len(failed | listed), what, evidence)


@asks(
    "outcomes-explained",
    "Does everything that did not run say why?",
    "Every row that is not completed (failed, refused or unavailable) has a message that says why.",
)
def outcomes_explained(inputs: AuditInputs) -> Answer:
    absent = [row for row in inputs.rows if row["outcome"] != "completed"]
    if not absent:
        return not_applicable("every measurement ran to its end")
    silent = [place(row) for row in absent if not str(row["message"] or "").strip()]
    return no_offender(silent, len(absent), "rows that did not complete give no reason", "measurements.csv: message")
