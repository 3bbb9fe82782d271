"""The commanding process: starts the measured one, writes its records, and survives its death."""

from __future__ import annotations

import json
import os
import selectors
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from gnn_checkpointing.artefacts import read_json, seal, sha256_of, write_json
from gnn_checkpointing.graphs.storage import load_graph
from gnn_checkpointing.measurement.allocator import missing, worker_environment
from gnn_checkpointing.measurement.byte_trace import read_byte_traces
from gnn_checkpointing.measurement.exclusive import machine
from gnn_checkpointing.measurement.fingerprint import cell_fingerprint, measuring_settings
from gnn_checkpointing.measurement.forked import RUN, start_process
from gnn_checkpointing.measurement.gpu import expected_device
from gnn_checkpointing.measurement.host import this_host
from gnn_checkpointing.measurement.job import Job, Turn
from gnn_checkpointing.measurement.unmeasured import unavailable_cell
from gnn_checkpointing.records.cell import CellRecord, read_cell
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.design import Cell, graph_cells
from gnn_checkpointing.study.graph_design import graph_spec
from gnn_checkpointing.study.study import Study

COMPLETE = "complete.json"
_UNFINISHED = "unfinished"
_WORKER = "gnn_checkpointing.measurement.worker"
_TICK_SECONDS = 0.5
_FROM_OUTSIDE = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGSTOP)
_START_SECONDS = 300.0  # imports on a slow disk, and the first cell's tensors


def measure_graph(
    study: Study,
    graph_id: str,
    graph_file: Path,
    folder: Path,
    hardware: str,
    log: IO[bytes],
    still_wanted: Callable[[], bool],
    progress: Callable[[CellRecord], None],
    visit: int = 0,
) -> None:
    """Measure all cells of one graph into `folder`, and write `complete.json` when all are there.

    Each is measured in one process and timed again in the further ones that the study asks for.

    A cell is a record, and beside it its byte traces where there are any. Those of an unfinished earlier run are kept
    where their fingerprint is today's.
    """
    if not graph_file.is_file():
        raise Refusal(f"{graph_file}: no such graph file; make it with `graph`")
    graph_sha256 = sha256_of(graph_file)
    cells = graph_cells(study, graph_spec(study, graph_id))
    fingerprints = {cell.id: cell_fingerprint(study, cell, graph_sha256) for cell in cells}
    kept = _kept_records(folder, cells, fingerprints)
    allocators = {cell.id: cell.allocator for cell in cells}
    job = Job(study, graph_id, graph_file, folder, hardware, fingerprints, allocators, this_host(study), visit)
    for cell in cells:
        job.wait_for(cell.id, kept=cell.id in kept)
    started = time.monotonic()
    _write_unavailable(job, cells, progress)
    with machine(shared=False, still_wanted=still_wanted):
        while job.waiting:
            _run_worker(job, log, still_wanted, progress)
    records = {name: sha256_of(folder / name) for name in (f"{cell.id}.json" for cell in cells)}
    traces = {path.name: sha256_of(path) for path in sorted(folder.glob("*.npz"))}
    settings = measuring_settings(study)
    seconds = time.monotonic() - started
    listed = {"graph": graph_id, "settings": settings, "seconds": seconds, "cells": records, "traces": traces}
    write_json(folder / COMPLETE, listed)
    seal(folder / COMPLETE)
    (folder / _UNFINISHED).unlink()


def completed_records(complete: Path) -> Iterator[CellRecord]:
    """Yield the records that a `complete.json` lists; one that changed since, or whose traces did, is refused."""
    listed = read_json(complete)
    for name, expected in (listed["cells"] | listed["traces"]).items():
        path = complete.parent / name
        if not path.is_file() or sha256_of(path) != expected:
            raise Refusal(f"{path}: missing or changed since it was measured; delete {complete} and measure again")
    for name in listed["cells"]:
        yield read_cell(complete.parent / name)


def traces_file(folder: Path, cell: str) -> Path:
    """Return where the byte traces of a cell lie."""
    return folder / f"{cell}.npz"


def _write_unavailable(job: Job, cells: list[Cell], progress: Callable[[CellRecord], None]) -> None:
    """Write the records of cells whose allocator is not installed here; no process is started for them."""
    for cell in cells:
        reason = missing(cell.allocator)
        if reason is None or Turn(0, cell.id) not in job.waiting:
            continue
        context = job.context(cell.id) | {"fingerprint": job.fingerprints[cell.id], "memory_limit_bytes": 0}
        # A table holds rows of one device, and the other cells say which they ran on.
        device = expected_device(job.study.measurement.device)
        record = unavailable_cell(job.study, cell, load_graph(job.graph_file), device, reason, context)
        job.write(record, 0)
        progress(record)


def _kept_records(folder: Path, cells: list[Cell], fingerprints: dict[str, str]) -> set[str]:
    """Return the cells whose records of an unfinished run still hold; forget all others.

    A finished run leaves no mark, so that asking for it once more measures it once more.
    """
    folder.mkdir(parents=True, exist_ok=True)
    resumed = (folder / _UNFINISHED).exists()
    (folder / _UNFINISHED).touch()
    (folder / COMPLETE).unlink(missing_ok=True)
    kept = set()
    for path in folder.glob("*.json"):
        if resumed and _holds(path, fingerprints):
            kept.add(path.stem)
        else:
            path.unlink()
    for path in folder.glob("*.npz"):
        if path.stem not in kept:
            path.unlink()
    return kept & {cell.id for cell in cells}


