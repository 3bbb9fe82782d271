"""Parts of checks worked out by hand, the words that they share with rooms that they may not import, and the score."""

import inspect
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import ValidationError

from gnn_checkpointing.analysis.analyse import write_analysis
from gnn_checkpointing.artefacts import read_json, write_json
from gnn_checkpointing.audit import Answer, Question, at_least, at_most, audited, no_offender, percent, rubric
from gnn_checkpointing.audit.checks.run import NAMED, NOT_STATED, SHARED, VERSIONS, order_random
from gnn_checkpointing.audit.possible import _of_steps
from gnn_checkpointing.audit.whole import _contradiction
from gnn_checkpointing.cli import main
from gnn_checkpointing.measurement import readings
from gnn_checkpointing.measurement.hardware import hardware_record
from gnn_checkpointing.records.graph_facts import GraphList
from gnn_checkpointing.records.measurements_table import write_table
from gnn_checkpointing.records.policy import Memory, Steps
from gnn_checkpointing.records.record import machine_of
from gnn_checkpointing.records.traces import Trace
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.report.grades import Check, graded, read_audit
from gnn_checkpointing.study.graph_entries import NOT_STATED as UNKNOWN

from . import clean, spoils

QUESTIONS: dict[str, Question] = {question.id: question for question in rubric()}


def test_a_value_just_beside_its_limit_is_not_printed_as_the_limit_and_no_number_is_no_pass() -> None:
    assert percent(0.9297) == "92.97 %"
    assert at_least(0.9297, 0.93, "inside") == Answer(False, "inside: 92.97 %, at least 93 % asked for")
    assert at_most(0.05, 0.05, "drift").passed
    assert not at_most(float("nan"), 0.05, "drift").passed
    assert not at_least(float("nan"), 0.93, "inside").passed


def test_cells_of_two_machines_may_overlap() -> None:
    """As in a cluster: two cells at the same time are alone where their machines differ."""
    found = spoils.rows(spoils.overlapping)(clean.inputs())
    cells = list(found.cells)
    for second, passed in (("b", True), ("a", False)):
        rows = [{**row, "hosts": f"{second if row['cell'] == cells[1] else 'a'}; a"} for row in found.rows]
        assert QUESTIONS["cells-alone"].answer(found.but(rows=rows)).passed is passed


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
    found = spoils.at("findings.robustness", drift=[one.model_copy(update={"change": change, "p_value": 0.001})])(found)
    answer = order_random(found.but(rows=rows))
    assert isinstance(answer, Answer)
    assert answer.passed is passed, answer.found


def test_the_first_offender_is_named_and_what_could_not_fail_is_not_counted() -> None:
    cells = [("w", False), ("x", True), ("y", True)]
    assert no_offender(cells[:1], "cells overlapped another") == Answer(True, "0 of 1 cells overlapped another")
    assert no_offender(cells, "cells overlapped another") == Answer(
        False, "2 of 3 cells overlapped another; the first: x"
    )
    assert no_offender([], "untested claims give no reason") is None
    assert QUESTIONS["untested-explained"].needs == "there is nothing of the kind, so the check could not fail"


def test_words_that_are_looked_for_are_those_that_other_rooms_write() -> None:
    """Both the load and the processor taken away warn that the machine was shared."""
    assert inspect.getsource(readings).count(SHARED) == 2
    assert UNKNOWN.startswith(NOT_STATED)
    facts = machine_of(hardware_record(clean.study(hardware={"slug": "here"}))).facts
    assert {*NAMED, *VERSIONS} <= set(facts)
    with pytest.raises(Refusal, match="it needs slug and facts"):
        machine_of({"slug": "here"})


