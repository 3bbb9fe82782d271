"""What cannot be compared is one sentence that names the file."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from changed import in_table
from faults.hostile import signed
from gnn_checkpointing.cli import main
from gnn_checkpointing.comparison import refuse_strangers
from gnn_checkpointing.comparison.page import compare
from gnn_checkpointing.refusal import Refusal
from rebuilt import rebuilt

from .machines import OWN, TEMPLATES, measured_on, publish, two


def refused(reports: Path) -> str:
    """The sentence that comparing is refused with; the command itself lets nothing in that is not valid."""
    try:
        refuse_strangers(reports)
        compare(reports)
    except Refusal as refusal:
        return str(refusal)
    pytest.fail("nothing was refused")


def a_folder_beside(reports: Path) -> None:
    two(reports)
    (reports / "rack/notes").mkdir()


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda reports: None, "report: no such folder"),
        (lambda reports: reports.mkdir(), "report: no report has been published yet"),
        (
            lambda reports: (publish(reports), publish(reports, study="real")),
            f"only one machine, {OWN}, has published a report",
        ),
        (lambda reports: (publish(reports), publish(reports, "rack", "real")), f"({OWN} has default; rack has real)"),
        (a_folder_beside, "rack/notes: no summary.json there, so it is no published report"),
    ],
)
def test_folders_that_cannot_be_compared(tmp_path: Path, made: Callable[[Path], object], said: str) -> None:
    made(tmp_path / "report")
    assert said in refused(tmp_path / "report")


def test_the_documentation_is_no_stranger(tmp_path: Path) -> None:
    (tmp_path / "docs/how-to").mkdir(parents=True)
    refuse_strangers(tmp_path)
    (tmp_path / "rack/how-to").mkdir(parents=True)
    with pytest.raises(Refusal, match=r"rack/how-to: no summary\.json there"):
        refuse_strangers(tmp_path)


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
        (lambda folder: (folder / "records.jsonl").write_bytes(b"\xff\n"), "records.jsonl: not readable"),
        (lambda folder: (folder / "graphs.json").write_text("{}"), "graphs.json: field graphs"),
        (lambda folder: (folder / "analysis/trends.json").write_text("{}"), "analysis/trends.json: field confidence"),
        (lambda folder: (folder / "analysis/regressions.json").unlink(), "analysis/regressions.json: no such file"),
        (lambda folder: (folder / "study.json").write_text("[]"), "study.json"),
        (lambda folder: (folder / "hardware.json").write_text("{}"), "hardware.json: hardware description"),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, spoil: Callable[[Path], object], said: str) -> None:
    _, second = two(tmp_path / "report")
    spoil(second)
    line = refused(tmp_path / "report")
    assert str(second) in line
    assert said in line


def test_the_command_refuses_what_is_not_valid(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sentence that names the file, exit code 2, and nothing is written; then a forger has signed the change."""
    monkeypatch.chdir(tmp_path)
    reports, output = tmp_path / "report", tmp_path / "out"
    published = rebuilt("ten-million")
    shutil.copytree(published, reports / OWN / "ten-million")
    second = measured_on(published, "rack", reports)
    in_table(second, lambda rows: rows.insert(0, rows[0] | {"time_ratio": "10.42"}))
    command = ["compare", f"--reports={reports}", f"--templates={TEMPLATES}", f"--output-folder={output}"]
    for said in ("measurements.csv: has changed", "measurements.csv: cell"):
        assert main(command) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("error: ")
        assert str(second) in line and said in line
        assert not output.exists()
        signed(second, "measurements.csv")
