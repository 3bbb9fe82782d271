"""A graph measured for real: what is recorded, and that memory and time limits are outcomes, not crashes."""

import getpass
import os
import resource
import select
import selectors
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from gnn_checkpointing.artefacts import write_json
from gnn_checkpointing.collecting import cell_traces
from gnn_checkpointing.collecting.rows import cell_rows
from gnn_checkpointing.measurement import forked, supervise
from gnn_checkpointing.measurement.exclusive import parent_of
from gnn_checkpointing.measurement.forked import RUN, this_run
from gnn_checkpointing.measurement.hardware import this_host
from gnn_checkpointing.measurement.job import Job
from gnn_checkpointing.measurement.supervise import COMPLETE, completed_records, measure_graph
from gnn_checkpointing.records.cell import CellRecord, write_records
from gnn_checkpointing.records.measurements_table import read_table, write_table
from gnn_checkpointing.records.traces import byte_traces_file, read_byte_traces
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.design import graph_cells
from gnn_checkpointing.study.graph_design import study_graphs
from gnn_checkpointing.study.study import Study
from measurement.cells import measured, study_of
from waiting import own

pytestmark = pytest.mark.usefixtures("forked")


SMALL = study_of(60, 4)


TWICE = study_of(200, 16, processes=2)


def made(folder: Path, run: str, study: Study, **environment: str) -> Path:
    """The folder in which a study was measured in another environment."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {RUN: run, **environment}.items():
            patch.setenv(name, value)
        measured(study, folder)
    return folder


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory, whole_run: str) -> Path:
    """The small study, measured with a folder of its own for temporary files."""
    temporary = tmp_path_factory.mktemp("temporary")
    return made(tmp_path_factory.mktemp("measured"), whole_run, SMALL, TMPDIR=str(temporary))


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory, whole_run: str) -> Path:
    """The study of two processes, measured on a node of a cluster."""
    return made(tmp_path_factory.mktemp("measured"), whole_run, TWICE, SLURMD_NODENAME="n1")


def unfinished(measured_in: Path, copy: Path) -> tuple[CellRecord, Path]:
    """The record of a measured study in an unfinished copy of its folder, and its path."""
    shutil.copytree(measured_in, copy, dirs_exist_ok=True)
    (record,) = completed_records(copy / "records" / COMPLETE)
    (copy / "records" / "unfinished").touch()
    return record, copy / "records" / f"{record.cell}.json"


@pytest.fixture
def small(once: Path, tmp_path: Path) -> tuple[CellRecord, Path]:
    return unfinished(once, tmp_path)


def test_every_policy_is_measured_and_the_record_says_how_and_where(
    twice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record, _ = unfinished(twice, tmp_path)
    monkeypatch.setenv("SLURMD_NODENAME", "n1")
    assert [run.host for run in record.runs] == [this_host(TWICE)] * 2
    assert [found.policy for found in record.policies] == ["none", "layers", "edge_blocks"]
    assert {found.outcome for found in record.policies} == {"completed"}
    (again,) = record.again
    assert all(
        sorted(order) == ["edge_blocks", "layers", "none"] for run in (record, again) for order in run.round_orders
    )
    for found in record.policies:
        assert found.memory is not None and found.steps is not None and found.sameness is not None
        assert found.sameness.same_loss and found.sameness.same_gradients
        first, second = record.steps_of(found.policy)
        assert len(first.wall_seconds) == len(record.round_orders) == 2 == len(second.wall_seconds)
        assert first.wall_seconds != second.wall_seconds
        parts = found.memory.resident_bytes + found.memory.saved_activation_bytes + found.memory.transient_bytes
        assert parts == found.memory.peak_memory_bytes
        assert found.readings is not None
        assert found.readings.high_water_agrees and found.readings.fake_tensor_agrees, found
        assert found.readings.notes == []
    # Features, labels, training nodes and edges are resident, and so are the parameters.
    graph = 200 * 64 * 4 + 120 * 8 + 120 * 8 + 2 * 3200 * 8
    layer = 2 * (64 * 64 + 64) + 64 + 64
    parameters = 4 * (3 * layer + 64 * 4 + 4)
    assert record.policies[0].memory.resident_bytes == graph + parameters
    # A copy of the sources, int32, and the pointers of a sorted graph, int64.
    assert record.policies[2].memory.policy_resident_bytes == 4 * 3200 + 8 * 201
    rows = cell_rows(record, TWICE.analysis)
    write_table(tmp_path / "table.csv", rows)
    table = read_table(tmp_path / "table.csv")
    assert table[1]["activation_bytes"] == rows[1]["activation_bytes"]
    assert 0 < table[1]["activation_ratio"] < 1
    # Whole records are published as they are, a line each, and the same records as the same bytes.
    for name in ("a", "b"):
        write_records(tmp_path / name, [record, record])
    lines = (tmp_path / "a").read_text().splitlines()
    assert [CellRecord.model_validate_json(line) for line in lines] == [record, record]
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_traces_lie_beside_the_record_and_say_what_it_says(small: tuple[CellRecord, Path], tmp_path: Path) -> None:
    record, _ = small
    path = byte_traces_file(tmp_path / "records", record.cell)
    traces = read_byte_traces(path)
    for found, shown in zip(record.policies, cell_traces(record, traces), strict=True):
        assert found.memory is not None
        trace = traces[found.policy]
        assert trace.live_bytes.max() == found.memory.peak_memory_bytes - found.memory.resident_bytes
        assert trace.live_bytes[trace.forward_events - 1] == found.memory.saved_activation_bytes
        assert max(shown.live_bytes) == shown.peak_bytes == trace.live_bytes.max()
        assert shown.events == len(trace.seconds) >= len(shown.seconds)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(Refusal, match=path.name):
        list(completed_records(tmp_path / "records" / COMPLETE))


def without_traces(path: Path) -> Study:
    byte_traces_file(path.parent, path.stem).unlink()
    return SMALL


def with_a_digit_more(path: Path) -> Study:
    """In a file that reads as well as before."""
    path.write_text(path.read_text().replace('"load_before": ', '"load_before": 1', 1))
    return SMALL


def test_a_later_visit_is_for_time(tmp_path: Path, forked: None) -> None:
    """Bytes do not change with the hour: one instrument reads them again, and the other two do not."""
    record = measured(study_of(60, 4), tmp_path, visit=1)
    for found in record.policies:
        assert found.memory is not None and found.steps is not None and found.readings is not None
        assert (found.readings.high_water_bytes, found.readings.fake_tensor_bytes) == (None, None)
        assert "first visit" in found.readings.notes[0]


@pytest.mark.parametrize("change", [without_traces, with_a_digit_more, lambda _: study_of(60, 4, seconds_per_cell=0.7)])
def test_a_record_that_is_not_what_this_study_measured_is_not_kept(
    small: tuple[CellRecord, Path], tmp_path: Path, change: Callable[[Path], Study]
) -> None:
    """And what is measured in its place has the same memory, to the byte."""
    record, path = small
    study = change(path)
    again = measured(study, tmp_path)
    assert again.started > record.started
    assert (again.fingerprint == record.fingerprint) is (study is SMALL)
    assert [found.memory for found in again.policies] == [found.memory for found in record.policies]
    assert byte_traces_file(tmp_path / "records", record.cell).exists()


@pytest.mark.parametrize(("spared", "outcome"), [(0, "completed"), (1, "out_of_memory")])
def test_the_limit_counts_to_the_byte_and_the_others_are_still_compared_with_what_is_over_it(
    twice: Path, tmp_path: Path, spared: int, outcome: str
) -> None:
    """What the process takes from the system is far more than the peak of this step, and does not matter."""
    free, _ = unfinished(twice, tmp_path / "free")
    assert free.policies[0].memory is not None
    limit = free.policies[0].memory.peak_memory_bytes - spared
    study = study_of(200, 16, memory_limit_gib=limit / 2**30)
    record = measured(study, tmp_path / "limited")
    assert (record.memory_limit_bytes, record.restarts) == (limit, 0)
    none, *others = record.policies
    assert none.outcome == outcome
    assert not spared or f"over the limit of {limit:,} bytes" in none.message
    assert {found.outcome for found in others} == {"completed"}
    assert all(found.sameness is not None and found.sameness.same_gradients for found in others)
    row = cell_rows(record, study.analysis)[0]
    assert (row["outcome"], row.get("peak_memory_bytes")) == (outcome, None if spared else limit)


_IDLE_BYTES = """
import resource
from pathlib import Path
import gnn_checkpointing.measurement.worker
print(int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize())
"""


@pytest.fixture(scope="module")
def idle_bytes() -> int:
    """Size of a started process that measures nothing yet."""
    return int(subprocess.run([sys.executable, "-c", _IDLE_BYTES], capture_output=True, text=True, check=True).stdout)


@pytest.mark.slow
@pytest.mark.parametrize("spared", [0, 1])
def test_a_policy_that_the_machine_cannot_hold_is_out_of_memory_in_whichever_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, idle_bytes: int, spared: int
) -> None:
    """The net below the limit: half a GiB is refused to a process that may grow by 0.35 GiB over an idle one.

    With the first process spared, `none` is measured there and lost in the second, and so lost as a whole.
    """
    limits = (idle_bytes + int(0.35 * 2**30), resource.getrlimit(resource.RLIMIT_AS)[1])
    real, started = subprocess.Popen, []

    def under_a_ceiling(*args: Any, **kwargs: Any) -> Any:
        if supervise._WORKER in args[0]:
            started.append(args)
            if len(started) > spared:
                kwargs["preexec_fn"] = lambda: resource.setrlimit(resource.RLIMIT_AS, limits)
        return real(*args, **kwargs)

    monkeypatch.delenv(RUN)  # a ceiling is for processes that are started
    monkeypatch.setattr(subprocess, "Popen", under_a_ceiling)
    study = study_of(600, 300, processes=1 + spared, fake_tensor_reading=False).model_copy(
        update={"policies": ("none", "edge_blocks")}
    )
    record = measured(study, tmp_path)
    found = {policy.policy: policy for policy in record.policies}
    assert found["none"].outcome == "out_of_memory"
    assert "in first step" in found["none"].message
    assert record.restarts >= 1
    assert found["edge_blocks"].outcome == "completed"
    assert len(record.steps_of("edge_blocks")) == 1 + spared
    assert record.steps_of("none") == []
    assert all("none" not in run.steps for run in record.again)
    assert "time_ratio" not in cell_rows(record, study_of(8, 2).analysis)[1]


def test_a_record_that_lacks_its_second_process_waits_for_it_alone(twice: Path, tmp_path: Path) -> None:
    record, path = unfinished(twice, tmp_path)
    write_json(path, record.model_copy(update={"again": []}).model_dump(mode="json"))
    resumed = measured(TWICE, tmp_path)
    assert resumed.policies == record.policies
    assert len(resumed.again) == 1 and resumed.again != record.again


@pytest.mark.slow
def test_a_policy_that_takes_too_long_is_an_outcome(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No step ends within a millisecond, so each policy in turn is given up; nothing hangs, nothing is invented."""
    monkeypatch.setattr(supervise, "_TICK_SECONDS", 0.002)  # at half a second a fast machine is never silent
    record = measured(study_of(400, 100, timeout_seconds=0.001), tmp_path)
    assert {found.outcome for found in record.policies} == {"timed_out"}
    assert record.measured_seconds == 0


