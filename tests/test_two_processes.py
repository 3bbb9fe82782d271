"""Two parts run at once and answer as if one had run after the other, whatever becomes of the second."""

from __future__ import annotations

import os
import signal
from typing import NoReturn

import pytest

from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.two_processes import both

needs_two = pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one processor: nothing is forked")


def refuse() -> NoReturn:
    raise Refusal("measurements.csv: no rows")


def test_both_answer_and_the_second_sees_what_there_was() -> None:
    known = {"a": list(range(100_000))}
    assert both(lambda: 1, lambda: known) == (1, known)


@needs_two
def test_the_second_is_another_process() -> None:
    first, second = both(os.getpid, os.getpid)
    assert first == os.getpid() != second


def test_one_processor_does_both_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    assert both(os.getpid, os.getpid) == (os.getpid(), os.getpid())


def test_what_the_first_raises_is_raised() -> None:
    with pytest.raises(Refusal, match=r"measurements\.csv: no rows"):
        both(refuse, lambda: 1)


def test_what_the_second_raises_is_raised() -> None:
    with pytest.raises(Refusal, match=r"measurements\.csv: no rows"):
        both(lambda: 1, refuse)


@needs_two
def test_a_second_that_is_killed_is_one_sentence() -> None:
    with pytest.raises(Refusal, match=r"ended early \(signal 9\), most likely for want of memory"):
        both(lambda: 1, lambda: os.kill(os.getpid(), signal.SIGKILL))
