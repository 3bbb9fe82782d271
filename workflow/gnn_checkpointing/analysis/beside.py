"""Run a function in a forked process while this process does something else."""

import ctypes
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import TypeVar

Found = TypeVar("Found")

_PR_SET_PDEATHSIG = 1


@contextmanager
def beside(function: Callable[[], Found]) -> Iterator[Callable[[], Found]]:
    """Call a function in a forked process, and yield a function that waits for its result.

    On a single core, or if the process ends without an answer, the function is called in this process instead, so that
    the caller sees any error that it raises. The forked process ends with this one or when the block is left.
    """
    if not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2:
        yield function
        return
    context = get_context("fork")
    reading, writing = context.Pipe(duplex=False)
    with reading:
        child = context.Process(target=_answer, args=(function, writing))
        child.start()
        writing.close()

        def answer() -> Found:
            try:
                found: Found = reading.recv()
            except EOFError:
                return function()
            return found

        try:
            yield answer
        finally:
            child.kill()
            child.join()


def _answer(function: Callable[[], object], writing: Connection) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    with suppress(BaseException), writing:
        writing.send(function())
