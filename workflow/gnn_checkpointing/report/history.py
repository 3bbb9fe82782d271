"""One machine over time: what each measurement of a study gave, kept beside the report and drawn once there are two."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from gnn_checkpointing.artefacts import read_json
from gnn_checkpointing.refusal import Refusal
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


class Speed(BaseModel):
    """The throughput of one convolution and policy on the densest graphs that were timed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    convolution: str
    policy: str
    nodes_per_second: float
    edges_per_second: float


class Measured(BaseModel):
    """One measurement of the study: its day, the commit that measured, and how fast it was."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    measured_on: str
    commit: str
    cells: int
    speeds: tuple[Speed, ...]


_FORM = TypeAdapter(list[Measured])


def read_history(path: Path) -> list[Measured]:
    """The measurements of a `history.json`; none where there is no such file. Refuses one of another form."""
    if not path.is_file():
        return []
    try:
        return _FORM.validate_python(read_json(path))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise Refusal(f"{path}: field {place}: {first['msg']}; restore the file, or delete it to begin again") from None


def continued(before: Sequence[Measured], inputs: ReportInputs) -> list[Measured]:
    """The history with this measurement in it, by day; a day and commit are listed once."""
    commit = next((fact.value for fact in inputs.machine.facts if fact.name == "commit"), "")
    speeds = tuple(
        Speed(
            convolution=str(rate.point.convolution),
            policy=str(rate.point.policy),
            nodes_per_second=float(f"{plain(rate.nodes):.6g}"),
            edges_per_second=float(f"{plain(rate.edges):.6g}"),
        )
        for rate in Facts(inputs).rates()
    )
    now = Measured(measured_on=inputs.measured_on, commit=commit, cells=plain(inputs.quality.cells), speeds=speeds)
    kept = [one for one in before if (one.measured_on, one.commit) != (now.measured_on, now.commit)]
    return sorted([*kept, now], key=lambda one: (one.measured_on, one.commit))


def history_section(history: Sequence[Measured]) -> Section | None:
    """Throughput of plain training at each measurement, drawn and tabled; None where there is one measurement."""
    if len(history) < 2:
        return None
    known: list[Measured] = sourced(list(history), f"{HISTORY}#")
    names = list(dict.fromkeys(speed.convolution for one in known for speed in one.speeds))
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
    words = Paragraph("The same study, measured more than once on this machine: nodes per second of plain training.")
    return Section("history", "Measured more than once", (words, *_figure(known, lines), _table(known, names)))


def _plain_training(one: Measured, convolution: str) -> float | None:
    own = (s.nodes_per_second for s in one.speeds if (s.convolution, s.policy) == (convolution, "none"))
    return next(own, None)


def _figure(known: Sequence[Measured], lines: Sequence[Line]) -> list[Figure]:
    values = [point.y for line in lines for point in line.points]
    if not values:
        return []
    x = scales.step_scale([f"{one.measured_on} {one.commit[:7]}".strip() for one in known], "measurement")
    y = scales.count_scale(values, "nodes per second")
    shown = lines_over("Plain training", lines, looks([line.policy for line in lines]), x, y, names="convolution")
    return [
        figure(
            "figure-history",
            "Throughput of plain training on the densest graphs, measurement by measurement.",
            "One line per convolution; the measurements follow each other from left to right.",
            HISTORY,
            [shown],
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
