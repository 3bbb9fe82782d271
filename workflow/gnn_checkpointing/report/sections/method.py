"""How the study was measured: method, instrument, run, graphs, machine, data, and how to measure it again."""

from collections.abc import Mapping
from datetime import datetime
from itertools import starmap
from statistics import median
from typing import Any

from gnn_checkpointing.analysis.quality import turns_of
from gnn_checkpointing.graphs.graph import WEDGES
from gnn_checkpointing.measurement import readings
from gnn_checkpointing.packed import PACK
from gnn_checkpointing.records import measurements_table
from gnn_checkpointing.records.graph_facts import GraphFacts
from gnn_checkpointing.report import inputs as files
from gnn_checkpointing.report import units
from gnn_checkpointing.report.appendix import Texts
from gnn_checkpointing.report.figures.bars import Turn, gantt_panel, graphs_a_row
from gnn_checkpointing.report.figures.palette import kind_of
from gnn_checkpointing.report.inputs import MEASUREMENTS, ReportInputs
from gnn_checkpointing.report.page import Fact, Facts, Figure, Link, Links, Step, Steps, Table
from gnn_checkpointing.report.provenance import SET_UP, measuring_command, study_command
from gnn_checkpointing.sourced import counted_where, sourced, square_root
from gnn_checkpointing.study.own_model import own_name
from gnn_checkpointing.study.policy_names import POLICIES

_text = Texts("method")


def policy_kinds(inputs: ReportInputs) -> dict[str, str]:
    """Description of each kind of policy in the study."""
    return {kind: POLICIES[kind].words for kind in map(kind_of, ("none", *inputs.study.policies))}


def differing_models(inputs: ReportInputs) -> bool:
    """Whether models differ in layers or channels, or the study has a user's own module."""
    sizes = {(model.num_layers, model.hidden_channels) for model in inputs.effects.models}
    return inputs.study.architecture.module is not None or len(sizes) > 1


def model_facts(inputs: ReportInputs, several: bool) -> Facts:
    """Sizes that all models share, the parts of stacks and of a user's own model, and how they were measured."""
    architecture, own = inputs.study.architecture, {}
    if architecture.module is not None:
        own = {f"{own_name(architecture.module)} is built by": architecture.module}
        own |= {f"SHA-256 of {name}": sha256 for name, sha256 in architecture.files.items()}
    models = _text.names("models", several=several, architecture=architecture)
    measuring = _text.names("measuring", inputs=inputs, measuring=inputs.study.measurement)
    return Facts(tuple(Fact(name, value) for name, value in (models | own | measuring).items()))


def machine_facts(inputs: ReportInputs) -> Facts:
    """Facts about the machine, as written beside its records."""
    machine = inputs.machine
    return Facts((Fact("Machine", machine.label), Fact("Slug", machine.slug), *starmap(Fact, machine.facts.items())))


def redo_steps(inputs: ReportInputs) -> Steps:
    """Commands that reproduce this report."""
    commands = (f"{SET_UP}{study_command(inputs.study)} -n", measuring_command(inputs.study), "make test")
    return Steps(tuple(map(Step, _text.lines("steps"), commands)))


def links_to(notes: Mapping[str, str]) -> Links:
    """The files beside the report, each with its note."""
    return Links(
        tuple(
            Link(name, name, note) if name in files.PLAIN else Link(PACK, f"{name} in {PACK}", note)
            for name, note in notes.items()
        )
    )


_PER_MINUTE = 60.0
MOST_GRAPHS = 120
"""Maximum number of graphs in the table; of more, it shows those that took longest."""


def tolerated(name: str) -> float:
    """A tolerance of the readings or of the table of measurements, with its address."""
    module = readings if hasattr(readings, name) else measurements_table
    value: float = getattr(module, name)
    return sourced(value, f"{module.__name__.replace('.', '/')}.py#/{name}")


