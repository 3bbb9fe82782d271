"""The supervising process: it starts the measured one, writes its records, and survives its death."""

import json
import os
import secrets
import selectors
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from gnn_checkpointing.artefacts import sha256_of, write_sealed
from gnn_checkpointing.graphs.storage import load_graph
from gnn_checkpointing.measurement.allocator import missing, worker_environment
from gnn_checkpointing.measurement.exclusive import end_all_with, machine, state_of
from gnn_checkpointing.measurement.fingerprint import cell_fingerprint, measuring_settings
from gnn_checkpointing.measurement.forked import MARK, RUN, start_process
from gnn_checkpointing.measurement.gpu import expected_device
from gnn_checkpointing.measurement.hardware import this_host
from gnn_checkpointing.measurement.job import Job, Turn, unavailable_cell
from gnn_checkpointing.records.cell import CellRecord, read_cell, read_complete
from gnn_checkpointing.records.traces import byte_traces_file, read_byte_traces
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.design import graph_cells
from gnn_checkpointing.study.graph_design import graph_spec
from gnn_checkpointing.study.study import Study

COMPLETE = "complete.json"
_UNFINISHED = "unfinished"
_WORKER = "gnn_checkpointing.measurement.worker"
_TICK_SECONDS = 0.5
_OF_ITS_OWN = {getattr(signal, f"SIG{name}") for name in ("ABRT", "BUS", "FPE", "ILL", "SEGV", "SYS", "TRAP")}
"""Signals caused by a process's own code. SIGKILL may come from the system when memory is short; all others are sent
by someone."""
_START_SECONDS = 300.0  # imports on a slow disk, and the first cell's tensors

StillWanted = Callable[[], bool]
Progress = Callable[[CellRecord, int], None]
"""Called with each record just made or extended by a process, and the number of turns that the graph's cells had."""


def measure_graph(
    study: Study,
    graph_id: str,
    graph_file: Path,
    folder: Path,
    hardware: str,
    log: IO[bytes],
    still_wanted: StillWanted,
    progress: Progress,
    visit: int = 0,
) -> None:
    """Measure all cells of one graph into `folder`, and write `complete.json` when all are there.

    Each cell is measured in one process and timed again in the further processes that the study asks for.

    A cell has a record and, if it was traced, byte traces beside it. Files of an unfinished earlier run are kept if
    their fingerprint is still current.
    """
    if not graph_file.is_file():
        raise Refusal(f"{graph_file}: no such graph file; make it with `graph`")
    graph_sha256 = sha256_of(graph_file)
    cells = {cell.id: cell for cell in graph_cells(study, graph_spec(study, graph_id))}
    fingerprints = {name: cell_fingerprint(study, cell, graph_sha256) for name, cell in cells.items()}
    kept = _kept_records(folder, fingerprints)
    job = Job(study, graph_id, graph_file, folder, hardware, cells, fingerprints, this_host(study), visit, kept)
    started = time.monotonic()
    _write_unavailable(job, progress)
    with machine(shared=False, still_wanted=still_wanted):
        while job.waiting():
            _run_worker(job, log, still_wanted, progress)
    traces = [byte_traces_file(folder, cell) for cell in sorted(cells)]
    listed = {
        "graph": graph_id,
        "settings": measuring_settings(study),
        "seconds": time.monotonic() - started,
        "cells": {(name := f"{cell}.json"): sha256_of(folder / name) for cell in cells},
        "traces": {path.name: sha256_of(path) for path in traces if path.is_file()},
    }
    write_sealed(folder / COMPLETE, listed)
    (folder / _UNFINISHED).unlink()


def completed_records(complete: Path) -> Iterator[CellRecord]:
    """Read the records that a `complete.json` lists; refuse if a record or its traces have changed since."""
    listed = read_complete(complete)
    for name, expected in (listed.cells | listed.traces).items():
        path = complete.parent / name
        if not path.is_file() or sha256_of(path) != expected:
            raise Refusal(f"{path}: missing or changed since it was measured; delete {complete} and measure again")
    for name in listed.cells:
        yield read_cell(complete.parent / name)


def _write_unavailable(job: Job, progress: Progress) -> None:
    """Write the records of cells whose allocator is not installed here; no process is started for them."""
    for name, cell in job.cells.items():
        reason = missing(cell.allocator)
        if reason is None or name in job.records:
            continue
        context = job.context(name) | {"fingerprint": job.fingerprints[name], "memory_limit_bytes": 0}
        # All rows of a table must be of one device, so use the one that the other cells will run on.
        device = expected_device(job.study.measurement.device)
        record = unavailable_cell(job.study, cell, load_graph(job.graph_file), device, reason, context)
        job.write(record)
        progress(record, job.turns_had())


def _kept_records(folder: Path, fingerprints: dict[str, str]) -> dict[str, CellRecord]:
    """Valid records of an unfinished run; other files of these cells, complete or half-written, are deleted.

    A finished run leaves no mark to resume from, so requesting it again measures it again.
    """
    folder.mkdir(parents=True, exist_ok=True)
    resumed = (folder / _UNFINISHED).exists()
    (folder / _UNFINISHED).touch()
    (folder / COMPLETE).unlink(missing_ok=True)
    kept: dict[str, CellRecord] = {}
    for cell, fingerprint in fingerprints.items():
        record_file, traces_file = folder / f"{cell}.json", byte_traces_file(folder, cell)
        with suppress(Refusal):
            if resumed and _holds(record := read_cell(record_file), fingerprint, traces_file):
                kept[cell] = record
        if cell not in kept:
            begun = (path for file in (record_file, traces_file) for path in folder.glob(f".{file.name}.*"))
            for path in (record_file, traces_file, *begun):
                path.unlink(missing_ok=True)
    return kept


