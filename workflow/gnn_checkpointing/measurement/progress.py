"""One readable line a measured cell: which of how many, what it took, how long the rest will take."""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path
from statistics import median

from gnn_checkpointing.artefacts import read_json
from gnn_checkpointing.design import graph_cells
from gnn_checkpointing.graph_design import study_graphs
from gnn_checkpointing.measurement.fingerprint import measuring_settings
from gnn_checkpointing.measurement.supervise import COMPLETE
from gnn_checkpointing.records import CellRecord
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study import Study


class Progress:
    """Counts the study's records below `measurements` and prints a line for each new one.

    Graphs that were finished under other settings, or by other code, do not count: they will be measured again.
    """

    def __init__(self, study: Study, measurements: Path, graph_id: str) -> None:
        specs = study_graphs(study)
        self._cells = sum(len(graph_cells(study, spec.id)) for spec in specs)
        self._own = measurements / graph_id
        settings = measuring_settings(study)
        others = (measurements / spec.id for spec in specs if spec.id != graph_id)
        self._finished = [stamp for folder in others if _holds(folder, settings) for stamp in _stamps(folder)]

    def __call__(self, record: CellRecord) -> None:
        """Print the line of `record`."""
        stamps = sorted([*self._finished, *_stamps(self._own)])
        steps = max((len(found.steps.wall_seconds) for found in record.policies if found.steps), default=0)
        told = ", ".join(
            found.policy if found.outcome == "completed" else f"{found.policy} ({found.outcome})"
            for found in record.policies
        )
        left = time_left(stamps, self._cells)
        print(  # noqa: T201 - what the person at the terminal waits for
            f"cell {len(stamps)} of {self._cells}: {record.graph.label} · {record.convolution} · {told} · "
            f"{steps} rounds in {record.measured_seconds:.1f} s{left}",
            file=sys.stderr,
            flush=True,
        )


def time_left(stamps: list[float], cells: int) -> str:
    """Return how long the remaining cells will take, judged by the mean pace of the last thirty; "" if unknown.

    Gaps of more than ten times the median are pauses between runs, not work.
    """
    gaps = [after - before for before, after in pairwise(stamps[-31:])]
    remaining = cells - len(stamps)
    if len(gaps) < 3 or remaining <= 0:
        return ""
    usual = [gap for gap in gaps if gap <= 10 * max(median(gaps), 0.1)]
    seconds = remaining * sum(usual) / len(usual)
    return f" · about {seconds / 60:.0f} min left" if seconds >= 90 else f" · about {seconds:.0f} s left"


def _holds(folder: Path, settings: str) -> bool:
    """Tell whether a graph was finished under these settings."""
    try:
        return bool(read_json(folder / COMPLETE).get("settings") == settings)
    except (Refusal, AttributeError):
        return False


def _stamps(folder: Path) -> list[float]:
    """Return when each of a graph's records was written."""
    return [path.stat().st_mtime for path in folder.glob("*.json") if path.name != COMPLETE]
