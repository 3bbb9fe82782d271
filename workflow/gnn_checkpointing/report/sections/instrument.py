"""The instrument and the run: three readings of memory compared, what common tools would say, and who ran when."""

from __future__ import annotations

from datetime import datetime
from statistics import median

from gnn_checkpointing.analysis.turns import turns_of
from gnn_checkpointing.measurement import readings
from gnn_checkpointing.records.measurements_table import number
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figure import Figure, Panel
from gnn_checkpointing.report.figures.bars import Turn, drawn_turns, gantt_panel, graphs_a_row
from gnn_checkpointing.report.inputs import DEMONSTRATION, MEASUREMENTS, QUALITY, ReportInputs
from gnn_checkpointing.report.page import Note, Section, Table
from gnn_checkpointing.report.sections.parts import LISTED, Part, blocks
from gnn_checkpointing.report.texts import Texts
from gnn_checkpointing.sourced import counted, counted_where, sourced

_text = Texts("instrument")

_PER_MINUTE = 60.0
_MOST_GRAPHS = 120
"""Of the table: of more, those are told that took longest."""


def tolerated(name: str) -> float:
    """A tolerance of the readings with its address."""
    value: float = getattr(readings, name)
    return sourced(value, f"gnn_checkpointing/measurement/readings.py#/{name}")


def instrument_section(inputs: ReportInputs) -> Section:
    """What measured, and how far it can be trusted."""
    parts = blocks(_readings(inputs), _demonstration(inputs), _steadiness(inputs), _halves(inputs))
    return Section("instrument", "The instrument", parts)


def _readings(inputs: ReportInputs) -> list[Part]:
    quality = inputs.quality
    if not quality.readings:
        return [_text("memory-was-read-by-the")]
    device = "cuda" if "cuda" in quality.setting.devices else "cpu"
    names = _text.names("readings").get
    shown = _text.table(inputs, "table-readings", QUALITY, quality.readings, name_of=names)
    opening = _text(f"readings-on-{device}", tolerated=tolerated)
    found = quality.disagreements
    more = counted(found) - LISTED
    note = Note(_text("disagreements", found=found[:LISTED], more=more, file=QUALITY)) if found else None
    return [opening, shown, note]


def _demonstration(inputs: ReportInputs) -> list[Part]:
    """What a poll or the operating system would have said of a step whose memory is known."""
    shown = inputs.demonstration
    lines = [line.split(" | ") for line in _text.lines("instruments", shown=shown)]
    found = [(name, of, getattr(shown, field)) for name, of, field in lines]
    instruments = "five instruments" if len(found) == 5 else "four instruments"
    exact = shown.exact_bytes
    rows = [(name, of, value, None if value is None else value / exact if exact else 0.0) for name, of, value in found]
    return [
        _text("one-step-of-as-tell", shown=shown, instruments=instruments),
        _text.table(
            inputs,
            "table-demonstration",
            DEMONSTRATION,
            rows,
            instruments=instruments,
            seen=lambda row: "saw nothing" if row[2] is None else units.size(row[2]),
        ),
    ]


def _steadiness(inputs: ReportInputs) -> list[Part]:
    facts = _text.names("a-small-fixed-workload-is", quality=inputs.quality)
    return [_text("a-small-fixed-workload-is"), facts] if facts else []


def _halves(inputs: ReportInputs) -> Table:
    """How each policy's step is shared between forward and backward."""
    found = {policy: pairs for policy in inputs.policies if (pairs := _pairs(inputs, policy))}

    def timed(policy: str) -> int:
        conditions = (("policy", "=", policy), ("allocator", "=", inputs.reference), ("outcome", "=", "completed"))
        return counted_where(inputs.rows, *conditions, ("forward_time_seconds", ">", 0))

    def share(policy: str) -> float:
        return median(forward / (forward + backward) for forward, backward in found[policy])

    return _text.table(
        inputs,
        "table-halves",
        MEASUREMENTS,
        found,
        timed=timed,
        share=share,
        rest=lambda policy: 1 - share(policy),
        quotient=lambda policy: median(backward / forward for forward, backward in found[policy] if forward > 0),
    )


def _pairs(inputs: ReportInputs, policy: str) -> list[tuple[float, float]]:
    """Seconds of forward and of backward of every cell."""
    return [
        (forward, backward)
        for row in inputs.completed
        if row["policy"] == policy
        and (forward := number(row, "forward_time_seconds")) is not None
        and (backward := number(row, "backward_time_seconds")) is not None
        and forward + backward > 0
    ]


def run_section(inputs: ReportInputs) -> Section | None:
    """Every turn at the machine, None where nothing was measured."""
    run = inputs.quality.run
    if run is None:
        return None
    sentence = _text("turns-at-the-machine-in", run=run, quality=inputs.quality)
    turns = turns_of(inputs.rows)
    places = {graph.graph: place for place, graph in enumerate(run.graphs)}

    def minutes(moment: datetime) -> float:
        return (moment - turns[0].began).total_seconds() / _PER_MINUTE

    bars = [Turn(places[turn.graph], minutes(turn.began), minutes(turn.ended), turn.process) for turn in turns]
    told = f"Gantt chart of the run: {sentence}"
    drawn = drawn_turns(bars, [graph.graph for graph in run.graphs])
    panel = Panel("panel-run", "Turns at the machine", told, gantt_panel("panel-run", bars), drawn)
    several, machines = graphs_a_row(len(run.graphs)), len({turn.host for turn in turns})
    how = _text("figure-run-how-to-read", several=several, run=run, machines=machines)
    figure = Figure("figure-run", _text("figure-run"), how, (panel,), MEASUREMENTS, size="wide")
    longest = sorted(run.graphs, key=lambda graph: graph.began_seconds - graph.ended_seconds)[:_MOST_GRAPHS]
    names = {graph.graph for graph in longest}
    shown = _text.table(
        inputs,
        "table-run",
        QUALITY,
        [graph for graph in run.graphs if graph.graph in names],
        most=_MOST_GRAPHS,
        graphs=len(run.graphs),
        minutes=lambda seconds: units.fixed(seconds / _PER_MINUTE, 2),
    )
    return Section("run", "The run", blocks(sentence, figure, shown))