@pytest.mark.parametrize(
    ("edges", "device", "wall", "cpu", "said"),
    [
        (1000, "cpu", 1000.0, 1.0, ""),
        (1000, "cpu", 1000.5, 1.0, "a step of 1000.5 s for 10000 edges x layers x channels"),
        (200_000, "cpu", 1500.0, 1.0, ""),  # a millisecond for each of two million
        (200_000, "cpu", 2000.5, 1.0, "a step of"),
        (1000, "cpu", 1.01e-9, 0.0, ""),
        (1000, "cpu", 0.99e-9, 0.0, "a step of"),
        (1000, "cpu", 1.0, 1.26, ""),  # a quarter more than one thread has, and 20 ms
        (1000, "cpu", 1.0, 1.28, "1.28 s of CPU in a step of 1 s with 1 threads"),
        (1000, "cuda", 1.0, 2.5, ""),  # autograd has a thread of the device's own
    ],
)
def test_how_long_a_step_can_take(edges: int, device: str, wall: float, cpu: float, said: str) -> None:
    sizes = {"num_layers": 2, "hidden_channels": 5}
    record: Any = SimpleNamespace(graph=SimpleNamespace(num_edges=edges), architecture=sizes, threads=1, device=device)
    values = {name: [0] for name in Steps.model_fields if not name.startswith("device")}
    steps = Steps.model_validate(values | {"wall_seconds": [wall], "forward_seconds": [wall / 2], "cpu_seconds": [cpu]})
    found = _of_steps(record, steps, 1)
    assert found.startswith(said) and bool(found) == bool(said)


def test_a_trace_without_marked_blocks_has_no_values_of_blocks() -> None:
    facts = {"num_nodes": 2, "num_edges": 2, "average_degree": 1.0}
    held = {"resident_bytes": 5, "saved_activation_bytes": 3}
    record: Any = SimpleNamespace(graph=SimpleNamespace(label="g", **facts))
    memory = Memory(**held, policy_resident_bytes=0, transient_bytes=1, peak_memory_bytes=9)
    names = {"graph": "g", "graph_label": "g", "convolution": "GCN", "aggregation": "", "policy": "compiled"}
    points = {"events": 2, "forward_ended_seconds": 0.5, "peak_bytes": 4, "seconds": [0.1, 1.0], "live_bytes": [3, 4]}
    trace = Trace.model_validate(names | facts | held | points)
    assert _contradiction(trace, record, memory) == ""
    more = trace.model_copy(update={"block_peaks": [1]})
    assert _contradiction(more, record, memory) == "0 blocks, and values of [-1, 1, 0]"


def check(id: str, passed: bool | None) -> Check:
    needs = "nothing of the kind" if passed is None else ""
    return Check(id=id, question="Is it?", rule="It is.", passed=passed, found="1", evidence="a.json: b", needs=needs)


def test_what_does_not_apply_counts_on_neither_side_and_says_why() -> None:
    audit = graded("s", "h", [check("a", True), check("b", False), check("c", None), check("d", True)])
    assert (audit.passed, audit.applicable) == (2, 3)
    assert [failed.id for failed in audit.failed] == ["b"]
    with pytest.raises(ValidationError, match="needs says why"):
        Check.model_validate(check("a", True).model_dump() | {"passed": None})


def test_a_score_that_is_not_that_of_the_checks_is_refused(tmp_path: Path) -> None:
    audit = graded("s", "h", [check("a", True), check("b", False)])
    path = tmp_path / "audit.json"
    write_json(path, audit.model_dump(mode="json"))
    assert read_audit(path) == audit
    write_json(path, read_json(path) | {"passed": 2})
    with pytest.raises(Refusal, match=r"audit\.json: .*2 of 2 passed, but its checks say 1 of 2; make it again"):
        read_audit(path)


def test_the_command_audits_files_as_what_they_hold(tmp_path: Path) -> None:
    (spoil,) = spoils.SPOILS["nothing-else-ran"]
    found = spoil(clean.inputs().by_visit())
    facts = [{"name": name, "value": value} for name, value in found.machine.facts.items()]
    hardware = {"slug": found.machine.slug, "label": "Test machine", "facts": facts}
    write_json(tmp_path / "study.json", found.study.model_dump(mode="json", by_alias=True, exclude_none=True))
    write_json(tmp_path / "hardware.json", hardware)
    write_table(tmp_path / "measurements.csv", [dict(row) for row in found.rows])
    write_analysis(tmp_path / "analysis", found.findings)
    write_json(tmp_path / "claims.json", found.ledger.model_dump(mode="json"))
    write_json(tmp_path / "graphs.json", GraphList(graphs=list(found.graphs)).model_dump(mode="json"))
    write_json(tmp_path / "demonstration.json", found.demonstration.model_dump(mode="json"))
    assert main(["audit", "--run", str(tmp_path)]) == 0
    audit = read_audit(tmp_path / "audit.json")
    assert audit == audited(found)
    assert [failed.id for failed in audit.failed] == ["nothing-else-ran"]
