"""A published report is an RO-Crate: its own reader loads it, and it lists each file once, with its checksum."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from rocrate.rocrate import ROCrate

from gnn_checkpointing.artefacts import sha256_of
from gnn_checkpointing.audit.inputs import RunFolder
from gnn_checkpointing.audit.pages import pages
from gnn_checkpointing.report.provenance import CODE, CRATE
from rebuilt import packed


@pytest.fixture(scope="module")
def report() -> Path:
    return packed("batches")


def test_its_reader_finds_every_file_with_its_checksum_and_no_other(report: Path) -> None:
    crate = ROCrate(report)
    listed = {file.id: file["sha256"] for file in crate.get_by_type("File") if file.id != CRATE}
    there = {path.relative_to(report).as_posix(): path for path in report.rglob("*") if path.is_file()}
    del there[CRATE]
    assert listed == {name: sha256_of(path) for name, path in there.items()}


def test_it_is_described_by_the_title_and_the_first_sentence(report: Path) -> None:
    summary = json.loads((report / "summary.json").read_text())
    root = ROCrate(report).root_dataset
    assert (root["name"], root["description"]) == (summary["study"]["title"], summary["headline"])
    assert root["conformsTo"].id == "https://w3id.org/ro/wfrun/process/0.5"


def test_one_action_of_this_code_read_the_study_and_made_the_rest(report: Path) -> None:
    crate = ROCrate(report)
    (run,) = crate.get_by_type("CreateAction")
    assert run["instrument"].id == CODE
    assert {file.id for file in run["object"]} == {"study.json", "hardware.json"}
    files = {file.id for file in crate.get_by_type("File")} - {CRATE}
    assert {file.id for file in run["result"]} == files - {"study.json", "hardware.json"}
    assert run["startTime"] < run["endTime"]
    facts = {fact["name"]: fact["value"] for fact in run["environment"]}
    described = json.loads((report / "hardware.json").read_text())["facts"]
    assert facts.items() >= {fact["name"]: fact["value"] for fact in described}.items()


@pytest.mark.parametrize(("name", "value"), [("endTime", "2031-01-01T00:00:00+00:00"), ("result", [])])
def test_a_changed_statement_about_the_run_is_not_valid(report: Path, tmp_path: Path, name: str, value: object) -> None:
    folder = tmp_path / report.parent.name / report.name
    shutil.copytree(report, folder)
    crate = json.loads((folder / CRATE).read_text())
    next(entity for entity in crate["@graph"] if entity["@id"] == "#run")[name] = value
    (folder / CRATE).write_text(json.dumps(crate))
    assert list(pages(RunFolder(folder))) == [f"{CRATE}: not what the data beside it give: #run"]
