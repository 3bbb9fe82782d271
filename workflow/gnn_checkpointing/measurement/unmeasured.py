"""The record of a cell that cannot be measured here at all, with the reason (torch-free)."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from typing import Any

from gnn_checkpointing.graphs.graph import Graph, facts
from gnn_checkpointing.records.cell import CellRecord
from gnn_checkpointing.records.policy import PolicyRecord
from gnn_checkpointing.records.record import SCHEMA_VERSION
from gnn_checkpointing.study.design import Cell
from gnn_checkpointing.study.study import Study

_OF_OWN_MODELS = ("module", "files")

# The clock on the wall may be set back while a process measures; its stamps then go on from where they began.
_BEGAN, _BEGAN_MONOTONIC = time.time(), time.monotonic()


def now() -> str:
    """Return this moment as the records stamp it; within a process no stamp is before an earlier one."""
    moment = _BEGAN + time.monotonic() - _BEGAN_MONOTONIC
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")


def described(study: Study, cell: Cell, graph: Graph, device: str) -> dict[str, Any]:
    """Return the record's fields that say what was to be measured."""
    return {
        "schema_version": SCHEMA_VERSION,
        "study": study.name,
        "cell": cell.id,
        "graph": facts(graph),
        "convolution": cell.convolution,
        "model": cell.model,
        "architecture": cell.architecture.model_dump(
            mode="json", exclude={"convolutions", "aggregations", *(() if cell.architecture.module else _OF_OWN_MODELS)}
        ),
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
    """Return the record in which every policy is unavailable for the same `reason`."""
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
