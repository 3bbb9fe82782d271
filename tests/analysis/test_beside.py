"""A function computed in a forked process gives what it gives here, whatever becomes of the process."""

import os
import signal
import time

import pytest

from gnn_checkpointing.analysis.beside import beside

several_cores = pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="on one core nothing is forked")


@several_cores
def test_it_is_computed_in_another_process() -> None:
    with beside(os.getpid) as found:
        assert found() != os.getpid()


def test_on_one_core_it_is_computed_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    with beside(os.getpid) as found:
        assert found() == os.getpid()


def test_its_error_is_the_callers() -> None:
    with beside(lambda: [][0]) as found, pytest.raises(IndexError):
        found()


def test_killed_it_is_computed_here() -> None:
    here = os.getpid()

    def dies_elsewhere() -> int:
        if os.getpid() != here:
            signal.raise_signal(signal.SIGKILL)
        return here

    with beside(dies_elsewhere) as found:
        assert found() == here


@several_cores
def test_it_ends_with_the_block() -> None:
    started = time.monotonic()
    with pytest.raises(LookupError), beside(lambda: time.sleep(60)):
        raise LookupError
    assert time.monotonic() - started < 30