def _holds(path: Path, fingerprints: dict[str, str]) -> bool:
    """Tell whether a record is today's, and its traces there and whole."""
    try:
        record = read_cell(path)
        if record.fingerprint != fingerprints.get(path.stem):
            return False
        traced = {found.policy for found in record.policies if found.memory and record.device == "cpu"}
        return not traced or traced == set(read_byte_traces(traces_file(path.parent, path.stem)))
    except Refusal:
        return False


def _run_worker(
    job: Job, log: IO[bytes], still_wanted: Callable[[], bool], progress: Callable[[CellRecord], None]
) -> None:
    """Run one worker until it has had all its turns, or has died; take from it whatever it finished."""
    reading, writing = os.pipe()
    threads = job.study.measurement.threads
    asked = job.asked()
    process_number = asked[0].process
    environment = worker_environment(dict(os.environ), job.allocators[asked[0].cell], threads)
    if expected_device(job.study.measurement.device) == "cuda":
        environment.pop(RUN, None)  # CUDA does not survive a fork
    with tempfile.TemporaryFile() as message:
        message.write(job.message(asked))
        message.seek(0)
        arguments = ["--events", str(writing)]
        process = start_process(_WORKER, arguments, environment, message, log, log, (writing,))
    os.close(writing)
    last: dict[str, Any] | None = None
    settled = stopped = False
    try:
        for event in _events(reading, job.study.measurement.timeout_seconds, still_wanted):
            if event["event"] in ("cell", "again"):
                if event["event"] == "cell":
                    record = CellRecord.model_validate(event["record"])
                else:
                    record = job.joined(event["cell"], event["rounds"])
                job.write(record, process_number)
                progress(record)
                last = None
                if not set(asked) & set(job.waiting):
                    settled = True  # nothing is left for it to say; its orderly end would cost half a second
                    break
            elif event["event"] == "refusal":
                raise Refusal(event["message"])
            elif event["event"] == "lost":
                job.lose(Turn(process_number, event["cell"]), event["policy"], event["outcome"], event["message"])
                settled = True
            elif event["event"] == "step":
                last = event
            elif event["event"] == "silence":
                stopped = _is_stopped(process.pid)
                if not stopped:
                    _lose_silent(job, process_number, last)
                    settled = True
    finally:
        if settled or stopped or sys.exc_info()[0] is not None:
            process.kill()
        status = process.wait()
        os.close(reading)
    if not settled and set(asked) & set(job.waiting):
        _lose_dead(job, process_number, last, -signal.SIGSTOP if stopped else status)


def _is_stopped(process: int) -> bool:
    """Tell whether a signal has stopped a process, so that its silence says nothing of what it does (Linux)."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] in ("T", "t")
    except OSError:
        return False


def _events(reading: int, timeout: float, still_wanted: Callable[[], bool]) -> Iterator[dict[str, Any]]:
    """Yield the worker's events until it closes its end; a silence longer than `timeout` is an event, and the last."""
    buffer, heard = b"", time.monotonic()
    allowed = _START_SECONDS + timeout
    with selectors.DefaultSelector() as selector:
        selector.register(reading, selectors.EVENT_READ)
        while True:
            if not still_wanted():
                raise SystemExit(1)
            if selector.select(_TICK_SECONDS):
                chunk = os.read(reading, 1 << 16)
                if not chunk:
                    return
                heard, allowed = time.monotonic(), timeout
                *lines, buffer = (buffer + chunk).split(b"\n")
                yield from (json.loads(line) for line in lines)
            elif time.monotonic() - heard > allowed:
                yield {"event": "silence"}
                return


def _lose_silent(job: Job, process: int, last: dict[str, Any] | None) -> None:
    """Record a policy that went on for longer than the study allows."""
    if last is None:
        raise Refusal(
            f"the measuring process of {job.graph_id} did not start within {_START_SECONDS:.0f} s; see its log"
        )
    seconds = job.study.measurement.timeout_seconds
    turn = Turn(process, last["cell"])
    job.lose(turn, last["policy"], "timed_out", f"no end of {last['phase']} after {seconds:g} s")


def _lose_dead(job: Job, process: int, last: dict[str, Any] | None, status: int) -> None:
    """Record the policy in which the worker died without a word.

    A worker killed from outside is given one more try, since a kill says nothing of the policy; killed twice in the
    same place, or aborted by the allocator, it has run out of memory. Ended or stopped twice by a signal that only
    someone else sends, nothing is recorded of the policy: the job is refused.
    """
    how = signal.Signals(-status).name if status < 0 else f"exit code {status}"
    # Before its first step, or between two cells, it was about to begin with the next turn.
    turn = job.asked()[0] if last is None else Turn(process, last["cell"])
    policy = "" if last is None else last["policy"]
    outside = -status in _FROM_OUTSIDE
    if (outside or status == -signal.SIGKILL) and (turn, policy) not in job.killed:
        job.killed.add((turn, policy))
        job.restarts[turn.cell] = job.restarts.get(turn.cell, 0) + 1
        return
    if outside:
        raise Refusal(f"{how} ended the measuring process of {job.graph_id} twice in one step; run again undisturbed")
    if last is None:
        raise Refusal(f"the measuring process of {job.graph_id} died before its first step ({how}); see its log")
    outcome = "out_of_memory" if status in (-signal.SIGKILL, -signal.SIGABRT) else "failed"
    job.lose(turn, policy, outcome, f"the process died in {last['phase']} ({how})")
