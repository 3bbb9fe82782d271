"""Quality of the run itself: outcomes, share of time spent measuring, turns at the machine, overlap, spread."""

import math
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from operator import itemgetter
from statistics import median
from typing import Any, NamedTuple

from gnn_checkpointing.analysis.results import Absence, GraphTurns, Instrument, Quality, Reading, Run, Setting, Spread
from gnn_checkpointing.analysis.table import Row, first_visits, grouped, moment, series, under
from gnn_checkpointing.records import measurements_table
from gnn_checkpointing.records.measurements_table import Value, high_water_verdict

Rows = Sequence[Mapping[str, Value]]
NOT_FAILED = ("completed", "refused", "unavailable")

_VERDICTS: dict[Instrument, Callable[[Mapping[str, Value]], Value]] = {
    "high_water_bytes": high_water_verdict,
    "fake_tensor_bytes": itemgetter("fake_tensor_agrees"),
}
_NUMBER = re.compile(r"\d+(\.\d+)?")


def quality(rows: Rows, measured: Sequence[Row], reference_allocator: str, ratio_half_width: float) -> Quality:
    """Assess the run from its table; `ratio_half_width` is the half-width that the study aims for.

    `rows` are all rows and `measured` the completed rows of first visits; only first visits are counted. Widths are
    those of ratios under the reference allocator, on which every statement about time rests.
    """
    visits, rows = [row for row in rows if row.get("visit")], first_visits(rows)
    cells = {str(row["cell"]): row for row in rows}
    turns = turns_of(rows)
    # Policies that refused or lack their tools were never started.
    failed = [row for row in sorted(rows, key=_place) if row["outcome"] not in NOT_FAILED]
    measured_seconds = math.fsum(float(row["measured_seconds"] or 0.0) for row in cells.values())
    wall_seconds = math.fsum((turn.ended - turn.began).total_seconds() for turn in turns)
    spread = _spread(row["process_spread"] for row in rows if row["allocator"] == reference_allocator)
    widths = [
        (row.time_ratio_high - row.time_ratio_low) / 2 / row.time_ratio
        for row in under(measured, reference_allocator)
        if row.policy != "none" and row.time_ratio and row.time_ratio_low and row.time_ratio_high
    ]
    uncompared = [row for row in measured if row.is_uncompared]
    readings = [found for name in _VERDICTS if (found := _reading(rows, name)) is not None]
    return Quality(
        cells=len(cells),
        rows=len(rows),
        outcomes=dict(sorted(Counter(str(row["outcome"]) for row in rows).items())),
        failures=[{name: str(row[name] or "") for name in ("cell", "policy", "outcome", "message")} for row in failed],
        refused=_absences(rows, "refused"),
        unavailable=_absences(rows, "unavailable"),
        other_models=sorted({row.policy for row in measured if row.other_model}),
        readings=[reading for reading, _ in readings],
        disagreements=[text for _, texts in readings for text in texts],
        sentinel_drift=_spread(row["sentinel_drift"] for row in cells.values()),
        involuntary_switches=_spread(row["involuntary_switches"] for row in rows),
        measured_share=measured_seconds / wall_seconds if wall_seconds > 0 else 0.0,
        measured_seconds=measured_seconds,
        wall_seconds=wall_seconds,
        overlapping_cells=_overlaps(turns),
        processes=sorted({int(row["processes"]) for row in rows if isinstance(row["processes"], int | float)}),
        process_spread=spread.worst if spread else None,
        median_half_width=median(widths) if widths else 0.0,
        worst_half_width=max(widths, default=0.0),
        within_target=sum(width <= ratio_half_width for width in widths) / len(widths) if widths else 0.0,
        not_the_same=[
            f"{row.cell}, {row.policy}: {' and '.join(row.changes)} not within tolerance of none's"
            for row in measured
            if row.changes and not row.is_uncompared
        ],
        warnings=[
            *_warnings(cells),
            *(
                f"{row.policy} ran to its end where none did not: nothing shows that it computes the same (cell "
                f"{row.cell})"
                for row in uncompared
            ),
            *([] if widths else ["no time ratio was measured, so no width is known"]),
        ],
        setting=_setting(rows),
        run=run(rows, visits),
    )


def _place(row: Mapping[str, Value]) -> tuple[str, str]:
    return str(row["cell"]), str(row["policy"])


def _setting(rows: Rows) -> Setting:
    columns = {"devices": "device"} | {name: name for name in ("threads", "num_layers", "hidden_channels", "heads")}
    found = {name: {row[column] for row in rows} - {None, ""} for name, column in columns.items()}
    return Setting.model_validate({name: sorted(values, key=str) for name, values in found.items()})


