"""Does the answer hold without any one graph, at any hour, and does every claim show what it rests on?"""

from __future__ import annotations

from gnn_checkpointing.audit.inputs import AuditInputs
from gnn_checkpointing.audit.question import Answer, asks, at_least, no_offender, not_applicable

LARGEST_DRIFT = 0.02
LEAST_COVERAGE = 0.93
FEWEST_CLAIMS = 30

PLACE = 7


@asks(
    "no-graph-decides",
    "Does every statement stand without any one graph?",
    "Leaving out one graph, whichever it is, turns no statement's interval to another side of its boundary.",
)
def no_graph_decides(inputs: AuditInputs) -> Answer:
    tried = inputs.findings.robustness.left_out
    turned = [
        f"{one.statement}, {one.convolution}, {one.policy} (without {one.changes[0]})" for one in tried if one.changes
    ]
    evidence = "analysis/robustness.json: left_out.changes"
    return no_offender(
        turned, len(tried), "statements hang on one graph", evidence, "no statement was tried without one of its graphs"
    )


@asks(
    "no-drift",
    "Are the laws free of drift over the run?",
    "No response's residuals change over the run by 2 % or more, significantly at the study's confidence level.",
)
def no_drift(inputs: AuditInputs) -> Answer:
    tried, level = inputs.findings.robustness.drift, 1 - inputs.study.analysis.confidence
    drifting = [
        f"{one.convolution}, {one.policy}, {one.response}"
        for one in tried
        if one.p_value < level and abs(one.change.estimate) >= LARGEST_DRIFT
    ]
    evidence = "analysis/robustness.json: drift.change, drift.p_value"
    return no_offender(
        drifting,
        len(tried),
        "laws' residuals drift over the run",
        evidence,
        "no residuals were set against the order of measurement",
    )


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


@asks(
    "claims-enough",
    "Are there claims enough?",
    "The ledger has at least 30 claims, each with an id of its own.",
)
def claims_enough(inputs: AuditInputs) -> Answer:
    claims = inputs.ledger.claims
    different = len({claim.id for claim in claims})
    found = f"{len(claims)} claims, {different} of them different; at least {FEWEST_CLAIMS} asked for"
    return Answer(FEWEST_CLAIMS <= different == len(claims), found, "claims.json: claims.id")


@asks(
    "verdicts-estimated",
    "Does every verdict rest on an estimate?",
    "Each claim that is supported, refuted or inconclusive has an estimate and says where it stands.",
)
def verdicts_estimated(inputs: AuditInputs) -> Answer:
    judged = [claim for claim in inputs.ledger.claims if claim.verdict != "untested"]
    bare = [claim.id for claim in judged if claim.estimate is None or not claim.evidence]
    what = "judged claims have no estimate or no evidence"
    return no_offender(bare, len(judged), what, "claims.json: estimate, evidence")


@asks(
    "untested-explained",
    "Does every untested claim say why?",
    "Each untested claim says why it is.",
)
def untested_explained(inputs: AuditInputs) -> Answer:
    untested = [claim for claim in inputs.ledger.claims if claim.verdict == "untested"]
    silent = [claim.id for claim in untested if not claim.reason.strip()]
    return no_offender(silent, len(untested), "untested claims give no reason", "claims.json: reason")


@asks(
    "one-confidence",
    "Is there one confidence level throughout?",
    "Effects, trends, laws, predictions and claims have the study's confidence level.",
)
def one_confidence(inputs: AuditInputs) -> Answer:
    found, asked = inputs.findings, inputs.study.analysis.confidence
    levels = {
        "analysis/effects.json": found.effects.confidence,
        "analysis/trends.json": found.trends.confidence,
        "analysis/regressions.json": found.regressions.confidence,
        "analysis/predictions.json": found.predictions.confidence,
        "claims.json": inputs.ledger.confidence,
    }
    other = [f"{file} ({level:g})" for file, level in levels.items() if level != asked]
    what = f"files have another level than {asked:g}"
    return no_offender(other, len(levels), what, f"{', '.join(levels)}: confidence")
