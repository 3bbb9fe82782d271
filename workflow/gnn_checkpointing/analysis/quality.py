"""What a reviewer should know of the run itself: outcomes, time well spent, overlap, spread."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import combinations
from statistics import median

from gnn_checkpointing.analysis.checks import moment
from gnn_checkpointing.analysis.results import Quality
from gnn_checkpointing.analysis.table import Row, completed
from gnn_checkpointing.records import Value

_NUMBER = re.compile(r"\d+(\.\d+)?")


def quality(rows: Sequence[Mapping[str, Value]], ratio_half_width: float) -> Quality:
    """Return what the table says about its own making; `ratio_half_width` is the width that the study asked for."""
    measured = completed(rows)
    cells = {str(row["cell"]): row for row in rows}
    spans = [
        (moment(str(row["started"]), "started", cell), moment(str(row["ended"]), "ended", cell))
        for cell, row in sorted(cells.items())
    ]
    measured_seconds = math.fsum(float(row["measured_seconds"] or 0.0) for row in cells.values())
    wall_seconds = math.fsum((ended - started).total_seconds() for started, ended in spans)
    widths = _half_widths(measured)
    return Quality(
        cells=len(cells),
        rows=len(rows),
        outcomes=dict(sorted(Counter(str(row["outcome"]) for row in rows).items())),
        failures=_failures(rows),
        measured_share=measured_seconds / wall_seconds if wall_seconds > 0 else 0.0,
        measured_seconds=measured_seconds,
        wall_seconds=wall_seconds,
        overlapping_cells=_overlaps(spans),
        median_half_width=median(widths) if widths else 0.0,
        worst_half_width=max(widths, default=0.0),
        within_target=sum(width <= ratio_half_width for width in widths) / len(widths) if widths else 0.0,
        not_the_same=[
            f"{row.cell}, {row.policy}: {' and '.join(row.changes)} not within tolerance of none's"
            for row in measured
            if row.changes
        ],
        warnings=_warnings(cells) + ([] if widths else ["no time ratio was measured, so no width is known"]),
    )


def _failures(rows: Sequence[Mapping[str, Value]]) -> list[dict[str, str]]:
    fields = ("cell", "policy", "outcome", "message")
    failed = [{name: str(row[name] or "") for name in fields} for row in rows if row["outcome"] != "completed"]
    return sorted(failed, key=lambda failure: (failure["cell"], failure["policy"]))


def _half_widths(rows: Sequence[Row]) -> list[float]:
    """Return half the interval of each time ratio as a share of the ratio."""
    return [
        (row.time_ratio_high - row.time_ratio_low) / 2 / row.time_ratio
        for row in rows
        if row.policy != "none"
        and row.time_ratio is not None
        and row.time_ratio_low is not None
        and row.time_ratio_high is not None
    ]


def _overlaps(spans: Sequence[tuple[datetime, datetime]]) -> int:
    """Count the pairs of cells measured at the same time: none, if the machine was theirs alone."""
    return sum(max(a[0], b[0]) < min(a[1], b[1]) for a, b in combinations(spans, 2))


def _warnings(cells: Mapping[str, Mapping[str, Value]]) -> list[str]:
    """Return each kind of warning once, told by its first cell; a kind is a text but for its numbers."""
    found: dict[str, list[tuple[str, str]]] = {}
    for cell, row in sorted(cells.items()):
        for text in filter(None, str(row["warnings"] or "").split("; ")):
            found.setdefault(_NUMBER.sub("#", text), []).append((cell, text))
    return [
        f"{text} (cell {cell})" if len(alike) == 1 else f"{len(alike)} cells warn like {cell}: {text}"
        for alike in found.values()
        for cell, text in alike[:1]
    ]
