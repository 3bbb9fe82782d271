"""What a reviewer should know of the run itself: outcomes, time well spent, overlap, spread."""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Literal

from gnn_checkpointing.analysis.results import Absence, Quality, Reading, Setting, Spread
from gnn_checkpointing.analysis.table import Row, first_visits, grouped, series, under
from gnn_checkpointing.analysis.turns import Turn, run, turns_of
from gnn_checkpointing.records.measurements_table import Value

Instrument = Literal["high_water_bytes", "fake_tensor_bytes"]
INSTRUMENTS: tuple[Instrument, ...] = ("high_water_bytes", "fake_tensor_bytes")
NOT_FAILED = ("completed", "refused", "unavailable")

_FAILURE = ("cell", "policy", "outcome", "message")
_NUMBER = re.compile(r"\d+(\.\d+)?")


def quality(
    rows: Sequence[Mapping[str, Value]], measured: Sequence[Row], reference_allocator: str, ratio_half_width: float
) -> Quality:
    """What the table says about its own making; `ratio_half_width` is the width that the study asked for.

    `rows` are all, `measured` the completed ones of first visits, which alone are counted. Widths are those of the
    reference allocator's ratios, on which every sentence about time rests.
    """
    visits, rows = [row for row in rows if row.get("visit")], first_visits(rows)
    cells = {str(row["cell"]): row for row in rows}
    turns = turns_of(rows)
    # A policy that refused or lacks its tools was never started.
    failed = sorted((row for row in rows if row["outcome"] not in NOT_FAILED), key=_place)
    measured_seconds = math.fsum(float(row["measured_seconds"] or 0.0) for row in cells.values())
    wall_seconds = math.fsum((turn.ended - turn.began).total_seconds() for turn in turns)
    spreads = {row["process_spread"] for row in rows if row["allocator"] == reference_allocator}
    widths = _half_widths(under(measured, reference_allocator))
    return Quality(
        cells=len(cells),
        rows=len(rows),
        outcomes=dict(sorted(Counter(str(row["outcome"]) for row in rows).items())),
        failures=[{name: str(row[name] or "") for name in _FAILURE} for row in failed],
        refused=_absences(rows, "refused"),
        unavailable=_absences(rows, "unavailable"),
        other_models=sorted({row.policy for row in measured if row.other_model}),
        readings=[reading for name in INSTRUMENTS if (reading := _reading(rows, name)) is not None],
        disagreements=[text for name in INSTRUMENTS for text in _disagreements(rows, name)],
        sentinel_drift=_spread(row["sentinel_drift"] for row in cells.values()),
        involuntary_switches=_spread(row["involuntary_switches"] for row in rows),
        measured_share=measured_seconds / wall_seconds if wall_seconds > 0 else 0.0,
        measured_seconds=measured_seconds,
        wall_seconds=wall_seconds,
        overlapping_cells=_overlaps(turns),
        processes=sorted({int(row["processes"]) for row in rows if isinstance(row["processes"], int | float)}),
        process_spread=max((float(one) for one in spreads if isinstance(one, int | float)), default=None),
        median_half_width=median(widths) if widths else 0.0,
        worst_half_width=max(widths, default=0.0),
        within_target=sum(width <= ratio_half_width for width in widths) / len(widths) if widths else 0.0,
        not_the_same=[
            f"{row.cell}, {row.policy}: {' and '.join(row.changes)} not within tolerance of none's"
            for row in measured
            if row.changes and not row.is_uncompared
        ],
        not_compared=[{"cell": row.cell, "policy": row.policy} for row in measured if row.is_uncompared],
        warnings=_warnings(cells)
        + [
            f"{row.policy} ran to its end where none did not: nothing shows that it computes the same (cell {row.cell})"
            for row in measured
            if row.is_uncompared
        ]
        + ([] if widths else ["no time ratio was measured, so no width is known"]),
        setting=_setting(rows),
        run=run(rows, visits),
    )


def _place(row: Mapping[str, Value]) -> tuple[str, str]:
    return str(row["cell"]), str(row["policy"])


def _setting(rows: Sequence[Mapping[str, Value]]) -> Setting:
    columns = {"devices": "device"} | {name: name for name in ("threads", "num_layers", "hidden_channels", "heads")}
    found = {name: {row[column] for row in rows} - {None, ""} for name, column in columns.items()}
    return Setting.model_validate({name: sorted(values, key=str) for name, values in found.items()})


