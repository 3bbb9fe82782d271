"""Wait for other processes, and signal only processes that a test has proved to be its own."""

import os
import time
from collections.abc import Callable
from pathlib import Path

from gnn_checkpointing.measurement.exclusive import state_of


def wait_for(condition: Callable[[], object], seconds: float = 60.0) -> bool:
    """Whether a condition comes true in time; the time is long because other tests may use the processor."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return bool(condition())


def is_gone(process: int) -> bool:
    """Whether a process has ended, even if its parent has not waited for it."""
    return state_of(process)[:1] in ([], ["Z"], ["X"])


def own(process: int | None, setting: str) -> int:
    """Handle for `signal.pidfd_send_signal` to a process that was started with `setting` in its environment.

    No other process gets the signal, even if the process's number has been reused.
    """
    assert process is not None
    handle, environ = os.pidfd_open(process), Path(f"/proc/{process}/environ")
    # While a program is being loaded, its environment is empty.
    assert wait_for(lambda: setting.encode() in environ.read_bytes().split(b"\0"), 10), "another's process"
    return handle
