"""A full disk, folders that may only be read, names that are taken: one sentence, and nothing half-written."""

import errno
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gnn_checkpointing.artefacts import write_text
from gnn_checkpointing.cli import main
from gnn_checkpointing.measurement import hardware
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.report import render

from .finished import ROOT

SMOKE = ROOT / "workflow/studies/smoke.yaml"
HARDWARE = ("-m", "gnn_checkpointing", "hardware", "--study", str(SMOKE), "--output")


def told(output: Path, limit_bytes: int | None = None) -> str:
    """Run a command that writes one file; return its one sentence."""

    def small_disk() -> None:
        if limit_bytes is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))

    found = subprocess.run(
        # Under such a limit Python would leave its own compiled files cut short, for every later process.
        [sys.executable, "-B", *HARDWARE, str(output)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        preexec_fn=small_disk,
    )
    assert found.returncode == 2, found.stderr
    assert len(found.stderr.splitlines()) == 1
    assert found.stderr.startswith("error: ")
    return found.stderr


@pytest.fixture
def disk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A file system of its own, with the options that a test asks for; skip where none may be mounted."""
    place = tmp_path / "disk"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", request.param, "none", place], capture_output=True).returncode:
        pytest.skip("may not mount a file system here")
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_file_that_may_not_grow(tmp_path: Path) -> None:
    assert "hardware.json: file too large" in told(tmp_path / "hardware.json", limit_bytes=100)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("disk", ["size=64k"], indirect=True)
def test_a_full_disk(disk: Path) -> None:
    """Most of it is taken already."""
    (disk / "taken").write_bytes(bytes(64 * 1024))
    assert "hardware.json: no space left on device; free some space" in told(disk / "hardware.json")
    assert [path.name for path in disk.iterdir()] == ["taken"]


@pytest.mark.parametrize("disk", ["size=256k"], indirect=True)
def test_a_report_that_does_not_fit_leaves_the_one_that_was_there_whole(disk: Path) -> None:
    old, new = (dict.fromkeys("abc", content) for content in (b"old", bytes(100_000)))
    render._publish(disk, old, ())
    with pytest.raises(OSError, match="No space left") as failure:
        render._publish(disk, new, ())
    assert failure.value.filename == str(disk / "c")
    assert {path.name: path.read_bytes() for path in disk.iterdir()} == old


def test_what_lies_in_the_output_folder_and_is_no_part_of_a_report_stays(tmp_path: Path) -> None:
    """The files of an unpacked report go, since their packed form would contradict them; a user's own are refused."""
    own = [tmp_path / name for name in ("figures/mine.csv", "analysis/mine.json", "manifest.json")]
    for path in own:
        write_text(path, "mine")
    render._publish(tmp_path, {"study.json": b"new"}, ["measurements.csv"])
    assert [path.read_text() for path in own] == ["mine"] * 3
    write_text(tmp_path / "measurements.csv", "mine")
    with pytest.raises(Refusal, match=r"measurements\.csv: no part of a report, .*; name another folder"):
        render._publish(tmp_path, {"study.json": b"newer"}, ["measurements.csv"])
    assert (tmp_path / "study.json").read_text() == "new"
    write_text(tmp_path / "records.jsonl", "")
    render._publish(tmp_path, {"study.json": b"newer"}, ["measurements.csv", "records.jsonl"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["manifest.json", "study.json"]


def test_writing_that_fails_in_the_middle_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    write_text(path, "before")

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left") as failure:
        write_text(path, "after")
    assert failure.value.filename == str(path)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(not os.getuid(), reason="root may write anywhere but onto what is mounted to be read")
def test_a_folder_that_may_only_be_read(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert "permission denied; change its permissions" in told(tmp_path / "hardware.json")


@pytest.mark.parametrize("disk", ["ro"], indirect=True)
def test_a_file_system_that_may_only_be_read(disk: Path) -> None:
    assert "read-only file system; name a folder that can be written to" in told(disk / "hardware.json")


@pytest.mark.parametrize("disk", ["ro"], indirect=True)
def test_what_cannot_be_written_is_found_before_anything_is_read(
    disk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(hardware, "hardware_record", lambda _: pytest.fail("it was made"))
    for output in (disk / "hardware.json", disk / "new/folder/hardware.json"):
        assert main(["hardware", f"--study={SMOKE}", f"--output={output}"]) == 2
        assert f"error: {disk}: read-only file system; name a folder" in capsys.readouterr().err


def test_names_that_are_taken_or_too_long(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder.json" / "full").mkdir(parents=True)
    for output, words in {
        tmp_path / "file" / "hardware.json": "a file stands where a folder is needed",
        tmp_path / "folder.json": "a folder stands where a file is needed",
        Path(): "a folder stands where a file is needed",
        Path("/"): "a folder stands where a file is needed",
        tmp_path / ("x" * 300): "file name too long; choose a shorter name",
        tmp_path / ("x/" * 1500): "folders deep; at most 200 are allowed",
    }.items():
        assert main(["hardware", f"--study={SMOKE}", f"--output={output}"]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("error: ") and words in line


def test_streams_that_are_closed_and_a_folder_that_is_gone(tmp_path: Path) -> None:
    describe = [sys.executable, "-m", "gnn_checkpointing", "describe", "--csv"]
    sample = ROOT / "workflow/studies/sample_graph"
    assert subprocess.run([*describe, sample], cwd=ROOT, preexec_fn=lambda: os.close(1)).returncode == 0
    for given, streams, words in (
        (sample, {"stdout": os.open("/dev/null", os.O_RDONLY), "stderr": subprocess.PIPE}, "send it elsewhere"),
        (tmp_path, {"stderr": os.open("/dev/full", os.O_WRONLY)}, ""),
    ):
        buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
        found = subprocess.run([*describe, given], cwd=ROOT, text=True, env=buffered, **streams)
        assert found.returncode == 2
        assert words in (found.stderr or "")
    gone = tmp_path / "gone"
    gone.mkdir()
    found = subprocess.run([*describe, "."], cwd=gone, capture_output=True, text=True, preexec_fn=gone.rmdir)
    assert found.returncode == 2
    assert "change to a folder that is there" in found.stderr
