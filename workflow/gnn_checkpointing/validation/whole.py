"""Is everything there that the study asked for, under one name, and is the table what the records say?"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping

from gnn_checkpointing.collecting.rows import cell_rows, process_spreads, with_hosts
from gnn_checkpointing.measurement.host import differences
from gnn_checkpointing.records.measurements_table import COLUMNS, HOSTS, Value
from gnn_checkpointing.study.design import graph_cells
from gnn_checkpointing.study.graph_design import study_graphs
from gnn_checkpointing.validation.published import Measured

_TOLERANCE = 1e-9
"""Relative: medians and bootstrap intervals of the same numbers, by another version of a library."""


def names(found: Measured) -> Iterator[str]:
    """Yield where folder, study, machine and measurements are not of one name."""
    study, machine = found.study.name, found.machine.slug
    hardware_of = {record.hardware for record in found.records} | {str(row["hardware"]) for row in found.rows}
    study_of = {record.study for record in found.records} | {str(row["study"]) for row in found.rows}
    for kind, folder, own, measured in (
        ("study", found.folder.name, study, study_of),
        ("hardware", found.folder.parent.name, machine, hardware_of),
    ):
        if folder != own:
            yield f"{kind} {own} lies in a folder called {folder}; call it {own}"
        for other in sorted(measured - {own}):
            yield f"{kind} is {own}, but some measurements say {other}; they are another run's"


def cells(found: Measured) -> Iterator[str]:
    """Yield cells of the study that were not measured, measured ones that it does not have, and policies that lack."""
    asked = {cell.id for spec in study_graphs(found.study) for cell in graph_cells(found.study, spec)}
    # A cell may have been measured again later, as another visit; `visit` is missing in older records.
    visits = Counter((record.cell, getattr(record, "visit", 0)) for record in found.records)
    times = Counter({cell: count for (cell, _), count in sorted(visits.items(), key=lambda one: one[1])})
    yield from (f"cell {cell}: asked for by the study, and not measured" for cell in sorted(asked - times.keys()))
    yield from (f"cell {cell}: measured, and not the study's" for cell in sorted(times.keys() - asked))
    yield from (f"cell {cell}: {count} records of it" for cell, count in sorted(times.items()) if count > 1)
    for record in found.records:
        policies = [policy.policy for policy in record.policies]
        if policies != list(found.study.policies):
            yield f"cell {record.cell}: policies {', '.join(policies)}, but the study's are others"


def machines(found: Measured) -> Iterator[str]:
    """Yield processes that ran on another type of machine than the one that the report is of."""
    for record in found.records:
        for number, run in enumerate(record.runs, start=1):
            told = differences(run.host, found.machine.facts, found.study.measurement.device) if run.host else []
            if told:
                yield f"cell {record.cell}: process {number} ran on another type of machine: {'; '.join(told)}"


def table(found: Measured) -> Iterator[str]:
    """Yield rows of the table that the records do not say."""
    spreads = process_spreads(found.records)
    rows = [
        row for record in found.records for row in cell_rows(record, found.study.analysis, spreads[record.allocator])
    ]
    again = {_place(row): row for row in with_hosts(rows, found.records)}
    # Tables from before a column was there have nothing in it.
    compared = [column for column in COLUMNS if not column.new or any(row[column.name] for row in found.rows)]
    compared.append(HOSTS)
    given = {_place(row): row for row in found.rows}
    for place in sorted(again.keys() ^ given.keys(), key=str):
        yield f"measurements.csv: cell {place[0]}, policy {place[1]}: in the records or in the table, not in both"
    for place in sorted(again.keys() & given.keys(), key=str):
        for column in compared:
            if not _same(given[place][column.name], again[place].get(column.name)):
                yield (
                    f"measurements.csv: cell {place[0]}, policy {place[1]}: {column.name} is "
                    f"{given[place][column.name]!r}, the records say {again[place].get(column.name)!r}"
                )
    if given.keys() == again.keys() and list(given) != list(again):
        yield "measurements.csv: its rows are not in the order of the records"


def _place(row: Mapping[str, Value]) -> tuple[str, str, int]:
    return str(row["cell"]), str(row["policy"]), int(row.get("visit") or 0)


def _same(one: Value, other: Value) -> bool:
    if isinstance(one, float | int) and isinstance(other, float | int) and not isinstance(one, bool):
        return math.isclose(one, other, rel_tol=_TOLERANCE)
    return (one or None) == (other or None) or one == other
