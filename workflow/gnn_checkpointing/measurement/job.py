"""The state of one graph's measuring: whose turn is next, what has been lost, and the records (torch-free)."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from gnn_checkpointing.artefacts import write_sealed
from gnn_checkpointing.graphs.graph import Graph, facts
from gnn_checkpointing.measurement.record_warnings import with_warnings
from gnn_checkpointing.records.cell import AnotherProcess, CellRecord, Host, read_cell
from gnn_checkpointing.records.policy import PolicyRecord
from gnn_checkpointing.records.record import SCHEMA_VERSION
from gnn_checkpointing.study.design import Cell
from gnn_checkpointing.study.study import Study


class Turn(NamedTuple):
    """One cell in one process; process 0 measures it, further ones time it again."""

    process: int
    cell: str


@dataclass
class Job:
    """The turns of one graph's `cells` on `host`; `fingerprints` by cell."""

    study: Study
    graph_id: str
    graph_file: Path
    folder: Path
    hardware: str
    cells: dict[str, Cell]
    fingerprints: dict[str, str]
    host: Host
    visit: int = 0
    waiting: list[Turn] = field(default_factory=list)
    lost: dict[str, dict[str, PolicyRecord]] = field(default_factory=dict)
    restarts: dict[str, int] = field(default_factory=dict)
    killed: set[tuple[Turn, str]] = field(default_factory=set)

    def record_file(self, cell: str) -> Path:
        """Where the record of a cell is."""
        return self.folder / f"{cell}.json"

    def wait_for(self, cell: str, kept: bool) -> None:
        """Let a cell wait for its first process, or, where its record is kept, for the next that it lacks."""
        process = 0
        if kept:
            record = read_cell(self.record_file(cell))
            process = 1 + len(record.again)
            if not timed_policies(record) or process >= self.study.measurement.processes:
                return
        self.waiting.append(Turn(process, cell))

    def asked(self) -> list[Turn]:
        """The turns of the next process: the earliest that wait, under one allocator."""
        first = min(self.waiting, key=lambda turn: turn.process)
        allocator = self.cells[first.cell].allocator
        return [
            turn
            for turn in self.waiting
            if turn.process == first.process and self.cells[turn.cell].allocator == allocator
        ]

    def message(self, turns: list[Turn]) -> dict[str, Any]:
        """Those turns as the worker reads them."""
        lost = {
            cell: {policy: found.model_dump(mode="json") for policy, found in policies.items()}
            for cell, policies in self.lost.items()
        }
        process = turns[0].process
        return {
            "study": self.study.model_dump(mode="json", by_alias=True),
            "graph": self.graph_id,
            "graph_file": str(self.graph_file.resolve()),
            "folder": str(self.folder.resolve()),
            "process": process,
            "cells": [turn.cell for turn in turns],
            "timed": {turn.cell: timed_policies(read_cell(self.record_file(turn.cell))) for turn in turns if process},
            "fingerprints": self.fingerprints,
            "lost": lost,
            "context": self.context(turns[0].cell),
        }

    def context(self, cell: str) -> dict[str, Any]:
        """The fields of the record of `cell` that only the commanding process knows."""
        host = self.host.model_dump(mode="json")
        return {"hardware": self.hardware, "restarts": self.restarts.get(cell, 0), "host": host, "visit": self.visit}

    def write(self, record: CellRecord, process: int) -> None:
        """Write the record that `process` made or added to; the cell's turn is over, and the next one waits."""
        self._keep(record)
        self.waiting.remove(Turn(process, record.cell))
        self.wait_for(record.cell, kept=True)

    def _keep(self, record: CellRecord) -> None:
        """Write a record, sealed: an unfinished run that is taken up again must not trust one that changed since."""
        write_sealed(self.record_file(record.cell), record.model_dump(mode="json"))

    def record_of(self, event: dict[str, Any]) -> CellRecord:
        """A cell's record after an event: whole from its first process, else with the rounds of one more."""
        if event["event"] == "cell":
            return CellRecord.model_validate(event["record"])
        found = AnotherProcess.model_validate(event["rounds"]).model_copy(update={"host": self.host})
        record = read_cell(self.record_file(event["cell"]))
        return with_warnings(record.model_copy(update={"again": [*record.again, found]}), self.study)

    def restart(self, cell: str) -> None:
        """Count one more restart of a cell's process."""
        self.restarts[cell] = self.restarts.get(cell, 0) + 1

    def lose(self, turn: Turn, policy: str, outcome: str, message: str) -> None:
        """Record that `policy` ended without a measurement; the others are measured again without it."""
        found = PolicyRecord.model_validate({"policy": policy, "outcome": outcome, "message": message})
        self.lost.setdefault(turn.cell, {})[policy] = found
        self.restart(turn.cell)
        if turn.process:
            self._keep(_without_policy(read_cell(self.record_file(turn.cell)), found))


def timed_policies(record: CellRecord) -> list[str]:
    """The policies that a further process is to time: those that were timed in the first."""
    return [found.policy for found in record.policies if found.steps]


def _without_policy(record: CellRecord, lost: PolicyRecord) -> CellRecord:
    """The record of a cell in which a further process lost a policy: lost as a whole, wherever it was timed."""
    again = [
        run.model_copy(update={"steps": {name: steps for name, steps in run.steps.items() if name != lost.policy}})
        for run in record.again
    ]
    policies = [
        lost.model_copy(update={"other_model": found.other_model}) if found.policy == lost.policy else found
        for found in record.policies
    ]
    return record.model_copy(update={"again": again, "policies": policies, "restarts": record.restarts + 1})


# The clock on the wall may be set back while a process measures; its stamps then go on from where they began.
_BEGAN, _BEGAN_MONOTONIC = time.time(), time.monotonic()


def now() -> str:
    """This moment as the records stamp it; within a process no stamp is before an earlier one."""
    moment = _BEGAN + time.monotonic() - _BEGAN_MONOTONIC
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")


def described(study: Study, cell: Cell, graph: Graph, device: str) -> dict[str, Any]:
    """The record's fields that say what was to be measured."""
    left_out = {"convolutions", "aggregations", *(() if cell.architecture.module else ("module", "files"))}
    return {
        "schema_version": SCHEMA_VERSION,
        "study": study.name,
        "cell": cell.id,
        "graph": facts(graph),
        "convolution": cell.convolution,
        "model": cell.model,
        "architecture": cell.architecture.model_dump(mode="json", exclude=left_out),
        "aggregation": cell.aggregation,
        "seed": cell.seed,
        "device": device,
        "threads": study.measurement.threads,
        "allocator": cell.allocator,
        "timed": cell.timed,
    }


def unavailable_cell(
    study: Study, cell: Cell, graph: Graph, device: str, reason: str, context: dict[str, Any]
) -> CellRecord:
    """The record in which every policy is unavailable for the same `reason`."""
    stamp, load = now(), os.getloadavg()[0]
    return CellRecord(
        **described(study, cell, graph, device),
        **context,
        started=stamp,
        ended=stamp,
        load_before=load,
        load_after=load,
        clock_mhz_before=None,
        clock_mhz_after=None,
        governor=None,
        sentinel_seconds=[],
        measured_seconds=0,
        round_orders=[],
        policies=[PolicyRecord(policy=policy, outcome="unavailable", message=reason) for policy in study.policies],
        warnings=[],
    )