def _absences(rows: Sequence[Mapping[str, Value]], outcome: str) -> list[Absence]:
    """Each policy and reason once, with the series and the number of cells that it concerns."""
    found: dict[tuple[str, str], list[Mapping[str, Value]]] = {}
    for row in sorted(rows, key=lambda row: (str(row["policy"]), str(row["cell"]))):
        if row["outcome"] == outcome:
            found.setdefault((str(row["policy"]), _NUMBER.sub("#", str(row["message"]))), []).append(row)
    return [
        Absence(
            policy=policy,
            convolutions=sorted({series(row) for row in absent}),
            cells=len(absent),
            reason=str(absent[0]["message"] or "no reason was recorded"),
        )
        for (policy, _), absent in found.items()
    ]


def _reading(rows: Sequence[Mapping[str, Value]], name: Instrument) -> Reading | None:
    """How one instrument compares with the allocator's events; None where it was never read."""
    read = [row for row in rows if row["outcome"] == "completed" and row[name] is not None]
    if not read:
        return None
    judged = [row for row in read if row[_verdict(name)] is not None]
    worst = max(judged, key=lambda row: (abs(_off(row, name)), *_place(row)), default=None)
    return Reading(
        instrument=name,
        read=len(read),
        judged=len(judged),
        agree=sum(row[_verdict(name)] is True for row in judged),
        median_difference=median(abs(_share_off(row, name)) for row in judged) if judged else None,
        worst_difference=None if worst is None else _share_off(worst, name),
        worst_bytes=None if worst is None else _off(worst, name),
        worst_at=f"{worst['cell']}, {worst['policy']}" if worst is not None and _off(worst, name) else "",
    )


def _disagreements(rows: Sequence[Mapping[str, Value]], name: Instrument) -> list[str]:
    return [
        f"{row['cell']}, {row['policy']}: {name} is {100 * _share_off(row, name):+.1f} % off activation_bytes"
        for row in sorted(rows, key=_place)
        if row["outcome"] == "completed" and row[_verdict(name)] is False
    ]


def _verdict(name: Instrument) -> str:
    return name.replace("_bytes", "_agrees")


def _off(row: Mapping[str, Value], name: Instrument) -> float:
    """How many bytes more than the allocator's events the instrument reads."""
    return float(row[name] or 0.0) - float(row["activation_bytes"] or 0.0)


def _share_off(row: Mapping[str, Value], name: Instrument) -> float:
    """The same as a share of the activation peak."""
    return _off(row, name) / (float(row["activation_bytes"] or 0.0) or 1.0)


def _spread(values: Iterable[Value]) -> Spread | None:
    found = [float(value) for value in values if isinstance(value, int | float)]
    return Spread(values=len(found), median=median(found), worst=max(found)) if found else None


def _half_widths(rows: Sequence[Row]) -> list[float]:
    """Half the interval of each time ratio as a share of the ratio."""
    return [
        (row.time_ratio_high - row.time_ratio_low) / 2 / row.time_ratio
        for row in rows
        if row.policy != "none"
        and row.time_ratio is not None
        and row.time_ratio_low is not None
        and row.time_ratio_high is not None
    ]


def _overlaps(turns: Sequence[Turn]) -> int:
    """The pairs of cells measured on one machine at the same time: none, if it was theirs alone."""
    found = 0
    for _, own in grouped([turn for turn in turns if turn.ended > turn.began], lambda turn: (turn.host,)):
        ends = sorted(turn.ended for turn in own)
        found += sum(place - bisect_right(ends, turn.began) for place, turn in enumerate(own))
    return found


def _warnings(cells: Mapping[str, Mapping[str, Value]]) -> list[str]:
    """Each kind of warning once, told by its first cell; a kind is a text but for its numbers."""
    found: dict[str, list[tuple[str, str]]] = {}
    for cell, row in sorted(cells.items()):
        for text in filter(None, str(row["warnings"] or "").split("; ")):
            found.setdefault(_NUMBER.sub("#", text), []).append((cell, text))
    return [
        f"{text} (cell {cell})" if len(alike) == 1 else f"{len(alike)} cells warn like {cell}: {text}"
        for alike in found.values()
        for cell, text in alike[:1]
    ]
