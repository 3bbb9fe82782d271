"""Does the answer hold without any one graph, at any hour, and does every claim show what it rests on?"""

from __future__ import annotations

from gnn_checkpointing.audit.inputs import AuditInputs
from gnn_checkpointing.audit.rubric import Answer, Named, at_least, no_offender, not_applicable

LARGEST_DRIFT = 0.02
LEAST_COVERAGE = 0.93
FEWEST_CLAIMS = 30


def no_graph_decides(inputs: AuditInputs) -> Named:
    for one in inputs.findings.robustness.left_out:
        without = f" (without {one.changes[0]})" if one.changes else ""
        yield f"{one.statement}, {one.convolution}, {one.policy}{without}", bool(one.changes)


def no_drift(inputs: AuditInputs) -> Named:
    level = 1 - inputs.study.analysis.confidence
    for one in inputs.findings.robustness.drift:
        drifts = one.p_value < level and abs(one.change.estimate) >= LARGEST_DRIFT
        yield f"{one.convolution}, {one.policy}, {one.response}", drifts


def stopping_covers(inputs: AuditInputs) -> Answer:
    rules = inputs.findings.robustness.stopping
    if not rules:
        return not_applicable()
    least = min(rules, key=lambda rule: rule.covered)
    return at_least(least.covered, LEAST_COVERAGE, f"share of {least.plays} plays whose interval holds the true ratio")


def claims_enough(inputs: AuditInputs) -> Answer:
    claims = inputs.ledger.claims
    different = len({claim.id for claim in claims})
    found = f"{len(claims)} claims, {different} of them different; at least {FEWEST_CLAIMS} asked for"
    return Answer(FEWEST_CLAIMS <= different == len(claims), found)


def verdicts_estimated(inputs: AuditInputs) -> Named:
    judged = (claim for claim in inputs.ledger.claims if claim.verdict != "untested")
    return ((claim.id, claim.estimate is None or not claim.evidence) for claim in judged)


def untested_explained(inputs: AuditInputs) -> Named:
    untested = (claim for claim in inputs.ledger.claims if claim.verdict == "untested")
    return ((claim.id, not claim.reason.strip()) for claim in untested)


def one_confidence(inputs: AuditInputs) -> Answer:
    found, asked = inputs.findings, inputs.study.analysis.confidence
    levels = {
        "analysis/effects.json": found.effects.confidence,
        "analysis/trends.json": found.trends.confidence,
        "analysis/regressions.json": found.regressions.confidence,
        "analysis/predictions.json": found.predictions.confidence,
        "claims.json": inputs.ledger.confidence,
    }
    named = ((f"{file} ({level:g})", level != asked) for file, level in levels.items())
    return no_offender(named, f"files have another level than {asked:g}")
