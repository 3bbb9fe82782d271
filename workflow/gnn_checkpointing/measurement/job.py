"""State of measuring one graph: whose turn is next, which policies were lost, and the records (torch-free)."""

import os
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from gnn_checkpointing.artefacts import write_sealed
from gnn_checkpointing.graphs.graph import Graph, facts
from gnn_checkpointing.measurement.readings import with_warnings
from gnn_checkpointing.records.cell import AnotherProcess, CellRecord, Host
from gnn_checkpointing.records.policy import PolicyRecord
from gnn_checkpointing.records.record import SCHEMA_VERSION
from gnn_checkpointing.study.design import Cell
from gnn_checkpointing.study.study import Study


class Turn(NamedTuple):
    """One cell in one process; process 0 measures the cell, further processes time it again."""

    process: int
    cell: str


@dataclass
class Job:
    """The turns of one graph's `cells` on `host`; `fingerprints` and the `records` so far are keyed by cell."""

    study: Study
    graph_id: str
    graph_file: Path
    folder: Path
    hardware: str
    cells: dict[str, Cell]
    fingerprints: dict[str, str]
    host: Host
    visit: int = 0
    records: dict[str, CellRecord] = field(default_factory=dict)
    lost: dict[str, dict[str, PolicyRecord]] = field(default_factory=dict)
    restarts: Counter[str] = field(default_factory=Counter)
    killed: set[tuple[Turn, str]] = field(default_factory=set)

    def waiting(self) -> list[Turn]:
        """The turn that each unfinished cell waits for: its first process, or the next that its record lacks."""
        turns = []
        for cell in self.cells:
            record = self.records.get(cell)
            done = len(record.runs) if record else 0
            if record is None or (timed_policies(record) and done < self.study.measurement.processes):
                turns.append(Turn(done, cell))
        return turns

    def asked(self) -> list[Turn]:
        """The turns of the next process: the earliest waiting ones, all under one allocator."""
        waiting = self.waiting()
        first = min(waiting, key=lambda turn: turn.process)
        allocator = self.cells[first.cell].allocator
        return [
            turn for turn in waiting if turn.process == first.process and self.cells[turn.cell].allocator == allocator
        ]

    def message(self, turns: list[Turn]) -> dict[str, Any]:
        """The job message for the worker that is to run `turns`."""
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
            "timed": {turn.cell: timed_policies(self.records[turn.cell]) for turn in turns if process},
            "fingerprints": self.fingerprints,
            "lost": lost,
            "context": self.context(turns[0].cell),
        }

    def context(self, cell: str) -> dict[str, Any]:
        """The fields of the record of `cell` that only the supervising process knows."""
        host = self.host.model_dump(mode="json")
        return {"hardware": self.hardware, "restarts": self.restarts[cell], "host": host, "visit": self.visit}

    def write(self, record: CellRecord) -> None:
        """Write a record, sealed, so that a resumed run does not trust a record that has changed since."""
        self.records[record.cell] = record
        write_sealed(self.folder / f"{record.cell}.json", record.model_dump(mode="json"))

    def turns_had(self) -> int:
        """Number of turns that the cells have had, in this run and in an unfinished one before it."""
        return sum(len(record.runs) for record in self.records.values())

    def record_of(self, event: dict[str, Any]) -> CellRecord:
        """A cell's record after an event: complete from its first process, or with a further process's rounds added."""
        if event["event"] == "cell":
            return CellRecord.model_validate(event["record"])
        found = AnotherProcess.model_validate(event["rounds"]).model_copy(update={"host": self.host})
        record = self.records[event["cell"]]
        return with_warnings(record.model_copy(update={"again": [*record.again, found]}), self.study)

    def lose(self, turn: Turn, policy: str, outcome: str, message: str) -> None:
        """Record that `policy` ended without a measurement; the others will be measured again without it."""
        found = PolicyRecord.model_validate({"policy": policy, "outcome": outcome, "message": message})
        self.lost.setdefault(turn.cell, {})[policy] = found
        self.restarts[turn.cell] += 1
        if turn.process:
            self.write(_without_policy(self.records[turn.cell], found))


def timed_policies(record: CellRecord) -> list[str]:
    """Policies that a further process must time: those that were timed in the first."""
    return [found.policy for found in record.policies if found.steps]


def _without_policy(record: CellRecord, lost: PolicyRecord) -> CellRecord:
    """The record of a cell after a further process lost a policy: all that was measured of the policy is dropped."""
    again = [
        run.model_copy(update={"steps": {name: steps for name, steps in run.steps.items() if name != lost.policy}})
        for run in record.again
    ]
    policies = [
        lost.model_copy(update={"other_model": found.other_model}) if found.policy == lost.policy else found
        for found in record.policies
    ]
    return record.model_copy(update={"again": again, "policies": policies, "restarts": record.restarts + 1})


# The system clock may be set back while a process measures, so time stamps advance with the monotonic clock.
_BEGAN, _BEGAN_MONOTONIC = time.time(), time.monotonic()


def now() -> str:
    """Time stamp for records; within a process, stamps never go backwards."""
    moment = _BEGAN + time.monotonic() - _BEGAN_MONOTONIC
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")


def described(study: Study, cell: Cell, graph: Graph, device: str) -> dict[str, Any]:
    """Fields of the record that describe what was to be measured."""
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
    """A record in which every policy is unavailable for the same `reason`."""
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
