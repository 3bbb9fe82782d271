"""Two parts of one computation at the same time: the second in a process forked from this one."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import TypeVar

from gnn_checkpointing.refusal import Refusal

Here = TypeVar("Here")
There = TypeVar("There")


def both(here: Callable[[], Here], there: Callable[[], There]) -> tuple[Here, There]:
    """Return what both return, or raise what either raises.

    `there` starts with all that this process has, and gives back what it returns and the files it writes. Where there
    is one processor, or no Linux to fork on safely, one runs after the other. Not for what measures or uses torch.
    """
    if sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2:
        return here(), there()
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_answer, args=(sender, there), daemon=True)
    child.start()
    sender.close()  # or the end of a child that was killed is never seen
    try:
        ours = here()
        try:
            theirs = receiver.recv()
        except EOFError:
            child.join()
            raise Refusal(
                f"the second of two processes ended early ({_how(child.exitcode)}), most likely for want of memory; "
                "free some and run the command again"
            ) from None
    finally:
        child.terminate()
        child.join()
        receiver.close()
    if isinstance(theirs, _Raised):
        raise theirs.error
    return ours, theirs


class _Raised:
    """What `there` raised instead of returning."""

    def __init__(self, error: Exception) -> None:
        self.error = error


def _answer(sender: Connection, there: Callable[[], object]) -> None:
    try:
        answer = there()
    except Exception as error:
        answer = _Raised(error)
    sender.send(answer)


def _how(status: int | None) -> str:
    return f"signal {-status}" if status is not None and status < 0 else f"exit code {status}"
