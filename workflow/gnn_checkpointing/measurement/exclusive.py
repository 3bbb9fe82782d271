"""Alone on the machine: a lock that the kernel releases, and an end when whoever asked for the work is gone."""

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
"""Environment variable: another lock file, for tests and for systems without /tmp."""


def lock_path() -> Path:
    """The lock file of this user on this machine, whatever TMPDIR says: all checkouts share one processor."""
    return Path(os.environ.get(LOCK) or f"/tmp/gnn-checkpointing-{os.getuid()}.lock")  # noqa: S108 - opened with care


@contextmanager
def machine(shared: bool, still_wanted: Callable[[], bool] = lambda: True) -> Iterator[None]:
    """Hold the machine: alone to measure, `shared` to prepare. Waits while it is taken, in half-second looks."""
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
            again = _opened(path)  # whoever removed the file has made another
            os.close(handle)
            handle = again
        yield
    finally:
        os.close(handle)


def _opened(path: Path) -> int:
    """The lock file, made where there is none; in a folder that all can write to, what another put there is refused."""
    remedy = f"remove it, or name another lock file in {LOCK}"
    try:
        # Not blocking: of a pipe without a reader, opening would wait for ever.
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
    """Whether who started this command still lives: its parent, and the parent's parent of a shell that runs one line.

    Snakemake starts a shell that starts the command; after a `kill -9` of Snakemake that shell lives on, so the
    shell's own parent is what must be watched.
    """
    parent = os.getppid()
    above = parent_of(parent) if _runs_one_line(parent) else None
    return lambda: os.getppid() == parent and (above is None or parent_of(parent) == above)


def _runs_one_line(process: int) -> bool:
    try:
        arguments = Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    # -c, -ec, -euc, not --cores: where the shell gave way to the command, the parent is Snakemake itself.
    return any(re.fullmatch(rb"-[a-z]*c", argument) for argument in arguments[1:3])


def state_of(process: int) -> list[str]:
    """What Linux says of a process, from its state on (proc(5), fields 3 and up); nothing where there is none."""
    try:
        # The command name, in brackets, may hold spaces; the fields after it do not.
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return []


def parent_of(process: int) -> int | None:
    """The parent of a process, None where there is none."""
    found = state_of(process)
    return int(found[1]) if found else None


def end_all_with(setting: str) -> None:
    """Kill all processes that were started with a setting in their environment: what a dead one left behind (Linux)."""
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if setting.encode() in (place / "environ").read_bytes().split(b"\0"):
                os.kill(int(place.name), signal.SIGKILL)
