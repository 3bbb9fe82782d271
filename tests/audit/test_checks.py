"""Parts of checks worked out by hand, and the words that they share with rooms that they may not import."""

from __future__ import annotations

import inspect
from dataclasses import replace

import pytest

from gnn_checkpointing.audit.answers import at_least, at_most, no_offender, percent
from gnn_checkpointing.audit.checks.design import rank_correlation
from gnn_checkpointing.audit.checks.exclusiveness import SHARED, cells_alone
from gnn_checkpointing.audit.checks.provenance import NAMED, NOT_STATED, VERSIONS
from gnn_checkpointing.audit.inputs import machine_facts
from gnn_checkpointing.graphs.sources import known
from gnn_checkpointing.measurement import record_warnings
from gnn_checkpointing.measurement.hardware import hardware_record
from gnn_checkpointing.refusal import Refusal

from . import clean, spoils


def test_rank_correlation_by_hand() -> None:
    """Ranks 0 1 2 and 2 0 1: centred products -1 + 0 + 0 over 2. Ties share 0.5: 0.5 + 0 + 1 over sqrt(1.5 x 2)."""
    assert rank_correlation([1, 2, 3], [9, 1, 4]) == pytest.approx(-0.5)
    assert rank_correlation([1, 2, 3], [5, 50, 500]) == pytest.approx(1)
    assert rank_correlation([1, 1, 2], [1, 2, 3]) == pytest.approx(1.5 / 3**0.5)


def test_a_value_just_beside_its_limit_is_not_printed_as_the_limit() -> None:
    assert percent(0.9297) == "92.97 %"
    answer = at_least(0.9297, 0.93, "inside", "a.json: b")
    assert (answer.passed, answer.found) == (False, "inside: 92.97 %, at least 93 % asked for")
    assert at_most(0.05, 0.05, "drift", "a.json: b").passed


def test_cells_of_two_machines_may_overlap() -> None:
    """As in a cluster: two cells at the same time are alone where their machines differ."""
    found = spoils.rows(spoils.overlapping)(clean.inputs())
    cells = list(found.cells)
    for second, passed in (("b", True), ("a", False)):
        rows = [{**row, "hosts": f"{second if row['cell'] == cells[1] else 'a'}; a"} for row in found.rows]
        assert cells_alone(replace(found, rows=rows)).passed is passed


def test_no_number_is_no_pass() -> None:
    assert at_most(float("nan"), 0.05, "drift", "").passed is False
    assert at_least(float("nan"), 0.93, "inside", "").passed is False


def test_the_first_offender_is_named() -> None:
    assert no_offender([], 37, "cells overlapped another", "").found == "0 of 37 cells overlapped another"
    assert no_offender(["x", "y"], 37, "cells overlapped another", "").found.endswith("; the first: x")


def test_the_words_looked_for_are_those_that_records_warn_with() -> None:
    """Both the load and the processor taken away say so."""
    assert inspect.getsource(record_warnings).count(SHARED) == 2


def test_an_unstated_licence_begins_as_the_sources_write_it() -> None:
    assert known.NOT_STATED.startswith(NOT_STATED)


def test_a_machine_is_described_by_what_the_audit_asks_for() -> None:
    facts = machine_facts(hardware_record(clean.study(hardware={"slug": "here"}))).facts
    assert {*NAMED, *VERSIONS} <= set(facts)


def test_a_hardware_file_without_facts_is_refused() -> None:
    with pytest.raises(Refusal, match="it needs slug and facts"):
        machine_facts({"slug": "here"})
