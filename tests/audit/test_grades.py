"""An audit counts itself, survives its file, and is refused where it was tampered with; the command makes one."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from gnn_checkpointing.analysis.analyse import write_analysis
from gnn_checkpointing.artefacts import read_json, write_json
from gnn_checkpointing.audit.grades import Check, graded, read_audit
from gnn_checkpointing.audit.rubric import audited
from gnn_checkpointing.cli import main
from gnn_checkpointing.records.graph_facts import GraphList
from gnn_checkpointing.records.measurements_table import write_table
from gnn_checkpointing.refusal import Refusal

from . import clean
from .spoils import SPOILS


def check(id: str, passed: bool | None) -> Check:
    needs = "nothing of the kind" if passed is None else ""
    return Check(id=id, question="Is it?", rule="It is.", passed=passed, found="1", evidence="a.json: b", needs=needs)


def test_what_does_not_apply_counts_on_neither_side() -> None:
    audit = graded("s", "h", [check("a", True), check("b", False), check("c", None), check("d", True)])
    assert (audit.passed, audit.applicable) == (2, 3)
    assert [failed.id for failed in audit.failed] == ["b"]


def test_a_check_without_an_answer_says_why() -> None:
    with pytest.raises(ValidationError, match="needs says why"):
        Check.model_validate(check("a", True).model_dump() | {"passed": None})


def test_a_score_that_is_not_that_of_the_checks_is_refused(tmp_path: Path) -> None:
    audit = graded("s", "h", [check("a", True), check("b", False)])
    path = tmp_path / "audit.json"
    write_json(path, audit.model_dump(mode="json"))
    assert read_audit(path) == audit
    write_json(path, read_json(path) | {"passed": 2})
    with pytest.raises(Refusal, match=r"audit\.json: .*2 of 2 passed, but its checks say 1 of 2; make it anew"):
        read_audit(path)


def test_the_command_audits_files_as_what_they_hold(tmp_path: Path) -> None:
    (spoil,) = SPOILS["nothing-else-ran"]
    found = spoil(clean.inputs().by_visit())
    hardware = {
        "slug": found.machine.slug,
        "label": "Test machine",
        "facts": [{"name": name, "value": value} for name, value in found.machine.facts.items()],
    }
    write_json(tmp_path / "study.json", found.study.model_dump(mode="json", by_alias=True, exclude_none=True))
    write_json(tmp_path / "hardware.json", hardware)
    write_table(tmp_path / "measurements.csv", [dict(row) for row in found.by_visit().rows])
    write_analysis(tmp_path / "analysis", found.findings)
    write_json(tmp_path / "claims.json", found.ledger.model_dump(mode="json"))
    write_json(tmp_path / "graphs.json", GraphList(graphs=list(found.graphs)).model_dump(mode="json"))
    write_json(tmp_path / "demonstration.json", found.demonstration.model_dump(mode="json"))
    assert main(["audit", "--run", str(tmp_path)]) == 0
    audit = read_audit(tmp_path / "audit.json")
    assert audit == audited(found)
    assert [failed.id for failed in audit.failed] == ["nothing-else-ran"]
