"""Whose the machine was, when: every cell's turn in every process, and what the run comes to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from gnn_checkpointing.analysis.checks import moment
from gnn_checkpointing.analysis.results import GraphTurns, Run
from gnn_checkpointing.analysis.table import grouped
from gnn_checkpointing.records.measurements_table import Value, hosts, turns


@dataclass(frozen=True)
class Turn:
    """One cell's time in one process; `graph` is the graph's name for reading, processes count from 0.

    `host` tells machines apart where there are several.
    """

    graph: str
    process: int
    began: datetime
    ended: datetime
    host: str = ""


def turns_of(rows: Sequence[Mapping[str, Value]]) -> list[Turn]:
    """Every turn in order; a cell of which nothing could be started on this machine had none."""
    cells = {str(row["cell"]): row for row in rows if row["started"] and row["outcome"] != "unavailable"}
    found = [
        Turn(str(row["graph_label"]), process, moment(began, "started", cell), moment(ended, "ended", cell), host)
        for cell, row in cells.items()
        for process, ((began, ended), host) in enumerate(zip(turns(row), hosts(row), strict=True))
    ]
    return sorted(found, key=lambda turn: turn.began)


def run(rows: Sequence[Mapping[str, Value]], visits: Sequence[Mapping[str, Value]] = ()) -> Run | None:
    """What the run comes to, None where nothing had a turn; in the turns of later `visits` no machine was idle.

    Idle is the time between turns that follow each other on one machine, of all machines together.
    """
    found = turns_of(rows)
    if not found:
        return None
    begin, end = found[0].began, max(turn.ended for turn in found)
    # Visits apart from each other: they are of the same cells.
    again = (turn for _, visit in grouped(visits, lambda row: (row["visit"],)) for turn in turns_of(visit))
    busy = sorted([*found, *(turn for turn in again if turn.began < end)], key=lambda turn: (turn.host, turn.began))
    pairs = [(before, after) for before, after in pairwise(busy) if before.host == after.host]
    return Run(
        turns=len(found),
        processes=1 + max(turn.process for turn in found),
        seconds=(end - begin).total_seconds(),
        idle_seconds=sum(max(0.0, (after.began - before.ended).total_seconds()) for before, after in pairs),
        graphs=[
            GraphTurns(
                graph=graph,
                turns=len(own),
                began_seconds=(own[0].began - begin).total_seconds(),
                ended_seconds=(max(turn.ended for turn in own) - begin).total_seconds(),
            )
            for (graph,), own in grouped(found, lambda turn: (turn.graph,))
        ],
    )