def test_records_of_an_unfinished_run_are_kept_and_of_a_finished_one_made_again(
    small: tuple[CellRecord, Path], tmp_path: Path
) -> None:
    """And of what else lies in the folder nothing is deleted but what was being written when the run was killed."""
    _, path = small
    (tmp_path / "records" / COMPLETE).unlink()
    before = path.read_bytes()
    others = [path.with_name(name) for name in ("package.json", "edges.npz", f".{path.name}.half")]
    for other in others:
        other.write_text("{}")
    measured(SMALL, tmp_path)
    assert path.read_bytes() == before
    measured(SMALL, tmp_path)
    assert path.read_bytes() != before
    assert [other.exists() for other in others] == [True, True, False]


def test_a_graph_file_that_is_none_is_refused(tmp_path: Path) -> None:
    spec = study_graphs(SMALL)[0]
    (tmp_path / "broken.npz").write_bytes(b"not a graph")
    with (tmp_path / "log").open("wb") as log, pytest.raises(Refusal, match=r"broken\.npz"):
        measure_graph(
            SMALL, spec.id, tmp_path / "broken.npz", tmp_path / "r", "here", log, lambda: True, lambda *_: None
        )


SENT = [signal.SIGTERM, signal.SIGINT, signal.SIGSTOP, signal.SIGUSR1]