def _holds(record: CellRecord, fingerprint: str, traces_file: Path) -> bool:
    """Whether a record is current and any traces that it should have are there and complete."""
    traced = {found.policy for found in record.policies if found.memory and record.device == "cpu"}
    return record.fingerprint == fingerprint and (not traced or traced == set(read_byte_traces(traces_file)))


def _run_worker(job: Job, log: IO[bytes], still_wanted: StillWanted, progress: Progress) -> None:
    """Run one worker until it has had all its turns or has died; keep whatever it finished."""
    reading, writing = os.pipe()
    asked, measurement = job.asked(), job.study.measurement
    number = asked[0].process
    environment = worker_environment(dict(os.environ), job.cells[asked[0].cell].allocator, measurement.threads)
    environment[MARK] = secrets.token_hex(8)  # compilers inherit it
    if expected_device(measurement.device) == "cuda":
        environment.pop(RUN, None)  # CUDA does not survive a fork
    with tempfile.TemporaryFile() as message:
        message.write(json.dumps(job.message(asked)).encode())
        message.seek(0)
        process = start_process(_WORKER, [str(writing)], environment, (message, log, log), (writing,))
    os.close(writing)
    last: dict[str, Any] | None = None
    settled = stopped = False
    try:
        for event in _events(reading, measurement.timeout_seconds, still_wanted):
            match event["event"]:
                case "cell" | "again":
                    record = job.record_of(event)
                    job.write(record)
                    progress(record, job.turns_had())
                    last = None
                    if not set(asked) & set(job.waiting()):
                        settled = True  # nothing more to come; waiting for an orderly exit would cost half a second
                        break
                case "refusal":
                    raise Refusal(event["message"])
                case "lost":
                    job.lose(Turn(number, event["cell"]), event["policy"], event["outcome"], event["message"])
                    settled = True
                case "step":
                    last = event
                case "silence" if state_of(process.pid)[:1] in (["T"], ["t"]):  # a signal has stopped it
                    stopped = True
                case "silence":
                    _lose_silent(job, number, last)
                    settled = True
    finally:
        if settled or stopped or sys.exc_info()[0] is not None:
            process.kill()
        status = process.wait()
        end_all_with(f"{MARK}={environment[MARK]}")
        os.close(reading)
    if not settled and set(asked) & set(job.waiting()):
        _lose_dead(job, number, last, -signal.SIGSTOP if stopped else status)


def _events(reading: int, timeout: float, still_wanted: StillWanted) -> Iterator[dict[str, Any]]:
    """The worker's events until it closes its end; a silence longer than `timeout` ends them with a silence event."""
    # Silence is counted in polls, so that time during which this process is stopped itself does not count.
    buffer, silent, allowed = b"", 0.0, _START_SECONDS + timeout
    with selectors.DefaultSelector() as selector:
        selector.register(reading, selectors.EVENT_READ)
        while still_wanted():
            if selector.select(_TICK_SECONDS):
                chunk = os.read(reading, 1 << 16)
                if not chunk:
                    return
                silent, allowed = 0.0, timeout
                *lines, buffer = (buffer + chunk).split(b"\n")
                yield from map(json.loads, lines)
            elif (silent := silent + _TICK_SECONDS) > allowed:
                yield {"event": "silence"}
                return
    raise SystemExit(1)


def _lose_silent(job: Job, process: int, last: dict[str, Any] | None) -> None:
    """Record that a policy took longer than the study allows."""
    if last is None:
        raise Refusal(
            f"the measuring process of {job.graph_id} did not start within {_START_SECONDS:.0f} s; see its log"
        )
    message = f"no end of {last['phase']} after {job.study.measurement.timeout_seconds:g} s"
    job.lose(Turn(process, last["cell"]), last["policy"], "timed_out", message)


def _lose_dead(job: Job, process: int, last: dict[str, Any] | None, status: int) -> None:
    """Record the policy in which the worker died without reporting.

    A worker killed from outside is given one more try, since that says nothing about the policy. If it is killed by
    SIGKILL twice in the same step, or aborts, the policy ran out of memory. If another signal from outside ends or
    stops it twice in the same step, nothing is recorded of the policy: the job is refused.
    """
    how = signal.Signals(-status).name if status < 0 else f"exit code {status}"
    # Without a last step the worker was about to begin the next turn: it had just started or finished a cell.
    turn = job.asked()[0] if last is None else Turn(process, last["cell"])
    policy = "" if last is None else last["policy"]
    outside = status < 0 and -status not in {*_OF_ITS_OWN, signal.SIGKILL}
    if (outside or status == -signal.SIGKILL) and (turn, policy) not in job.killed:
        job.killed.add((turn, policy))
        job.restarts[turn.cell] += 1
        return
    if outside:
        raise Refusal(f"{how} ended the measuring process of {job.graph_id} twice in one step; run again undisturbed")
    if last is None:
        raise Refusal(f"the measuring process of {job.graph_id} died before its first step ({how}); see its log")
    outcome = "out_of_memory" if status in (-signal.SIGKILL, -signal.SIGABRT) else "failed"
    job.lose(turn, policy, outcome, f"the process died in {last['phase']} ({how})")
