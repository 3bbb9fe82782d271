"""The graphs: what each looks like, where it is from, and what was changed on the way."""

from __future__ import annotations

import re

from gnn_checkpointing.graphs.structure import WEDGES
from gnn_checkpointing.records.graph_facts import GraphFacts, Provenance
from gnn_checkpointing.report import units
from gnn_checkpointing.report.inputs import GRAPHS, ReportInputs
from gnn_checkpointing.report.page import Block, Column, Paragraph, Section, Table
from gnn_checkpointing.report.texts import texts
from gnn_checkpointing.sourced import counted_where, sourced, square_root

_text = texts("graphs")

_WEDGES = sourced(WEDGES, "gnn_checkpointing/graphs/structure.py#/WEDGES")
_ERROR = square_root(0.25 / (_WEDGES * 1.0))
"""Of a share of so many pairs, at a half, where it is largest."""

_REPLICATE = re.compile(r", replicate \d+")

MOST_ROWS = sourced(60, "gnn_checkpointing/report/sections/graphs.py#/MOST_ROWS")
"""A study of more graphs shows so many of them; `graphs.json` has all."""


def graphs_section(inputs: ReportInputs) -> Section | None:
    """Return the section on the study's graphs, None where their structure was not counted."""
    counted = [graph for graph in inputs.graphs if graph.structure is not None]
    if not counted:
        return None
    # Of replicates, the first: the others differ by chance.
    shown = sorted((graph for graph in counted if graph.replicate == 0), key=_place)
    blocks: list[Block] = [
        Paragraph(
            "Degrees are in-degrees. Clustering is the average local clustering coefficient, sampled on "
            f"{units.count(_WEDGES)} pairs of neighbours (standard error at most {units.plain(_ERROR)}); homophily is "
            "the share of edges between labelled nodes that join equal labels." + _left_out(inputs, len(shown))
        ),
        _structure_table(shown[:MOST_ROWS]),
    ]
    origins = {graph.id: graph for graph in shown if graph.provenance and not graph.derivation}
    if origins:
        blocks += [
            Paragraph(_text("real-graphs-are-read-from")),
            _origin_table(list(origins.values())),
        ]
    return Section("graphs", "Graphs", tuple(blocks))


def _left_out(inputs: ReportInputs, shown: int) -> str:
    number = counted_where(inputs.graphs, ("structure", "!=", ""))
    if shown == number and shown <= MOST_ROWS:
        return ""
    rest = f", the first {units.count(MOST_ROWS)} of them" if shown > MOST_ROWS else ""
    return f" Of {units.count(number)} graphs, the first draw of each kind is shown{rest}."


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


def _structure_table(graphs: list[GraphFacts]) -> Table:
    return Table(
        id="table-graphs",
        caption="The graphs as they were realised.",
        columns=(
            Column("Graph", "", "prose"),
            Column("Nodes", "", "number"),
            Column("Edges", "", "number"),
            Column("Average degree", "", "number"),
            Column("Degree", "5 %", "number"),
            Column("Degree", "median", "number"),
            Column("Degree", "95 %", "number"),
            Column("Degree", "largest", "number"),
            Column("Clustering", "", "number"),
            Column("Homophily", "", "number"),
        ),
        rows=tuple(_structure_row(graph) for graph in graphs),
        source=GRAPHS,
    )


def without_replicate(label: str) -> str:
    """Return a graph's label without the number of its draw, where only the first is shown."""
    return _REPLICATE.sub("", label)


def _structure_row(graph: GraphFacts) -> tuple[str, ...]:
    found = graph.structure
    assert found is not None
    low, _, middle, _, high = found.degree_quantiles
    label = without_replicate(graph.label)
    return (
        label,
        units.count(graph.num_nodes),
        units.count(graph.num_edges),
        units.plain(graph.average_degree),
        *(units.count(degree) for degree in (low, middle, high, found.maximum_degree)),
        units.fixed(found.clustering, 3),
        units.NOTHING if found.homophily is None else units.fixed(found.homophily, 2),
    )


def _origin_table(graphs: list[GraphFacts]) -> Table:
    return Table(
        id="table-origins",
        caption=_text("table-origins", graphs=GRAPHS),
        columns=(
            Column("Graph", "", "prose"),
            Column("Source", "licence", "prose"),
            Column("Files", "", "prose"),
            Column("Changed", "", "prose"),
        ),
        rows=tuple(
            (
                graph.label,
                f"{found.source}; licence: {found.licence}",
                ("; ".join(f"{name}: {digest[:12]}" for name, digest in found.files.items()) or "part of PyG"),
                _changes(found, graph.num_features),
            )
            for graph in graphs
            if (found := graph.provenance) is not None
        ),
        source=GRAPHS,
    )


def _changes(found: Provenance, num_features: int) -> str:
    """Return what was done to a graph between its files and the study."""
    changes = []
    if found.projected_from is not None:
        changes.append(
            f"{units.count(found.projected_from)} features projected to {units.count(num_features)} with fixed random "
            "signs"
        )
    for count, words in (
        (found.self_loops_removed, "self-loops removed"),
        (found.duplicates_removed, "doubled edges removed"),
        (found.reverses_added, "missing reverse edges added"),
    ):
        if count:
            changes.append(f"{units.count(count)} {words}")
    return "; ".join([*changes, *found.notes]) or "nothing"
