"""Does the answer hang on one graph, on the hour, or on the rule that stops the clock?"""

from __future__ import annotations

from gnn_checkpointing.audit.answers import Answer, at_least, no_offender, not_applicable
from gnn_checkpointing.audit.inputs import AuditInputs
from gnn_checkpointing.audit.question import asks

LARGEST_DRIFT = 0.02
LEAST_COVERAGE = 0.93


@asks(
    "no-graph-decides",
    "Does every statement stand without any one graph?",
    "Leaving out one graph, whichever it is, turns no statement's interval to another side of its boundary.",
)
def no_graph_decides(inputs: AuditInputs) -> Answer:
    tried = inputs.findings.robustness.left_out
    if not tried:
        return not_applicable("no statement was tried without one of its graphs")
    turned = [
        f"{one.statement}, {one.convolution}, {one.policy} (without {one.changes[0]})" for one in tried if one.changes
    ]
    evidence = "analysis/robustness.json: left_out.changes"
    return no_offender(turned, len(tried), "statements hang on one graph", evidence)


@asks(
    "no-drift",
    "Are the laws free of drift over the run?",
    "No response's residuals change over the run by 2 % or more, significantly at the study's confidence level.",
)
def no_drift(inputs: AuditInputs) -> Answer:
    tried, level = inputs.findings.robustness.drift, 1 - inputs.study.analysis.confidence
    if not tried:
        return not_applicable("no residuals were set against the order of measurement")
    drifting = [
        f"{one.convolution}, {one.policy}, {one.response}"
        for one in tried
        if one.p_value < level and abs(one.change.estimate) >= LARGEST_DRIFT
    ]
    evidence = "analysis/robustness.json: drift.change, drift.p_value"
    return no_offender(drifting, len(tried), "laws' residuals drift over the run", evidence)


@asks(
    "stopping-covers",
    "Does the stopping rule leave intervals honest?",
    "Played on steps of known ratio, the stopping rule's intervals hold that ratio at least 93 % of the time.",
)
def stopping_covers(inputs: AuditInputs) -> Answer:
    played = inputs.findings.robustness.stopping
    if not played:
        return not_applicable("the stopping rule was not played")
    least = min(played, key=lambda rule: rule.covered)
    what = f"share of {least.plays} plays whose interval holds the true ratio"
    return at_least(least.covered, LEAST_COVERAGE, what, "analysis/robustness.json: stopping.covered")
