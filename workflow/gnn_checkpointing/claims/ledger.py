"""A claim as data: sentence, source, the estimate it rests on, the rule that judges it, the verdict."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from gnn_checkpointing.analysis.results import Estimate, Result
from gnn_checkpointing.artefacts import read_json
from gnn_checkpointing.refusal import Refusal

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


def read_ledger(path: Path) -> Ledger:
    """Read a `claims.json`, or refuse naming the file and the field."""
    try:
        return Ledger.model_validate(read_json(path))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "ledger"
        raise Refusal(f"{path}: field {field}: {first['msg']}; make it anew with `judge`") from None
