"""One machine over time: results of each measurement of a study, kept beside the report, drawn once there are two."""

from collections.abc import Sequence
from functools import partial
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

from pydantic import Field, NonNegativeFloat, NonNegativeInt

from gnn_checkpointing.analysis.results import Estimate
from gnn_checkpointing.claims.ledger import Verdict
from gnn_checkpointing.records.record import Record, checked
from gnn_checkpointing.report import units
from gnn_checkpointing.report.appendix import Texts
from gnn_checkpointing.report.facts import Facts
from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.figures.lines import lines_over
from gnn_checkpointing.report.figures.palette import looks
from gnn_checkpointing.report.inputs import HISTORY, ReportInputs
from gnn_checkpointing.report.page import Figure, Table
from gnn_checkpointing.report.panels import Of
from gnn_checkpointing.report.sections.parts import line, points
from gnn_checkpointing.sourced import plain, sourced

_text = Texts("history")

BYTES = ("saved_activation_bytes", "transient_bytes", "peak_memory_bytes")
"""Columns that a repeated measurement of the same code must reproduce exactly."""


class Speed(Record):
    """Throughput of one convolution and policy at the densest timed level, and a digest of its bytes."""

    convolution: str
    policy: str
    nodes_per_second: NonNegativeFloat
    edges_per_second: NonNegativeFloat
    bytes: str = ""


class Repeat(Record):
    """Agreement of a measurement with the one before it: series of bytes, and the conclusions that both reached."""

    series: int
    same_bytes: int
    conclusions: int
    reversed: int
    unsettled: int
    moved: tuple[str, ...]


class Measured(Record):
    """One measurement of the study: its date, its commit, its throughputs, and the verdict on each claim."""

    measured_on: str = Field(pattern=r"^(\d{4}-\d{2}-\d{2})?$")
    started: str = ""
    commit: str
    cells: NonNegativeInt
    speeds: tuple[Speed, ...]
    verdicts: dict[str, Verdict] = Field({})
    repeats: Repeat | None = None


def read_history(path: Path) -> list[Measured]:
    """Measurements of a `history.json`; an empty list without the file. Raises Refusal if the file is malformed."""
    return checked(path, list[Measured], "restore the file, or delete it to begin again") if path.is_file() else []


def continued(before: Sequence[Measured], inputs: ReportInputs) -> list[Measured]:
    """History including this measurement, sorted by day; each pair of day and commit is listed once."""
    commit = inputs.machine.facts.get("commit", "")
    speeds = tuple(
        Speed(
            convolution=str(rate.convolution),
            policy=str(rate.policy),
            nodes_per_second=_rounded(rate.nodes_per_second),
            edges_per_second=_rounded(rate.edges_per_second),
            bytes=_digest(inputs, str(rate.convolution), str(rate.policy)),
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
    once = {(one.measured_on, one.commit): one for one in (*before, now)}
    found = sorted(once.values(), key=lambda one: (one.measured_on, one.started, one.commit))
    repeats = [None, *(_repeat(before, after) for before, after in pairwise(found))]
    return [one.model_copy(update={"repeats": repeat}) for one, repeat in zip(found, repeats, strict=True)]


def _rounded(throughput: Estimate | None) -> float:
    return float(f"{plain(throughput.estimate):.6g}") if throughput else 0.0


def _repeat(before: Measured, now: Measured) -> Repeat | None:
    """Comparison of a measurement with the earlier one; None if either has no verdicts."""
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


def known_of(history: Sequence[Measured]) -> list[Measured]:
    """The measurements, in which every number carries its address."""
    known: list[Measured] = sourced(list(history), f"{HISTORY}#")
    return known


def _convolutions(known: Sequence[Measured]) -> list[str]:
    return list(dict.fromkeys(speed.convolution for one in known for speed in one.speeds))


def _plain_training(one: Measured, convolution: str) -> float | None:
    own = (s.nodes_per_second for s in one.speeds if (s.convolution, s.policy) == (convolution, "none"))
    return next(own, None)


def spread(known: Sequence[Measured]) -> float | None:
    """Largest relative difference of plain training's throughput between measurements; None before the second."""
    own = ([speed for one in known if (speed := _plain_training(one, name))] for name in _convolutions(known))
    return max((max(speeds) / min(speeds) - 1 for speeds in own if len(speeds) > 1), default=None)


def throughput_figure(known: Sequence[Measured]) -> Figure | None:
    """Throughput of policy none at each measurement, a line for each convolution; None if it was never timed."""
    names = _convolutions(known)
    numbered = list(enumerate(known, start=1))
    lines = [
        line(name, [(place, _plain_training(one, name)) for place, one in numbered], lambda at: at[0], lambda at: at[1])
        for name in names
    ]
    every = points([lines])
    if not every:
        return None
    x = scales.step_scale([one.commit[:7] or one.measured_on for one in known], "commit, or day")
    y = scales.count_scale([point.y for point in every], "nodes per second")
    shown = lines_over("Plain training", lines, looks(names), x, y, names="convolution")
    return _text.figure("figure-history", HISTORY, [shown])


def measured_table(inputs: ReportInputs, known: Sequence[Measured]) -> Table:
    """Table of every measurement, with the throughput of policy none for each convolution."""
    speeds = (
        Of(name, partial(_plain_training, convolution=name), units.significant, "nodes per second")
        for name in _convolutions(known)
    )
    return _text.table(inputs, "table-history", HISTORY, known, *speeds)


def moved(one: Measured) -> str:
    """The conclusions that changed since the measurement before."""
    return ", ".join(one.repeats.moved) if one.repeats else ""
