"""A claim as data: sentence, source, the estimate it rests on, the rule that judges it, the verdict."""

from __future__ import annotations

from typing import Literal

from gnn_checkpointing.analysis.results import Estimate, Result

Verdict = Literal["supported", "refuted", "inconclusive", "untested"]


class Claim(Result):
    """One sentence and its fate."""

    id: str
    sentence: str
    source: str
    rule: str
    quantity: str
    unit: str
    estimate: Estimate | None
    evidence: str
    verdict: Verdict
    reason: str


class Ledger(Result):
    """All claims of a study."""

    study: str
    hardware: str
    confidence: float
    claims: list[Claim]


class Sentence(Result):
    """One sentence of the answer, with the verdict of the claims that it tells and where its numbers stand."""

    text: str
    verdict: Verdict
    evidence: str
