"""What is still to be measured of one graph, whose turn is next, and what has been lost on the way (torch-free)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from gnn_checkpointing.artefacts import seal, write_json
from gnn_checkpointing.measurement.record_warnings import record_warnings
from gnn_checkpointing.records.cell import AnotherProcess, CellRecord, read_cell
from gnn_checkpointing.records.machine import Host
from gnn_checkpointing.records.policy import PolicyRecord
from gnn_checkpointing.study.study import Study
from gnn_checkpointing.study.vocabulary import Allocator


class Turn(NamedTuple):
    """One cell in one process; process 0 measures it, further ones time it again."""

    process: int
    cell: str


@dataclass
class Job:
    """The turns of one graph's cells on `host`; `allocators` and `fingerprints` by cell."""

    study: Study
    graph_id: str
    graph_file: Path
    folder: Path
    hardware: str
    fingerprints: dict[str, str]
    allocators: dict[str, Allocator]
    host: Host
    visit: int = 0
    waiting: list[Turn] = field(default_factory=list)
    lost: dict[str, dict[str, PolicyRecord]] = field(default_factory=dict)
    restarts: dict[str, int] = field(default_factory=dict)
    killed: set[tuple[Turn, str]] = field(default_factory=set)

    def record_file(self, cell: str) -> Path:
        """Return where the record of a cell lies."""
        return self.folder / f"{cell}.json"

    def wait_for(self, cell: str, kept: bool) -> None:
        """Let a cell wait for its first process, or, where its record is kept, for the next that it lacks."""
        process = next_process(read_cell(self.record_file(cell)), self.study) if kept else 0
        if process is not None:
            self.waiting.append(Turn(process, cell))

    def asked(self) -> list[Turn]:
        """Return the turns of the next process: the earliest that wait, under one allocator."""
        process = min(turn.process for turn in self.waiting)
        together = [turn for turn in self.waiting if turn.process == process]
        allocator = self.allocators[together[0].cell]
        return [turn for turn in together if self.allocators[turn.cell] == allocator]

    def message(self, turns: list[Turn]) -> bytes:
        """Return those turns as the worker reads them."""
        lost = {
            cell: {policy: found.model_dump(mode="json") for policy, found in policies.items()}
            for cell, policies in self.lost.items()
        }
        process = turns[0].process
        again = {turn.cell: timed_policies(read_cell(self.record_file(turn.cell))) for turn in turns if process}
        values = {
            "study": self.study.model_dump(mode="json", by_alias=True),
            "graph": self.graph_id,
            "graph_file": str(self.graph_file.resolve()),
            "folder": str(self.folder.resolve()),
            "process": process,
            "cells": [turn.cell for turn in turns],
            "timed": again,
            "fingerprints": self.fingerprints,
            "lost": lost,
            "context": self.context(turns[0].cell),
        }
        return json.dumps(values).encode()

    def context(self, cell: str) -> dict[str, Any]:
        """Return the fields of the record of `cell` that only the commanding process knows."""
        host = self.host.model_dump(mode="json")
        return {"hardware": self.hardware, "restarts": self.restarts.get(cell, 0), "host": host, "visit": self.visit}

    def write(self, record: CellRecord, process: int) -> None:
        """Write the record that `process` made or added to; the cell's turn is over, and the next one waits."""
        self._keep(record)
        self.waiting.remove(Turn(process, record.cell))
        self.wait_for(record.cell, kept=True)

    def _keep(self, record: CellRecord) -> None:
        """Write a record, sealed: an unfinished run that is taken up again must not trust one that changed since."""
        path = self.record_file(record.cell)
        write_json(path, record.model_dump(mode="json"))
        seal(path)

    def joined(self, cell: str, rounds: dict[str, Any]) -> CellRecord:
        """Return a cell's record with the rounds of one more process."""
        found = AnotherProcess.model_validate(rounds).model_copy(update={"host": self.host})
        return with_process(read_cell(self.record_file(cell)), found, self.study)

    def lose(self, turn: Turn, policy: str, outcome: str, message: str) -> None:
        """Record that `policy` ended without a measurement; the others are measured again without it."""
        found = PolicyRecord.model_validate({"policy": policy, "outcome": outcome, "message": message})
        self.lost.setdefault(turn.cell, {})[policy] = found
        self.restarts[turn.cell] = self.restarts.get(turn.cell, 0) + 1
        if turn.process:
            record = read_cell(self.record_file(turn.cell))
            left = without_policy(record, found, record.restarts + 1)
            self._keep(left)


def timed_policies(record: CellRecord) -> list[str]:
    """Return the policies that a further process is to time: those that were timed in the first."""
    return [found.policy for found in record.policies if found.steps]


def next_process(record: CellRecord, study: Study) -> int | None:
    """Return the process that is to time the cell next, counted from 0; None where there is none to come."""
    process = 1 + len(record.again)
    return process if timed_policies(record) and process < study.measurement.processes else None


def with_process(record: CellRecord, found: AnotherProcess, study: Study) -> CellRecord:
    """Return the record with the rounds of one more process."""
    joined = record.model_copy(update={"again": [*record.again, found]})
    return joined.model_copy(update={"warnings": record_warnings(joined, study)})


def without_policy(record: CellRecord, lost: PolicyRecord, restarts: int) -> CellRecord:
    """Return the record of a cell in which a further process lost a policy: lost as a whole, wherever it was timed."""
    kept = [
        found.model_copy(update={"steps": {name: steps for name, steps in found.steps.items() if name != lost.policy}})
        for found in record.again
    ]
    policies = [
        lost.model_copy(update={"other_model": found.other_model}) if found.policy == lost.policy else found
        for found in record.policies
    ]
    return record.model_copy(update={"again": kept, "policies": policies, "restarts": restarts})
