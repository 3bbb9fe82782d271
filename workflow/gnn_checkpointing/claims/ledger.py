"""A claim as data: sentence, source, the estimate it rests on, the rule that judges it, the verdict."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, Field

from gnn_checkpointing.analysis.results import Estimate, Result, Share
from gnn_checkpointing.records.record import checked

Verdict = Literal["supported", "refuted", "inconclusive", "untested"]
Kind = Literal["study", "literature", "seed"]


class Claim(Result):
    """One sentence and its fate."""

    # What is written has every field, and the schema says so.
    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    id: str = Field(description="TEMPLATE, TEMPLATE:CONVOLUTION or TEMPLATE:CONVOLUTION:POLICY; each once a ledger")
    kind: Kind = Field("study", description="this study's own, the literature's, or one that the project began from")
    convolution: str = Field("", description="the convolution that it is about; empty: the whole study")
    policy: str = Field("", description="the policy that it is about; empty: none in particular")
    sentence: str = Field(description="what is claimed")
    in_general: str = Field("", description="the same of every convolution; empty: the sentence is about the study")
    source: str = Field(description="who claims it")
    conditions: str = Field("", description="under which it was tested here; empty: the sentence says it all")
    rule: str = Field(description="what decides, in words; fixed before the data")
    quantity: str = Field(description="what the rule looks at")
    unit: str = Field(description="unit of the estimate")
    estimate: Estimate | None = Field(description="null: nothing was measured that tells")
    evidence: str = Field(description="FILE#POINTER (RFC 6901) of each number, or an expression of such; joined by ;")
    verdict: Verdict = Field(description="what the rule says; inconclusive where another run may turn it")
    flips: Share = Field(0.0, description="share of simulated runs in which the numbers alone say the opposite")
    reason: str = Field(description="where it was measured, or what it would take")


class Ledger(Result):
    """All claims of a study."""

    study: str = Field(description="name of the study")
    hardware: str = Field(description="slug of the machine")
    confidence: float = Field(gt=0, lt=1, description="level of every interval")
    claims: list[Claim] = Field(description="in the order of the catalogue")


def read_ledger(path: Path) -> Ledger:
    """The content of a `claims.json`, or a refusal that names the file and the field."""
    return checked(path, Ledger, "make it again with `judge`")


def ledger_schema() -> dict[str, Any]:
    """Return the JSON schema of a `claims.json`, as it is written: with every field."""
    schema = Ledger.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
