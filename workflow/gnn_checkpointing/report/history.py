"""One machine over time: what each measurement of a study gave, kept beside the report and drawn once there are two."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

from pydantic import Field

from gnn_checkpointing.claims.ledger import Verdict
from gnn_checkpointing.records.record import Record, checked
from gnn_checkpointing.report import units
from gnn_checkpointing.report.facts import Facts
from gnn_checkpointing.report.figure import Figure
from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.figures.lines import Line, Point
from gnn_checkpointing.report.figures.palette import looks
from gnn_checkpointing.report.inputs import HISTORY, ReportInputs
from gnn_checkpointing.report.page import Paragraph, Section, Table
from gnn_checkpointing.report.panels import Of, figure, lines_over, table
from gnn_checkpointing.sourced import plain, sourced

BYTES = ("saved_activation_bytes", "transient_bytes", "peak_memory_bytes")
"""Columns that another measurement of the same code must repeat to the byte."""


class Speed(Record):
    """The throughput of one convolution and policy on the densest graphs that were timed, and a digest of its bytes."""

    convolution: str
    policy: str
    nodes_per_second: float
    edges_per_second: float
    bytes: str = ""


class Repeat(Record):
    """What a measurement repeats of the one before it: series of bytes, and the conclusions that both came to."""

    series: int
    same_bytes: int
    conclusions: int
    reversed: int
    unsettled: int
    moved: tuple[str, ...]


class Measured(Record):
    """One measurement of the study: when, by which commit, how fast it was, and what each conclusion was."""

    measured_on: str
    started: str = ""
    commit: str
    cells: int
    speeds: tuple[Speed, ...]
    verdicts: dict[str, Verdict] = Field({})
    repeats: Repeat | None = None


def read_history(path: Path) -> list[Measured]:
    """The measurements of a `history.json`; none where there is no such file. Refuses one of another form."""
    return checked(path, list[Measured], "restore the file, or delete it to begin again") if path.is_file() else []


def continued(before: Sequence[Measured], inputs: ReportInputs) -> list[Measured]:
    """The history with this measurement in it, by day; a day and commit are listed once."""
    commit = next((fact.value for fact in inputs.machine.facts if fact.name == "commit"), "")
    speeds = tuple(
        Speed(
            convolution=str(rate.point.convolution),
            policy=str(rate.point.policy),
            nodes_per_second=float(f"{plain(rate.nodes):.6g}"),
            edges_per_second=float(f"{plain(rate.edges):.6g}"),
            bytes=_digest(inputs, str(rate.point.convolution), str(rate.point.policy)),
        )
        for rate in Facts(inputs).rates()
    )
    now = Measured(
        measured_on=inputs.measured_on,
        started=min((str(row["started"] or "") for row in inputs.rows), default=""),
        commit=commit,
        cells=plain(inputs.quality.cells),
        speeds=speeds,
        verdicts={claim.id: claim.verdict for claim in inputs.ledger.claims if claim.verdict != "untested"},
    )
    kept = [one for one in before if (one.measured_on, one.commit) != (now.measured_on, now.commit)]
    found = sorted([*kept, now], key=lambda one: (one.measured_on, one.started, one.commit))
    repeats = [None, *(_repeat(before, after) for before, after in pairwise(found))]
    return [one.model_copy(update={"repeats": repeat}) for one, repeat in zip(found, repeats, strict=True)]


def _repeat(before: Measured, now: Measured) -> Repeat | None:
    """The later measurement beside the earlier one; None where the earlier kept no conclusions."""
    if not (before.verdicts and now.verdicts):
        return None
    old, new = ({(one.convolution, one.policy): one.bytes for one in run.speeds} for run in (before, now))
    series, both = old.keys() & new.keys(), before.verdicts.keys() & now.verdicts.keys()
    moved = {claim: {before.verdicts[claim], now.verdicts[claim]} for claim in sorted(both)}
    moved = {claim: verdicts for claim, verdicts in moved.items() if len(verdicts) == 2}
    turned = sum(verdicts == {"supported", "refuted"} for verdicts in moved.values())
    return Repeat(
        series=len(series),
        same_bytes=sum(old[key] == new[key] for key in series),
        conclusions=len(both),
        reversed=turned,
        unsettled=len(moved) - turned,
        moved=tuple(moved),
    )


def _digest(inputs: ReportInputs, convolution: str, policy: str) -> str:
    rows = (row for row in inputs.completed if (row["convolution"], row["policy"]) == (convolution, policy))
    readings = sorted(f"{row['cell']} {[plain(row[column]) for column in BYTES]}" for row in rows)
    return sha256("\n".join(readings).encode()).hexdigest()[:16]


def history_section(history: Sequence[Measured]) -> Section | None:
    """Throughput of plain training at each measurement, drawn and tabled; None where there is one measurement."""
    if len(history) < 2:
        return None
    known: list[Measured] = sourced(list(history), f"{HISTORY}#")
    names = list(dict.fromkeys(speed.convolution for one in known for speed in one.speeds))
    words = Paragraph("The same study, measured more than once on this machine: nodes per second of plain training.")
    blocks = (words, *_figure(known, names), _table(known, names), *_repeats(known))
    return Section("history", "Measured more than once", blocks)


def _plain_training(one: Measured, convolution: str) -> float | None:
    own = (s.nodes_per_second for s in one.speeds if (s.convolution, s.policy) == (convolution, "none"))
    return next(own, None)


def _figure(known: Sequence[Measured], names: Sequence[str]) -> list[Figure]:
    lines = [
        Line(
            name,
            tuple(
                Point(place, value, value, value)
                for place, one in enumerate(known, start=1)
                if (value := _plain_training(one, name)) is not None
            ),
        )
        for name in names
    ]
    shown = [line for line in lines if line.points]
    if not shown:
        return []
    days = [f"{one.measured_on} {one.commit[:7]}".strip() for one in known]
    x = scales.step_scale(days, "measurement")
    y = scales.count_scale([point.y for line in shown for point in line.points], "nodes per second")
    return [
        figure(
            "figure-history",
            "Throughput of plain training on the densest graphs, measurement by measurement.",
            "One line per convolution; the measurements follow each other from left to right.",
            HISTORY,
            [lines_over("Plain training", shown, looks(list(names)), x, y, names="convolution")],
        )
    ]


def _table(known: Sequence[Measured], names: Sequence[str]) -> Table:
    return table(
        "table-history",
        "Every measurement of this study on this machine.",
        HISTORY,
        known,
        Of("Measured on", "measured_on"),
        Of("Commit", "commit"),
        Of("Cells", "cells", units.count),
        *(
            Of(name, partial(_plain_training, convolution=name), units.significant, "nodes per second")
            for name in names
        ),
    )


def _repeats(known: Sequence[Measured]) -> list[Paragraph | Table]:
    """Each measurement beside the one before it, where both kept their conclusions."""
    compared = [(one, one.repeats) for one in known if one.repeats]
    if not compared:
        return []
    words = Paragraph(
        "The same code on the same machine should read the same bytes, and no conclusion should change from supported "
        "to refuted or back. Each row compares a measurement with the one before it."
    )
    shown = table(
        "table-repeats",
        "What each measurement repeats of the one before it.",
        HISTORY,
        compared,
        Of("Measured on", lambda pair: pair[0].measured_on),
        Of("Commit", lambda pair: pair[0].commit),
        Of("Series of bytes", lambda pair: pair[1].series, units.count, "convolution and policy"),
        Of("Identical", lambda pair: pair[1].same_bytes, units.count),
        Of("Conclusions", lambda pair: pair[1].conclusions, units.count),
        Of("Reversed", lambda pair: pair[1].reversed, units.count),
        Of("To or from inconclusive", lambda pair: pair[1].unsettled, units.count),
        Of("Which", lambda pair: ", ".join(pair[1].moved), content="prose"),
    )
    return [words, shown]
