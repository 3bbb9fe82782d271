"""How much of another's report is read, and for how long: what exceeds that is said in one sentence."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from pathlib import Path

from gnn_checkpointing.packed import MOST_BYTES

MOST_FOLDER_BYTES = 2 * MOST_BYTES
"""Of all files together: some fifty times what the largest published report has."""

MOST_SECONDS = 600.0
"""To check one report; a published one takes some ten."""


class _TooLong(BaseException):
    """The time is up; no exception that a check may take for an answer."""


def within(seconds: float, folder: Path, check: Callable[[Path], list[str]]) -> list[str]:
    """What a check says of a folder that is not too large, or that it took longer than that.

    The clock is the process's own alarm, so another thread than the main one has no limit of time.
    """
    large = _too_large(folder)
    if large:
        return large
    if threading.current_thread() is not threading.main_thread():
        return check(folder)
    before = signal.signal(signal.SIGALRM, _stop)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        return check(folder)
    except _TooLong:
        return [f"{folder}: checking it took longer than {seconds:g} s and was stopped; allow more with --seconds"]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _stop(_signal: int, _frame: object) -> None:
    raise _TooLong


def _too_large(folder: Path) -> list[str]:
    sizes = {path: path.stat().st_size for path in sorted(folder.rglob("*")) if path.is_file()}
    words = "{}: {} bytes{}, at most {} are read; it is {} of this project"
    found = [
        words.format(path, size, "", MOST_BYTES, "not a file") for path, size in sizes.items() if size > MOST_BYTES
    ]
    total = sum(sizes.values())
    if not found and total > MOST_FOLDER_BYTES:
        found = [words.format(folder, total, " in all", MOST_FOLDER_BYTES, "no report")]
    return found