@pytest.mark.parametrize("sent", [signal.SIGKILL, *SENT])
def test_a_signal_from_outside_is_no_outcome_of_a_policy(tmp_path: Path, sent: signal.Signals) -> None:
    """Before the first step neither is SIGKILL: a job has one more try, and then is refused."""
    (spec,) = study_graphs(SMALL)
    cells = {cell.id: cell for cell in graph_cells(SMALL, spec)}
    job = Job(SMALL, spec.id, tmp_path / "g", tmp_path, "here", cells, {}, this_host(SMALL))
    (cell,) = cells
    last = None if sent == signal.SIGKILL else {"cell": cell, "policy": "layers", "phase": "first step"}
    supervise._lose_dead(job, 0, last, -sent)
    assert (job.lost, job.restarts) == ({}, {cell: 1})
    assert job.asked() == [(0, cell)]
    with pytest.raises(Refusal, match=sent.name):
        supervise._lose_dead(job, 0, last, -sent)
    assert job.lost == {}


VICTIMS = {"worker": lambda pid: pid, "its parent": parent_of, "server": lambda pid: parent_of(parent_of(pid))}


@pytest.mark.parametrize(
    ("victim", "sent"),
    [
        ("worker", signal.SIGTERM),
        ("server", signal.SIGKILL),
        *(
            pytest.param(victim, sent, marks=pytest.mark.slow)
            for victim, signals in (("worker", SENT[1:]), ("its parent", SENT[::2]), ("server", SENT[2:3]))
            for sent in signals
        ),
    ],
)
def test_whichever_process_gets_a_signal_no_policy_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, victim: str, sent: signal.Signals
) -> None:
    """At the worker's first announced step; a stopped one is silent until the study's patience ends."""
    real, hit = supervise._events, []
    start, started = supervise.start_process, []

    def events(*args: Any) -> Any:
        for event in real(*args):
            if event["event"] == "step" and not hit:
                # Of a process that no server forked, the parent's parent would be the run of tests.
                hit.append(own(VICTIMS[victim](started[-1].pid), f"{RUN}={os.environ[RUN]}"))
                signal.pidfd_send_signal(hit[0], sent)
            yield event

    if victim != "worker":
        monkeypatch.setenv(RUN, this_run())  # a server of its own: others' processes would end with that of all tests
    monkeypatch.setattr(supervise, "start_process", lambda *a: started.append(start(*a)) or started[-1])
    monkeypatch.setattr(supervise, "_events", events)
    monkeypatch.setattr(forked, "_PATIENCE_SECONDS", 0.5)
    try:
        patience = 10 if (victim, sent) == ("worker", signal.SIGSTOP) else 300
        record = measured(study_of(60, 4, timeout_seconds=patience), tmp_path)
    finally:
        with suppress(ProcessLookupError):
            if hit and sent == signal.SIGSTOP:
                signal.pidfd_send_signal(hit[0], signal.SIGKILL)
        # The next server takes the name of one that has ended, and of no other.
        assert victim != "server" or not hit or select.select(hit, [], [], 60)[0]
    assert {found.outcome for found in record.policies} == {"completed"}
    assert record.restarts == (victim == "worker" or sent != signal.SIGSTOP)


