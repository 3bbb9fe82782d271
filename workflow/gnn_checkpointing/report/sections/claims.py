"""Every judged sentence, with what it rests on."""

from __future__ import annotations

from gnn_checkpointing.claims.ledger import Claim
from gnn_checkpointing.report import units
from gnn_checkpointing.report.inputs import CLAIMS, ReportInputs
from gnn_checkpointing.report.page import Block, ClaimItem, Claims, Fact, Paragraph, Section


def claims_section(inputs: ReportInputs) -> Section:
    """Return the section on claims and their verdicts."""
    ledger = inputs.ledger
    if not ledger.claims:
        return Section("claims", "Claims", (Paragraph("This study judges no claims."),))
    blocks: tuple[Block, ...] = (
        Paragraph(
            "Each claim was written down with the rule that judges it; the verdict follows from the estimate and its "
            f"{units.confidence(ledger.confidence)} interval. What this study cannot test is called untested, with the "
            "reason."
        ),
        Claims(tuple(_item(claim) for claim in ledger.claims), CLAIMS),
    )
    return Section("claims", "Claims and verdicts", blocks)


def _item(claim: Claim) -> ClaimItem:
    facts = [Fact("Source", claim.source), Fact("Rule", claim.rule)]
    if claim.estimate is not None:
        unit = "" if "ratio" in claim.unit else claim.unit
        value = f"{units.general_estimate(claim.estimate)} {unit}".strip()
        facts.append(Fact("Estimate", f"{claim.quantity}: {value}"))
    facts += [Fact("Evidence", claim.evidence), Fact("Reason", claim.reason)]
    return ClaimItem(claim.id, claim.sentence, claim.verdict, tuple(fact for fact in facts if fact.value))