def demonstrated(inputs: ReportInputs) -> list[tuple[str, str, str, float | None]]:
    """Name and subject of each instrument, its reading of a step of known memory, and that / the exact value."""
    shown = inputs.demonstration
    assert shown is not None
    rows = []
    for line in _text.lines("instruments", shown=shown):
        name, of, field = line.split(" | ")
        value: int | None = getattr(shown, field)
        share = None if value is None else value / shown.exact_bytes if shown.exact_bytes else 0.0
        rows.append((name, of, "saw nothing" if value is None else units.size(value), share))
    return rows


def halves_table(inputs: ReportInputs) -> Table:
    """Table of the forward and backward shares of each policy's step time."""
    found: dict[str, list[tuple[float, float]]] = {policy: [] for policy in inputs.policies}
    for row in inputs.completed:
        forward, backward = (measurements_table.number(row, f"{half}_time_seconds") for half in ("forward", "backward"))
        if forward is not None and backward is not None and forward + backward > 0:
            found[str(row["policy"])].append((forward, backward))

    def timed(policy: str) -> int:
        conditions = (("policy", "=", policy), ("allocator", "=", inputs.reference), ("outcome", "=", "completed"))
        return counted_where(inputs.rows, *conditions, ("forward_time_seconds", ">", 0))

    def share(policy: str) -> float:
        return median(forward / (forward + backward) for forward, backward in found[policy])

    return _text.table(
        inputs,
        "table-halves",
        MEASUREMENTS,
        [policy for policy in found if found[policy]],
        timed=timed,
        share=share,
        rest=lambda policy: 1 - share(policy),
        quotient=lambda policy: median(backward / forward for forward, backward in found[policy] if forward > 0),
    )


def run_figure(inputs: ReportInputs, sentence: str) -> Figure:
    """Gantt chart of every turn at the machine; `sentence` sums it up."""
    graphs = [graph.graph for graph in inputs.quality.run.graphs] if inputs.quality.run else []
    turns = turns_of(inputs.rows)

    def minutes(moment: datetime) -> float:
        return (moment - turns[0].began).total_seconds() / _PER_MINUTE

    bars = [Turn(graphs.index(turn.graph), minutes(turn.began), minutes(turn.ended), turn.process) for turn in turns]
    shown = gantt_panel(bars, graphs, f"Gantt chart of the run: {sentence}")
    several, machines = graphs_a_row(len(graphs)), len({turn.host for turn in turns})
    known: dict[str, Any] = {"several": several, "run": inputs.quality.run, "machines": machines}
    return _text.figure("figure-run", MEASUREMENTS, [shown], size="wide", **known)


def longest(inputs: ReportInputs) -> list[Any]:
    """The graphs that took longest, in the order in which they were measured."""
    graphs = inputs.quality.run.graphs if inputs.quality.run else []
    chosen = sorted(graphs, key=lambda graph: graph.began_seconds - graph.ended_seconds)[:MOST_GRAPHS]
    return [graph for graph in graphs if graph in chosen]


PAIRS = sourced(WEDGES, "gnn_checkpointing/graphs/graph.py#/WEDGES")
ERROR = square_root(0.25 / (PAIRS * 1.0))
"""Standard error of a share that is estimated from PAIRS pairs, at one half, where it is largest."""

MOST_ROWS = sourced(60, "gnn_checkpointing/report/sections/method.py#/MOST_ROWS")
"""Maximum number of graphs that are shown; `graphs.json` has all."""


def drawn_first(inputs: ReportInputs) -> list[GraphFacts]:
    """Graphs whose structure was counted; only the first of replicates, since the others differ by chance."""
    return sorted((one for one in inputs.graphs if one.structure is not None and one.replicate == 0), key=_place)


def _place(graph: GraphFacts) -> tuple[object, ...]:
    made = graph.derivation
    return (
        graph.family == "real",
        made.base if made else graph.id if graph.family == "real" else "",
        made is not None,
        made.method if made else "",
        graph.family,
        graph.num_nodes if made is None else 0,
        made.size if made else graph.average_degree,
    )
