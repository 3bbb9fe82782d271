"""A record and its cell's further processes: which is to come, what one found, what was lost in it (torch-free)."""

from __future__ import annotations

from gnn_checkpointing.measurement.record_warnings import record_warnings
from gnn_checkpointing.records.cell import AnotherProcess, CellRecord
from gnn_checkpointing.records.policy import PolicyRecord
from gnn_checkpointing.study.study import Study


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