def test_a_commanding_process_that_is_stopped_for_long_finds_no_policy_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-Z, and fg after more than the study's patience: what is measured was stopped along with it."""
    reading, writing = os.pipe()
    os.write(writing, b'{"event": "step"}\n')
    looks, monotonic = [], time.monotonic

    class Stopped(selectors.DefaultSelector):
        """Each look takes an hour; after the second the worker goes on."""

        def select(self, timeout: float | None = None) -> Any:
            looks.append(timeout)
            found = super().select(0)
            if len(looks) == 2:
                os.write(writing, b'{"event": "cell"}\n')
                os.close(writing)
            return found

    monkeypatch.setattr(selectors, "DefaultSelector", Stopped)
    monkeypatch.setattr(time, "monotonic", lambda: monotonic() + 3600 * len(looks))
    assert [event["event"] for event in supervise._events(reading, 1.0, lambda: True)] == ["step", "cell"]
    os.close(reading)


def test_nothing_is_left_in_the_folder_for_temporary_files(once: Path) -> None:
    """PyG writes files of generated code, which nobody removes."""
    (temporary,) = once.parent.glob("temporary[0-9]")
    left = {path.name for path in temporary.iterdir()}
    assert left <= {f"torchinductor_{getpass.getuser()}"}  # torch's own cache, one folder for all processes
