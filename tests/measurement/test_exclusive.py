"""Nothing runs beside a measurement, and nothing goes on measuring for a dead master."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gnn_checkpointing.measurement.exclusive import LOCK, asker, end_all_with, lock_path, machine
from gnn_checkpointing.refusal import Refusal
from waiting import own, wait_for


@pytest.fixture(autouse=True)
def own_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LOCK, str(tmp_path / "lock"))


def test_preparing_is_shared_and_measuring_is_not(tmp_path: Path) -> None:
    with machine(shared=True), machine(shared=True), pytest.raises(SystemExit), machine(False, lambda: False):
        pytest.fail("measured beside a preparation")
    with machine(shared=False), pytest.raises(SystemExit), machine(shared=True, still_wanted=lambda: False):
        pytest.fail("prepared beside a measurement")


def test_the_place_of_the_lock_is_one_whatever_tmpdir_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(LOCK)
    before = lock_path()
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert lock_path() == before == Path(f"/tmp/gnn-checkpointing-{os.getuid()}.lock")


@pytest.mark.parametrize("kind", ["link", "hard link", "folder", "pipe"])
def test_a_lock_that_is_no_file_of_its_own_is_refused_and_left_alone(tmp_path: Path, kind: str) -> None:
    other, lock = tmp_path / "other", tmp_path / "lock"
    other.write_text("kept")
    {
        "link": lambda: lock.symlink_to(other),
        "hard link": lambda: lock.hardlink_to(other),
        "folder": lock.mkdir,
        "pipe": lambda: os.mkfifo(lock),
    }[kind]()
    with pytest.raises(Refusal, match=rf"{lock}: .*{LOCK}"), machine(shared=True):
        pytest.fail("held")
    assert other.read_text() == "kept"


def test_another_users_lock_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lock").touch()
    monkeypatch.setattr(os, "getuid", lambda own=os.getuid: own() + 1)
    with pytest.raises(Refusal, match="no file of this user's own"), machine(shared=True):
        pytest.fail("held")


def test_a_lock_file_that_was_removed_is_made_again_by_whoever_waits(tmp_path: Path) -> None:
    """Both would hold the machine otherwise: who waited the old file, who comes the new one."""

    def removed() -> bool:
        (tmp_path / "lock").unlink(missing_ok=True)
        return True

    held, waited = machine(shared=False), machine(shared=False, still_wanted=removed)
    with held, waited, pytest.raises(SystemExit), machine(shared=False, still_wanted=lambda: False):
        pytest.fail("held by two")


CHILD = """
import sys, time
from gnn_checkpointing.measurement.exclusive import asker
is_there = asker()
print(is_there(), flush=True)
while is_there(): time.sleep(0.1)
open(sys.argv[1], "w").close()
"""


def test_an_asker_started_from_a_shell_that_ends_is_still_there(tmp_path: Path) -> None:
    """`nohup snakemake --cores 8 &` and log out: the shell's end is not Snakemake's, --cores is not a shell's -c."""
    script, gone = tmp_path / "child.py", tmp_path / "gone"
    script.write_text(CHILD)
    master = tmp_path / "master.py"
    master.write_text("import subprocess, sys; subprocess.run([sys.executable, *sys.argv[2:]])")
    shell = f"{sys.executable} {master} --cores {script} {gone} > {tmp_path}/out 2>&1 & echo $!"
    mark = {"GNN_CHECKPOINTING_MARK": str(tmp_path)}
    (tmp_path / "out").touch()
    started = subprocess.run(
        ["bash", "-c", shell], env=os.environ | mark, stdout=subprocess.PIPE, text=True, check=True
    )
    handle = own(int(started.stdout), f"GNN_CHECKPOINTING_MARK={tmp_path}")
    try:
        assert wait_for(lambda: "True" in (tmp_path / "out").read_text())
        time.sleep(0.5)
        assert not gone.exists()
    finally:
        signal.pidfd_send_signal(handle, signal.SIGKILL)
    assert wait_for(gone.exists)


def test_the_death_of_snakemake_is_seen_through_the_shell_it_started(tmp_path: Path) -> None:
    """Master -> `bash -c` -> command, as Snakemake starts it; the master is killed, the shell lives on."""
    script, gone = tmp_path / "child.py", tmp_path / "gone"
    script.write_text(CHILD)
    line = f"set -euo pipefail; {sys.executable} {script} {gone} > {tmp_path}/out 2>&1; true"
    master = subprocess.Popen(
        [sys.executable, "-c", "import subprocess, sys; subprocess.run(['bash', '-c', sys.argv[1]])", line]
    )
    assert wait_for(lambda: (tmp_path / "out").exists() and "True" in (tmp_path / "out").read_text())
    master.kill()
    master.wait()
    assert wait_for(gone.exists)


def test_a_command_started_by_hand_watches_its_own_parent_alone() -> None:
    assert asker()()


def test_what_a_dead_process_left_behind_is_ended_and_nothing_else(tmp_path: Path) -> None:
    marks = (str(tmp_path), f"{tmp_path} and more")  # no other run's
    started = [subprocess.Popen(["sleep", "600"], env=os.environ | {"MARK": mark}) for mark in marks]
    try:
        assert wait_for(lambda: all(Path(f"/proc/{one.pid}/comm").read_text() == "sleep\n" for one in started))
        end_all_with(f"MARK={tmp_path}")
        assert started[0].wait(60) == -signal.SIGKILL
        assert started[1].poll() is None
    finally:
        for one in started:
            one.kill()
            one.wait()
