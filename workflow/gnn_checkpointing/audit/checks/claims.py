"""Does every claim show what it rests on?"""

from __future__ import annotations

from gnn_checkpointing.audit.answers import Answer, no_offender
from gnn_checkpointing.audit.inputs import AuditInputs
from gnn_checkpointing.audit.question import asks

FEWEST_CLAIMS = 30


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
