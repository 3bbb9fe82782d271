"""The graphs: what each looks like, where it is from, and what was changed on the way."""

from __future__ import annotations

import re

from gnn_checkpointing.graphs.structure import WEDGES
from gnn_checkpointing.records.graph_facts import GraphFacts, Provenance
from gnn_checkpointing.report import units
from gnn_checkpointing.report.inputs import GRAPHS, ReportInputs
from gnn_checkpointing.report.page import Section
from gnn_checkpointing.report.sections.parts import blocks
from gnn_checkpointing.report.texts import Texts
from gnn_checkpointing.sourced import counted_where, sourced, square_root

_text = Texts("graphs")

_WEDGES = sourced(WEDGES, "gnn_checkpointing/graphs/structure.py#/WEDGES")
_ERROR = square_root(0.25 / (_WEDGES * 1.0))
"""Of a share of so many pairs, at a half, where it is largest."""

_REPLICATE = re.compile(r", replicate \d+")

MOST_ROWS = sourced(60, "gnn_checkpointing/report/sections/graphs.py#/MOST_ROWS")
"""A study of more graphs shows so many of them; `graphs.json` has all."""


def graphs_section(inputs: ReportInputs) -> Section | None:
    """The study's graphs, None where their structure was not counted."""
    counted = [graph for graph in inputs.graphs if graph.structure is not None]
    if not counted:
        return None
    # Of replicates, the first: the others differ by chance.
    shown = sorted((graph for graph in counted if graph.replicate == 0), key=_place)
    number = counted_where(inputs.graphs, ("structure", "!=", ""))
    origins = {graph.id: graph for graph in shown if graph.provenance and not graph.derivation}.values()
    parts = blocks(
        _text("structure", wedges=_WEDGES, error=_ERROR, number=number, shown=len(shown), most=MOST_ROWS),
        _text.table(
            inputs, "table-graphs", GRAPHS, shown[:MOST_ROWS], label=lambda graph: without_replicate(graph.label)
        ),
        _text("real-graphs-are-read-from") if origins else None,
        _text.table(
            inputs,
            "table-origins",
            GRAPHS,
            origins,
            graphs=GRAPHS,
            licensed=lambda found: f"{found.source}; licence: {found.licence}",
            files_of=_files,
            changes=lambda graph: _changes(graph.provenance, graph.num_features),
        ),
    )
    return Section("graphs", "Graphs", parts)


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


def without_replicate(label: str) -> str:
    """A graph's label without the number of its draw, where only the first is shown."""
    return _REPLICATE.sub("", label)


def _files(found: Provenance) -> str:
    return "; ".join(f"{name}: {digest[:12]}" for name, digest in found.files.items()) or "part of PyG"


def _changes(found: Provenance, num_features: int) -> str:
    """What was done to a graph between its files and the study."""
    changes = []
    if found.projected_from is not None:
        before, after = units.count(found.projected_from), units.count(num_features)
        changes.append(f"{before} features projected to {after} with fixed random signs")
    for count, words in (
        (found.self_loops_removed, "self-loops removed"),
        (found.duplicates_removed, "doubled edges removed"),
        (found.reverses_added, "missing reverse edges added"),
    ):
        if count:
            changes.append(f"{units.count(count)} {words}")
    return "; ".join([*changes, *found.notes]) or "nothing"
