"""The published default report is valid; spoilt in one place, it is not, and the complaint names the place."""

from __future__ import annotations

import csv
import gzip
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gnn_checkpointing.artefacts import sha256_of, write_json
from gnn_checkpointing.cli import main
from gnn_checkpointing.validation.validate import complaints

ROOT = Path(__file__).resolve().parents[2]

(PUBLISHED,) = ROOT.glob("report/*/default/hardware.json")
_FACTS = {fact["name"]: fact["value"] for fact in json.loads(PUBLISHED.read_text())["facts"]}
OF_THE_TYPE = {name: _FACTS[name] for name in ("processor", "cores", "memory", "accelerator")}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the default report under its own names."""
    (published,) = ROOT.glob("report/*/default")
    copy = tmp_path / published.parent.name / published.name
    shutil.copytree(published, copy)
    return copy


def signed(folder: Path) -> None:
    """Write the manifest anew, as someone would who hides a change."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "manifest.json"]
    write_json(
        folder / "manifest.json",
        {"files": {path.relative_to(folder).as_posix(): sha256_of(path) for path in sorted(files)}},
    )


def in_json(name: str, change: Callable[[Any], None]) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        values = json.loads((folder / name).read_text())
        change(values)
        write_json(folder / name, values)

    return spoil


def in_records(change: Callable[[list[dict[str, Any]]], None]) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        path = folder / "records.jsonl.gz"
        records = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
        change(records)
        path.write_bytes(gzip.compress("".join(json.dumps(record) + "\n" for record in records).encode()))

    return spoil


