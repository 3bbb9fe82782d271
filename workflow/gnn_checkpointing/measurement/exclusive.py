"""Exclusive use of the machine: a lock that the kernel releases, and ending when the requesting process is gone."""

import ctypes
import errno
import fcntl
import os
import re
import signal
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gnn_checkpointing.refusal import Refusal

_PR_SET_PDEATHSIG = 1

LOCK = "GNN_CHECKPOINTING_LOCK"
"""Environment variable that names another lock file, for tests and for systems without /tmp."""


def lock_path() -> Path:
    """Lock file of this user on this machine; TMPDIR does not matter, since all checkouts share one processor."""
    return Path(os.environ.get(LOCK) or f"/tmp/gnn-checkpointing-{os.getuid()}.lock")  # noqa: S108 - opened with care


@contextmanager
def machine(shared: bool, still_wanted: Callable[[], bool] = lambda: True) -> Iterator[None]:
    """Hold the machine: exclusively to measure, `shared` to prepare. While it is taken, poll twice a second."""
    path = lock_path()
    handle = _opened(path)
    try:
        waiting = False
        while not _locked(handle, shared):
            if not waiting:
                print("waiting for another measurement on this machine to end", file=sys.stderr, flush=True)  # noqa: T201
                waiting = True
            if not still_wanted():
                raise SystemExit(1)
            time.sleep(0.5)
            again = _opened(path)  # the file may have been removed and made again
            os.close(handle)
            handle = again
        yield
    finally:
        os.close(handle)


def _opened(path: Path) -> int:
    """Open the lock file, creating it if needed; another user's file, in a world-writable folder, is refused."""
    remedy = f"remove it, or name another lock file in {LOCK}"
    try:
        # Non-blocking: opening a pipe could wait forever for its other end.
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
    except OSError as error:
        what = "a link" if error.errno == errno.ELOOP else (error.strerror or str(error)).lower()
        raise Refusal(f"{path}: the lock of whoever measures cannot be opened ({what}); {remedy}") from None
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.getuid() or found.st_nlink != 1:
        os.close(handle)
        raise Refusal(f"{path}: the lock of whoever measures is no file of this user's own; {remedy}")
    return handle


def _locked(handle: int, shared: bool) -> bool:
    try:
        fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def die_with_parent() -> None:
    """Ask the kernel to kill this process when its parent dies (Linux)."""
    if sys.platform == "linux":
        parent = os.getppid()
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            raise SystemExit(1)


def asker() -> Callable[[], bool]:
    """Make a function that tells whether the process that started this command is still alive.

    That is the parent; if the parent is a shell that runs one command line, also the shell's parent. Snakemake starts
    such a shell, which survives a `kill -9` of Snakemake, so the shell's own parent must be watched.
    """
    parent = os.getppid()
    above = parent_of(parent) if _runs_one_line(parent) else None
    return lambda: os.getppid() == parent and (above is None or parent_of(parent) == above)


def _runs_one_line(process: int) -> bool:
    try:
        arguments = Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    # -c, -ec, -euc, not --cores: if the shell has replaced itself by the command, the parent is Snakemake itself.
    return any(re.fullmatch(rb"-[a-z]*c", argument) for argument in arguments[1:3])


def state_of(process: int) -> list[str]:
    """Fields 3 and up of /proc/PID/stat (proc(5)), from the process state on; empty if there is no such process."""
    try:
        # The command name, in brackets, may hold spaces; the fields after it do not.
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return []


def parent_of(process: int) -> int | None:
    """Parent of a process, or None if there is no such process."""
    found = state_of(process)
    return int(found[1]) if found else None


def end_all_with(setting: str) -> None:
    """Kill all processes started with this `NAME=value` in their environment: leftovers of a dead process (Linux)."""
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if setting.encode() in (place / "environ").read_bytes().split(b"\0"):
                os.kill(int(place.name), signal.SIGKILL)