def _absences(rows: Rows, outcome: str) -> list[Absence]:
    """Each policy and reason once, with the affected series and number of cells."""
    absent = [row for row in rows if row["outcome"] == outcome]
    absent.sort(key=lambda row: (str(row["policy"]), str(row["cell"])))
    kinds = grouped(absent, lambda row: (str(row["policy"]), _NUMBER.sub("#", str(row["message"]))))
    return [
        Absence(
            policy=policy,
            convolutions=sorted({series(row) for row in alike}),
            cells=len(alike),
            reason=str(alike[0]["message"] or "no reason was recorded"),
        )
        for (policy, _), alike in kinds.items()
    ]


def _reading(rows: Rows, name: Instrument) -> tuple[Reading, list[str]] | None:
    """Compare an instrument with the allocator's events, and list disagreements; None if it was not read."""
    read = [row for row in sorted(rows, key=_place) if row["outcome"] == "completed" and row[name] is not None]
    if not read:
        return None
    # For each reading: its place, its difference in bytes and as a share of the peak, and whether it agrees.
    peaks = [float(row["activation_bytes"] or 0.0) for row in read]
    found = [
        (", ".join(_place(row)), off := float(row[name] or 0.0) - peak, off / (peak or 1.0), agrees)
        for row, peak in zip(read, peaks, strict=True)
        if (agrees := _VERDICTS[name](row)) is not None
    ]
    nothing: tuple[str, Any, Any, Value] = ("", None, None, None)
    place, off, share, _ = max(found, key=lambda one: (abs(one[1]), one[0]), default=nothing)
    return Reading(
        instrument=name,
        read=len(read),
        judged=len(found),
        agree=sum(agrees is True for *_, agrees in found),
        median_difference=median(abs(share) for _, _, share, _ in found) if found else None,
        worst_difference=share,
        worst_bytes=off,
        worst_at=place if off else "",
    ), [
        f"{place}: {name} is {100 * share:+.1f} % off activation_bytes"
        for place, _, share, agrees in found
        if agrees is False
    ]


def _spread(values: Iterable[Value]) -> Spread | None:
    found = [float(value) for value in values if isinstance(value, int | float)]
    return Spread(values=len(found), median=median(found), worst=max(found)) if found else None


def _warnings(cells: Mapping[str, Mapping[str, Value]]) -> list[str]:
    """Each kind of warning once, quoted from its first cell; texts that differ in numbers alone are one kind."""
    texts = [(cell, text) for cell, row in sorted(cells.items()) for text in str(row["warnings"] or "").split("; ")]
    found = grouped((one for one in texts if one[1]), lambda one: _NUMBER.sub("#", one[1]))
    return [
        f"{text} (cell {cell})" if len(alike) == 1 else f"{len(alike)} cells warn like {cell}: {text}"
        for alike in found.values()
        for cell, text in alike[:1]
    ]


class Turn(NamedTuple):
    """One cell's time in one process; `graph` is the graph's name for reading, processes count from 0.

    `host` is the machine, where there are several.
    """

    graph: str
    process: int
    began: datetime
    ended: datetime
    host: str = ""


def turns_of(rows: Rows) -> list[Turn]:
    """All turns in order; a cell for which nothing could be started on this machine had none."""
    cells = {str(row["cell"]): row for row in rows if row["started"] and row["outcome"] != "unavailable"}
    found = [
        Turn(str(row["graph_label"]), process, moment(began, "started", cell), moment(ended, "ended", cell), host)
        for cell, row in cells.items()
        for process, ((began, ended), host) in enumerate(
            zip(measurements_table.turns(row), measurements_table.hosts(row), strict=True)
        )
    ]
    return sorted(found, key=lambda turn: turn.began)


def run(rows: Rows, visits: Rows = ()) -> Run | None:
    """Summary of the run, None without any turn; machines count as busy during the turns of later `visits`.

    Idle time is the time between consecutive turns on one machine, summed over all machines.
    """
    found = turns_of(rows)
    if not found:
        return None
    begin, end = found[0].began, max(turn.ended for turn in found)
    # One visit at a time, since visits share their cells.
    again = (turn for visit in grouped(visits, lambda row: row["visit"]).values() for turn in turns_of(visit))
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
            for graph, own in grouped(found, lambda turn: turn.graph).items()
        ],
    )


def _overlaps(turns: Sequence[Turn]) -> int:
    """Number of pairs of cells measured on one machine at the same time; 0 if each cell had its machine to itself."""
    found = 0
    for own in grouped((turn for turn in turns if turn.ended > turn.began), lambda turn: turn.host).values():
        ends = sorted(turn.ended for turn in own)
        found += sum(place - bisect_right(ends, turn.began) for place, turn in enumerate(own))
    return found