def in_table(column: str, value: str) -> Callable[[Path], None]:
    """Change a field of the first completed row."""

    def spoil(folder: Path) -> None:
        path = folder / "measurements.csv"
        rows = list(csv.DictReader(io.StringIO(path.read_text())))
        next(row for row in rows if row["outcome"] == "completed")[column] = value
        stream = io.StringIO()
        writer = csv.DictWriter(stream, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        path.write_text(stream.getvalue())

    return spoil


def completed(records: list[dict[str, Any]]) -> dict[str, Any]:
    return next(policy for record in records for policy in record["policies"] if policy["memory"])


def memory(name: str, value: int) -> Callable[[list[dict[str, Any]]], None]:
    return lambda records: completed(records)["memory"].update({name: value})


def steps(name: str, value: float) -> Callable[[list[dict[str, Any]]], None]:
    return lambda records: completed(records)["steps"][name].__setitem__(0, value)


def accounts(records: list[dict[str, Any]]) -> None:
    """More bytes allocated than reserved for them."""
    completed(records)["readings"] |= {"allocated_bytes": 10**15, "reserved_bytes": 10**14}


def turn_round(records: list[dict[str, Any]]) -> None:
    records[0]["started"], records[0]["ended"] = records[0]["ended"], records[0]["started"]


def of_hosts(*changes: dict[str, str]) -> Callable[[list[dict[str, Any]]], None]:
    """Let the first records be of machines of the report's type, but for what is changed of each."""

    def spoil(records: list[dict[str, Any]]) -> None:
        for record, change in zip(records, changes, strict=False):
            record["host"] = {"id": "one", **OF_THE_TYPE, **change}

    return spoil


def overturn(values: Any) -> None:
    claim = next(one for one in values["claims"] if one["verdict"] == "supported")
    claim["verdict"] = "refuted"


@pytest.mark.parametrize("study", sorted(path.name for path in ROOT.glob("report/*/*/") if path.is_dir()))
def test_published_reports_are_valid(study: str) -> None:
    (published,) = ROOT.glob(f"report/*/{study}")
    assert complaints(published) == []


def test_a_valid_folder_is_said_to_be(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "figures/.snakemake_timestamp").touch()
    assert main(["validate", str(folder)]) == 0
    assert capsys.readouterr().out == f"{folder}: valid\n"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda folder: (folder / "traces.json").unlink(), "traces.json: no such file"),
        (lambda folder: (folder / "figures/figure-lead.csv").write_text("x"), "figure-lead.csv: has changed"),
        (lambda folder: (folder / "notes.txt").write_text("x"), "notes.txt: not listed in manifest.json"),
        (lambda folder: (folder / "manifest.json").unlink(), "manifest.json: no such file"),
        (lambda folder: (folder / "manifest.json").write_text("[1]"), "manifest.json: no list of files"),
        (lambda folder: (folder / "records.jsonl.gz").write_bytes(b"no gzip"), "not readable as compressed records"),
        (in_json("claims.json", overturn), "claims.json: has changed"),
    ],
)
def test_a_file_that_was_touched_is_named(folder: Path, spoil: Callable[[Path], None], said: str) -> None:
    spoil(folder)
    found = complaints(folder)
    assert any(said in text for text in found), found


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (in_json("claims.json", overturn), ": refuted with "),
        (in_json("hardware.json", lambda values: values.update(slug="another")), "hardware another lies in a folder"),
        (in_json("study.json", lambda values: values.update(name="other")), "study other lies in a folder called"),
        (in_json("study.json", lambda values: values["policies"].append("selective")), "but the study's are others"),
        (in_json("study.json", lambda values: values.update(seed=1)), "asked for by the study, and not measured"),
        (in_json("graphs.json", lambda values: values["graphs"][0].update(num_edges=10**15)), "a simple graph has"),
        (in_json("graphs.json", lambda values: values["graphs"][0].update(average_degree=3.0)), "edges / nodes are"),
        (in_table("step_time_seconds", "1e-3"), "step_time_seconds is 0.001, the records say"),
        (in_table("peak_memory_bytes", "12345"), "peak_memory_bytes is 12345, the records say"),
        (in_records(lambda records: records.append(records[0])), "2 records of it"),
        (in_records(lambda records: records[0].pop("seed")), "record 1: field seed"),
        (in_records(memory("transient_bytes", 1)), "add up to"),
        (in_records(memory("policy_resident_bytes", 10**15)), "bytes of the policy among"),
        (in_records(accounts), "each holds the one before"),
        (in_records(lambda records: records[0].update(memory_limit_bytes=1)), "over the limit 1"),
        (in_records(lambda records: completed(records).update(outcome="failed")), "failed, with bytes"),
        (in_records(steps("forward_seconds", 1e9)), "a forward pass of"),
        (in_records(steps("cpu_seconds", 1e9)), "s of CPU in a step of"),
        (in_records(turn_round), "before it started"),
        (in_records(of_hosts({"cores": "64"}, {})), "process 1 ran on another type of machine: cores 64, not "),
        (in_records(of_hosts({}, {"id": "other"})), "hosts is '', the records say"),
        (in_records(lambda records: records[0].update(measured_seconds=1e9)), "measured for 1000000000.000 s"),
        (in_records(lambda records: completed(records)["steps"]["page_faults"].append(1)), "values of"),
    ],
)
def test_what_cannot_be_is_said_though_it_was_signed(
    folder: Path, spoil: Callable[[Path], None], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(folder)
    signed(folder)
    with pytest.raises(SystemExit, match="2"):
        main(["validate", str(folder)])
    errors = capsys.readouterr().err.splitlines()
    assert all(line.startswith("error: ") for line in errors)
    assert all(line.count(str(folder)) == 1 for line in errors), errors
    assert any(said in line for line in errors), errors


def test_a_step_too_fast_for_any_machine_is_named(folder: Path) -> None:
    def hurry(records: list[dict[str, Any]]) -> None:
        timed = completed(records)["steps"]
        for name in ("wall_seconds", "forward_seconds", "cpu_seconds"):
            timed[name] = [1e-9 if name == "wall_seconds" else 5e-10 for _ in timed[name]]

    in_records(hurry)(folder)
    signed(folder)
    assert any("edges x layers x channels" in text for text in complaints(folder))


def test_no_folder_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", str(tmp_path / "none")]) == 2
    assert "no such folder; name that of a published report" in capsys.readouterr().err
