"""A claim as data: sentence, source, underlying estimate, the rule that judges it, and the verdict."""

from functools import partial
from itertools import product
from typing import Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter, model_validator

from gnn_checkpointing.analysis.results import Estimate, Result, Share
from gnn_checkpointing.analysis.rounding import all_significant
from gnn_checkpointing.analysis.table import grouped
from gnn_checkpointing.records.record import checked

Verdict = Literal["supported", "refuted", "inconclusive", "untested"]
Kind = Literal["study", "literature", "seed"]

_ALIKE = ("in_general", "source", "conditions", "rule", "quantity", "unit")
"""Fields that claims of one template may share."""
_FORM = TypeAdapter(dict[str, dict[str, str]])


class Claim(Result):
    """One sentence and its fate."""

    # Written files have every field, and the schema says so.
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

    @model_validator(mode="before")
    @classmethod
    def _whole(cls, values: Any) -> Any:
        """Fill in the fields that the file states once for all claims of a template."""
        if not isinstance(values, dict) or not isinstance(values.get("claims"), list) or "alike" not in values:
            return values
        alike = _FORM.validate_python(values["alike"])
        whole = [
            {**alike.get(str(one.get("id")).partition(":")[0], {}), **one} if isinstance(one, dict) else one
            for one in values["claims"]
        ]
        return {name: value for name, value in values.items() if name != "alike"} | {"claims": whole}


def written(ledger: Ledger) -> dict[str, Any]:
    """The content of a `claims.json`; fields that all claims of a template share are stated once, under `alike`."""
    values = all_significant(ledger.model_dump(mode="json"))
    own = grouped(values["claims"], lambda claim: claim["id"].partition(":")[0])
    alike = {
        template: {name: claims[0][name] for name in _ALIKE if all(one[name] == claims[0][name] for one in claims)}
        for template, claims in own.items()
        if len(claims) > 1
    }
    for template, said in alike.items():
        for claim, name in product(own[template], said):
            del claim[name]
    return {**values, "alike": alike, "claims": values["claims"]}


read_ledger = partial(checked, kind=Ledger, remedy="make it again with `judge`")
"""Read the content of a `claims.json`; a refusal names the file and the field."""


def ledger_schema() -> dict[str, Any]:
    """The JSON schema of a `claims.json` as it is written, with every field in each claim or in its template."""
    schema = Ledger.model_json_schema(mode="serialization")
    claim = schema["$defs"]["Claim"]
    claim["required"] = [name for name in claim["required"] if name not in _ALIKE]
    schema["properties"]["alike"] = {
        "description": "by TEMPLATE, the fields that all its claims share and leave out",
        "additionalProperties": {
            "properties": {name: claim["properties"][name] for name in _ALIKE},
            "additionalProperties": False,
            "type": "object",
        },
        "type": "object",
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
