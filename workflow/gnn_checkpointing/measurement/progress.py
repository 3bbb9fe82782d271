"""One readable line per measured cell: its number and the total, the time taken, and the time left."""

import sys
import time
from pathlib import Path

from gnn_checkpointing.measurement.fingerprint import measuring_settings
from gnn_checkpointing.measurement.supervise import COMPLETE
from gnn_checkpointing.records.cell import CellRecord, read_complete
from gnn_checkpointing.refusal import Refusal, plain
from gnn_checkpointing.study.design import graph_cells, visits
from gnn_checkpointing.study.study import Study


class Progress:
    """Counts turns (one cell in one process) measured below `measurements`, and prints a line for each new one.

    Graphs finished under other settings or by other code do not count, since they will be measured again.
    """

    def __init__(self, study: Study, measurements: Path, graph_id: str) -> None:
        self._processes = study.measurement.processes
        # A cell has one turn in each process, or only one in total if it is not timed.
        turns = {
            visit.name: sum(self._processes if cell.timed else 1 for cell in graph_cells(study, visit.graph))
            for visit in visits(study)
        }
        settings = measuring_settings(study)
        finished = {
            graph: seconds
            for graph in turns
            if graph != graph_id and (seconds := _finished_seconds(measurements / graph, settings)) is not None
        }
        self._all = sum(turns.values())
        self._others = sum(turns[graph] for graph in finished)
        self._other_seconds = sum(finished.values())
        self._started, self._had = time.monotonic(), 0

    def __call__(self, record: CellRecord, own: int) -> None:
        """Print the line of `record`, whose latest process has just been added; this graph has had `own` turns."""
        self._had += 1
        runs = record.runs
        policies = ", ".join(
            found.policy if found.outcome == "completed" else f"{found.policy} ({found.outcome})"
            for found in record.policies
        )
        which = f" · process {len(runs)} of {self._processes}" if self._processes > 1 and record.timed else ""
        done = self._others + own
        spent = self._other_seconds + time.monotonic() - self._started
        line = (
            f"{done} of {self._all}: {record.graph.label} · {record.convolution} · {policies} · "
            f"{len(runs[-1].round_orders)} rounds in {runs[-1].measured_seconds:.1f} s{which}"
            f"{time_left(spent / (self._others + self._had), self._all - done)}"
        )
        print(plain(line), file=sys.stderr, flush=True)  # noqa: T201 - what the person at the terminal waits for


def time_left(seconds_each: float, waiting: int) -> str:
    """Text for the time that the waiting turns will take at `seconds_each`; "" if none are waiting."""
    seconds = seconds_each * waiting
    if waiting <= 0:
        return ""
    return f" · about {seconds / 60:.0f} min left" if seconds >= 90 else f" · about {seconds:.0f} s left"


def _finished_seconds(folder: Path, settings: str) -> float | None:
    """Seconds that a graph took; None if it was not finished under these settings."""
    try:
        found = read_complete(folder / COMPLETE)
    except Refusal:
        return None
    return found.seconds if found.settings == settings else None
