"""Parts of checks worked out by hand, and the words that they share with rooms that they may not import."""

from __future__ import annotations

import inspect
from dataclasses import replace

import pytest

from gnn_checkpointing.audit.checks.provenance import NAMED, NOT_STATED, VERSIONS
from gnn_checkpointing.audit.checks.run import SHARED, order_random
from gnn_checkpointing.audit.inputs import machine_facts
from gnn_checkpointing.audit.rubric import Question, at_least, at_most, no_offender, percent, rubric
from gnn_checkpointing.measurement import record_warnings
from gnn_checkpointing.measurement.hardware import hardware_record
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.graph_entries import NOT_STATED as UNKNOWN

from . import clean, spoils

QUESTIONS: dict[str, Question] = {question.id: question for question in rubric()}


def test_a_value_just_beside_its_limit_is_not_printed_as_the_limit() -> None:
    assert percent(0.9297) == "92.97 %"
    answer = at_least(0.9297, 0.93, "inside")
    assert (answer.passed, answer.found) == (False, "inside: 92.97 %, at least 93 % asked for")
    assert at_most(0.05, 0.05, "drift").passed


def test_cells_of_two_machines_may_overlap() -> None:
    """As in a cluster: two cells at the same time are alone where their machines differ."""
    found = spoils.rows(spoils.overlapping)(clean.inputs())
    cells = list(found.cells)
    for second, passed in (("b", True), ("a", False)):
        rows = [{**row, "hosts": f"{second if row['cell'] == cells[1] else 'a'}; a"} for row in found.rows]
        assert QUESTIONS["cells-alone"].answer(replace(found, rows=rows)).passed is passed


@pytest.mark.parametrize(
    ("order", "drift", "passed"),
    [
        ("balanced", -0.06, True),
        ("dense first", 0.0, True),
        ("dense first", -0.06, False),  # as the default study once: rho -0.44, p 0.01, times drift by -6 %
    ],
)
def test_an_order_that_follows_density_matters_while_times_drift(order: str, drift: float, passed: bool) -> None:
    found = clean.inputs()
    degrees = [float(2 ** (number % 6)) for number in range(36)]
    if order == "dense first":
        degrees = sorted(degrees, reverse=True)[:10] + degrees[:26]
    rows = [
        {"allocator": found.reference, "graph": f"g{n}", "cell": f"c{n}", "average_degree": degree}
        | {"started": f"2026-01-01T00:{n:02}:00+00:00"}
        for n, degree in enumerate(degrees)
    ]
    one = found.findings.robustness.drift[0]
    change = one.change.model_copy(update={"estimate": drift, "low": drift, "high": drift})
    found = clean.part(found, "robustness", drift=[one.model_copy(update={"change": change, "p_value": 0.001})])
    answer = order_random(replace(found, rows=rows))
    assert answer.passed is passed, answer.found


def test_no_number_is_no_pass() -> None:
    assert at_most(float("nan"), 0.05, "drift").passed is False
    assert at_least(float("nan"), 0.93, "inside").passed is False


def test_what_could_not_fail_is_not_counted() -> None:
    assert no_offender([], "untested claims give no reason").passed is None
    assert QUESTIONS["untested-explained"].needs == "there is nothing of the kind, so the check could not fail"


def test_scatter_parts_a_median_of_ratios_from_the_ratio_of_medians() -> None:
    """12 % apart is no defect where rounds scatter so much that the ratio's own interval is 5 % to either side."""
    found, cell = clean.inputs(), str(clean.inputs().rows[0]["cell"])
    for half, passed in ((0.05, True), (0.02, False)):
        own = next(row for row in found.rows if (row["cell"], row["policy"]) == (cell, "layers"))
        ratio = 1.12 * float(own["time_ratio"] or 0)
        ends = {"time_ratio": ratio, "time_ratio_low": ratio * (1 - half), "time_ratio_high": ratio * (1 + half)}
        assert QUESTIONS["time-ratios"].answer(spoils.row("layers", **ends)(found)).passed is passed


def test_the_first_offender_is_named() -> None:
    cells = [("w", False), ("x", True), ("y", True)]
    assert no_offender(cells[:1], "cells overlapped another").found == "0 of 1 cells overlapped another"
    assert no_offender(cells, "cells overlapped another").found == "2 of 3 cells overlapped another; the first: x"


def test_the_words_looked_for_are_those_that_records_warn_with() -> None:
    """Both the load and the processor taken away say so."""
    assert inspect.getsource(record_warnings).count(SHARED) == 2


def test_an_unstated_licence_begins_as_the_sources_write_it() -> None:
    assert UNKNOWN.startswith(NOT_STATED)


def test_a_machine_is_described_by_what_the_audit_asks_for() -> None:
    facts = machine_facts(hardware_record(clean.study(hardware={"slug": "here"}))).facts
    assert {*NAMED, *VERSIONS} <= set(facts)


def test_a_hardware_file_without_facts_is_refused() -> None:
    with pytest.raises(Refusal, match="it needs slug and facts"):
        machine_facts({"slug": "here"})
