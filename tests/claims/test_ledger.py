"""Schemas are committed and current, and that of a ledger is strict."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from gnn_checkpointing.claims import ledger as form
from gnn_checkpointing.claims.ledger import Ledger, ledger_schema, read_ledger
from gnn_checkpointing.cli import main
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.report.index import summary_schema
from gnn_checkpointing.study.reading import study_schema
from synthetic.findings import empty, ledger

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = {
    "claims": (ROOT / "workflow/claims.schema.json", ledger_schema),
    "summary": (ROOT / "workflow/summary.schema.json", summary_schema),
    "study": (ROOT / "workflow/studies/schema.json", study_schema),
}


def written() -> Any:
    return json.loads(json.dumps(form.written(ledger(empty()))))


@pytest.mark.parametrize("of", SCHEMAS)
def test_each_schema_file_is_the_models_own_and_what_the_command_prints(
    of: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """After a change of a model: make schema."""
    committed, schema = SCHEMAS[of]
    assert json.loads(committed.read_text()) == schema()
    assert main(["schema", "--of", of]) == 0
    assert json.loads(capsys.readouterr().out) == schema()


@pytest.mark.parametrize("report", sorted(ROOT.glob("report/*/*/summary.json")), ids=lambda path: path.parent.name)
def test_a_published_summary_obeys_its_schema(report: Path) -> None:
    jsonschema.validate(json.loads(report.read_text()), summary_schema())


def test_a_judged_ledger_obeys_the_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(ledger_schema())
    jsonschema.validate(written(), ledger_schema())


LACKING = [(field, ...) for field in ("id", "kind", "sentence", "evidence", "estimate", "verdict", "reason")]


@pytest.mark.parametrize(
    ("field", "value"), [*LACKING, ("verdict", "proven"), ("kind", "rumour"), ("estimate", 3), ("odds", 1)]
)
def test_a_claim_that_lacks_a_field_or_has_an_impossible_value_breaks_the_schema(field: str, value: object) -> None:
    broken = written()
    claim = broken["claims"][0]
    lacking = {name: claim[name] for name in claim if name != field}
    broken["claims"][0] = lacking if value is ... else {**lacking, field: value}
    with pytest.raises(jsonschema.ValidationError, match=field if value is ... else None):
        jsonschema.validate(broken, ledger_schema())


def test_every_field_is_explained() -> None:
    schema = ledger_schema()
    for part in (schema, schema["$defs"]["Claim"], schema["properties"]["alike"]["additionalProperties"]):
        assert all("description" in field for field in part["properties"].values())


def test_a_ledger_survives_its_file(tmp_path: Path) -> None:
    file = tmp_path / "claims.json"
    made = ledger(empty())
    for text in (made.model_dump_json(), json.dumps(form.written(made))):
        file.write_text(text)
        assert read_ledger(file) == made


def test_what_claims_of_one_template_share_is_written_once() -> None:
    made = ledger(empty()).claims[0]
    claims = [made.model_copy(update={"id": f"t:{name}", "unit": unit}) for name, unit in (("GCN", "x"), ("GAT", "y"))]
    found = form.written(Ledger(study="s", hardware="h", confidence=0.95, claims=[*claims, made]))
    assert found["alike"]["t"]["rule"] == made.rule and "unit" not in found["alike"]["t"]
    assert ["rule" in claim for claim in found["claims"]] == [False, False, True]
    assert all("unit" in claim for claim in found["claims"])


def test_a_ledger_that_breaks_its_form_is_refused_by_file_and_field(tmp_path: Path) -> None:
    broken = written()
    broken["claims"][3]["verdict"] = "proven"
    file = tmp_path / "claims.json"
    file.write_text(json.dumps(broken))
    with pytest.raises(Refusal, match=r"claims\.json: field claims\.3\.verdict: .*make it again with `judge`"):
        read_ledger(file)


def test_a_claim_that_says_no_more_than_it_must_is_about_the_study() -> None:
    """Fields that were added later have a value that is true of what was written before."""
    old = json.loads(ledger(empty()).model_dump_json())
    for name in ("kind", "convolution", "policy", "in_general", "conditions"):
        del old["claims"][0][name]
    first = Ledger.model_validate(old).claims[0]
    assert (first.kind, first.convolution, first.conditions) == ("study", "", "")
