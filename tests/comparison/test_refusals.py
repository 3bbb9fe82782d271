"""What cannot be compared is one sentence that names the file, and exit code 2; nothing is written."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gnn_checkpointing.cli import main

from .machines import OWN, PUBLISHED, TEMPLATES, in_json, in_table, publish, two


def refused(reports: Path, capsys: pytest.CaptureFixture[str]) -> str:
    output = reports.parent / "out"
    command = ["compare", "--reports", str(reports), "--templates", str(TEMPLATES), "--output-folder", str(output)]
    assert main(command) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert not output.exists()
    return line


def test_a_folder_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "nowhere: no such folder" in refused(tmp_path / "nowhere", capsys)


def test_an_empty_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert f"{tmp_path}: no report has been published yet" in refused(tmp_path, capsys)


def test_one_machine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    publish(tmp_path / "report")
    publish(tmp_path / "report", study="real")
    assert f"only one machine, {OWN}, has published a report" in refused(tmp_path / "report", capsys)


def test_no_study_on_two_machines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    publish(tmp_path / "report")
    publish(tmp_path / "report", "rack", "real")
    assert f"({OWN} has default; rack has real)" in refused(tmp_path / "report", capsys)


def test_a_folder_that_is_no_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    two(tmp_path / "report")
    (tmp_path / "report/rack/notes").mkdir()
    assert "rack/notes: no summary.json there, so it is no published report" in refused(tmp_path / "report", capsys)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda folder: (folder / "measurements.csv").write_text("hardware\nx\n"), "measurements.csv: column study"),
        (
            lambda folder: (folder / "measurements.csv").write_text(
                (folder / "measurements.csv").read_text().replace(",retaining,cpu,1,", ",retaining,cpu,one,", 1)
            ),
            "measurements.csv, line 2: threads is 'one'",
        ),
        (lambda folder: (folder / "measurements.csv").unlink(), "measurements.csv: not readable"),
        (lambda folder: (folder / "claims.json").write_text("{"), "claims.json: not readable as JSON"),
        (lambda folder: (folder / "records.jsonl.gz").write_bytes(b"x"), "records.jsonl.gz: not readable"),
        (lambda folder: (folder / "graphs.json").write_text("{}"), "graphs.json: field graphs"),
        (lambda folder: (folder / "analysis/trends.json").write_text("{}"), "analysis/trends.json: field confidence"),
        (lambda folder: (folder / "analysis/regressions.json").unlink(), "analysis/regressions.json: no such file"),
        (lambda folder: (folder / "study.json").write_text("[]"), "study.json"),
        (lambda folder: (folder / "hardware.json").write_text("{}"), "hardware.json: hardware description"),
        (lambda folder: in_json(folder, "hardware.json", lambda values: values.update(slug="desk")), "it says desk"),
        (lambda folder: in_json(folder, "study.json", lambda values: values.update(name="mine")), "it says mine"),
    ],
)
def test_a_damaged_file_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], spoil: Callable[[Path], object], said: str
) -> None:
    _, second = two(tmp_path / "report")
    spoil(second)
    line = refused(tmp_path / "report", capsys)
    assert str(second) in line
    assert said in line


def test_a_file_that_was_changed_after_publishing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, _ = two(tmp_path / "report")
    shutil.rmtree(first)
    shutil.copytree(PUBLISHED, first)
    command = ["compare", "--reports", str(tmp_path / "report"), "--templates", str(TEMPLATES)]
    assert main([*command, "--output-folder", str(tmp_path / "before")]) == 0
    in_table(first, lambda rows: rows[0].update(saved_activation_bytes="1"))
    line = refused(tmp_path / "report", capsys)
    assert f"{first}/measurements.csv: has changed since it was published" in line
