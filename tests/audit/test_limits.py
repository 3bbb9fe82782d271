"""Another's report is read only so far and so long: one sentence says which limit it exceeds."""

import signal
import time
from pathlib import Path

import pytest
from pydantic import ValidationError

from gnn_checkpointing import artefacts
from gnn_checkpointing.artefacts import MOST_TEXT, parsed_json, write_json
from gnn_checkpointing.audit import validate
from gnn_checkpointing.audit.validate import MOST_COMPLAINTS, complaints, quick_complaints, within
from gnn_checkpointing.cli import main
from gnn_checkpointing.records import cell, measurements_table
from gnn_checkpointing.records.traces import read_traces
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.report.sections.history import read_history
from gnn_checkpointing.study import reading


def test_a_check_that_takes_too_long_is_stopped_and_the_next_has_its_own_time(tmp_path: Path) -> None:
    def endless(_folder: Path) -> list[str]:
        try:
            while True:
                time.sleep(0.01)
        except Exception:  # what a check takes for an answer must not swallow the alarm
            return []

    before = signal.getsignal(signal.SIGALRM)
    (said,) = within(0.05, tmp_path, endless)
    assert said == f"{tmp_path}: checking it took longer than 0.05 s and was stopped; allow more with --seconds"
    assert within(60, tmp_path, lambda _: ["done"]) == ["done"]
    assert signal.getsignal(signal.SIGALRM) == before
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


def test_a_folder_too_large_in_all_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validate, "MOST_FOLDER_BYTES", 10)
    (tmp_path / "a").write_bytes(b"123456")
    assert within(1, tmp_path, lambda _: ["read"]) == ["read"]
    (tmp_path / "b").write_bytes(b"123456")
    (said,) = quick_complaints(tmp_path)
    assert said == f"{tmp_path}: 12 bytes in all, at most 10 are read; it is no report of this project"


@pytest.mark.parametrize("place", [lambda text: {"label": text}, lambda text: {text: 1}, lambda text: [[text]]])
def test_a_text_without_end_is_refused_and_long_lists_are_not(place: object, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    write_json(path, place("x" * (MOST_TEXT + 1)))  # type: ignore[operator]
    with pytest.raises(ValueError, match=rf"a text of {MOST_TEXT + 1} characters begins 'xxx.*at most {MOST_TEXT}"):
        parsed_json(path.read_text())
    write_json(path, [place("x" * MOST_TEXT), list(range(MOST_TEXT))])  # type: ignore[operator]
    assert len(parsed_json(path.read_text())[1]) == MOST_TEXT


def test_the_command_has_the_limit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_json(tmp_path / "hardware.json", {"slug": "here", "label": "x" * 10**7})
    for name in ("study.json", "measurements.csv"):
        (tmp_path / name).touch()
    assert any(f"at most {MOST_TEXT} are read" in text for text in complaints(tmp_path))
    assert main(["validate", str(tmp_path), "--seconds", "0"]) == 2
    assert "--seconds" in capsys.readouterr().err


def test_what_takes_a_hundred_times_its_size_in_memory_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(artefacts, "MOST_VALUES", 10)
    with pytest.raises(ValueError, match="more than 10 values"):
        parsed_json(f"[{'[],' * 11}[]]")
    monkeypatch.undo()
    (tmp_path / "study.json").write_text(f"[{'0,' * (reading.MOST_VALUES + 1)}0]")
    monkeypatch.setattr(artefacts.json, "loads", lambda *_, **__: pytest.fail("it was read"))
    with pytest.raises(Refusal, match=rf"study\.json: .*more than {reading.MOST_VALUES} values"):
        reading.read_study(tmp_path / "study.json")
    monkeypatch.undo()
    monkeypatch.setattr(cell, "MOST_VALUES", 10)
    (tmp_path / "records.jsonl").write_text("[0, 0]\n" * 11)
    with pytest.raises(Refusal, match=r"records\.jsonl: more than 10 values"):
        cell.read_records(tmp_path / "records.jsonl")
    monkeypatch.setattr(measurements_table, "_MOST_ROWS", 10)
    (tmp_path / "t.csv").write_text(",\n" * 11)
    with pytest.raises(Refusal, match=r"t\.csv: more than 10 rows"):
        measurements_table.read_table(tmp_path / "t.csv")


def test_of_a_hundred_thousand_wrong_values_one_or_their_number_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asking pydantic for all of them would take 1 kB of memory and 25 us each."""
    write_json(tmp_path / "history.json", [1] * 100_000)
    with pytest.raises(Refusal, match=r"history\.json: field 0: Input should be"):
        read_history(tmp_path / "history.json")
    monkeypatch.setattr(ValidationError, "errors", lambda *_, **__: pytest.fail("all are asked for"), raising=False)
    write_json(tmp_path / "traces.json", {"traces": [1] * 100_000})
    with pytest.raises(Refusal, match=r"traces\.json: 100,000 values in it are wrong; it is no file of this project"):
        read_traces(tmp_path / "traces.json")


def test_nobody_reads_a_thousand_complaints(tmp_path: Path) -> None:
    found = within(1, tmp_path, lambda _: ["wrong"] * 1000)
    assert len(found) == MOST_COMPLAINTS + 1
    assert found[-1] == f"{tmp_path}: {1000 - MOST_COMPLAINTS} complaints more"
