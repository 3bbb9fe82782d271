"""Changed tables: a row that did not complete, a replaced field, repeated cells, another law of bytes."""

from collections.abc import Callable, Sequence

import numpy as np

from gnn_checkpointing.records.measurements_table import COLUMNS, Value

from .rows import Table

RATIOS = ("memory_ratio", "activation_ratio", "time_ratio", "time_ratio_low", "time_ratio_high")
TIMES = (
    *(f"{part}_time_seconds" for part in ("step", "forward", "backward", "cpu", "system")),
    *("page_faults", "involuntary_switches", "warm_up_seconds", "nodes_per_second", "edges_per_second"),
    *("rounds", "processes", "process_spread", *RATIOS[2:]),
)
STAMPS = ("started", "ended", "again_started", "again_ended")
SHIFTED = ("step_time_seconds", "time_ratio", "time_ratio_low", "time_ratio_high")


def emptied() -> dict[str, Value]:
    """Fields that are empty in a row that did not complete."""
    return (
        {
            column.name: None
            for column in COLUMNS
            if column.unit in ("bytes", "seconds") and column.name not in ("measured_seconds", "memory_limit_bytes")
        }
        | dict.fromkeys(RATIOS)
        | dict.fromkeys(("same_loss", "same_gradients", "same_buffers"))
    )


def without(rows: Table, cell: str, policy: str, outcome: str, message: str = "") -> Table:
    """The table with one row that did not complete: its numbers are empty, as the collector leaves them."""
    change = {**emptied(), "outcome": outcome, "message": message}
    lost_reference = dict.fromkeys(RATIOS) if policy == "none" else {}
    return [
        {**row, **change}
        if (row["cell"], row["policy"]) == (cell, policy)
        else {**row, **(lost_reference if row["cell"] == cell else {})}
        for row in rows
    ]


def changed(rows: Table, cell: str, policy: str, /, **values: Value) -> Table:
    return [{**row, **values} if (row["cell"], row["policy"]) == (cell, policy) else row for row in rows]


def with_visits(rows: Table, graphs: Sequence[str], *, visits: int = 2, deviation: float = 0.05) -> Table:
    """The table with its `graphs` measured again on a later day; times and time ratios deviate by `deviation`.

    Other numbers of a visit are far from the first ones, so that a test notices if a reader counts them.
    """
    generator = np.random.default_rng(9)
    found = list(rows)
    for visit in range(1, visits + 1):
        for row in rows:
            if row["graph"] not in graphs or row["outcome"] != "completed":
                continue
            off = float(np.exp(deviation * generator.standard_normal()))
            stamps = dict.fromkeys(STAMPS, f"2026-02-05T0{visit}:00:00+00:00")
            times = {name: float(row[name]) * off for name in SHIFTED if isinstance(row[name], int | float)}
            worse = {"activation_bytes": 2 * int(row["activation_bytes"] or 0), "warnings": "visited", "rounds": 99}
            found.append({**row, **stamps, **times, **worse, "visit": visit, "high_water_agrees": False})
    return found


def with_bytes(rows: Table, convolution: str, policy: str, law: Callable[[float, float, float], float]) -> Table:
    """The table with one policy's activation bytes computed by `law(num_nodes, num_edges, edges_at_once)`."""

    def bytes_of(row: dict[str, object]) -> int:
        return round(law(*(float(str(row[name])) for name in ("num_nodes", "num_edges", "edges_at_once"))))

    return [
        {**row, "activation_bytes": bytes_of(dict(row))}
        if (row["convolution"], row["policy"]) == (convolution, policy)
        else row
        for row in rows
    ]
