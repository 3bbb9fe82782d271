"""The graphs: what each looks like, where it is from, and what was changed on the way."""

from __future__ import annotations

from gnn_checkpointing.graphs.structure import WEDGES
from gnn_checkpointing.records.graph_facts import GraphFacts, Provenance
from gnn_checkpointing.report.appendix import Texts
from gnn_checkpointing.report.inputs import ReportInputs
from gnn_checkpointing.sourced import sourced, square_root

_text = Texts("graphs")

PAIRS = sourced(WEDGES, "gnn_checkpointing/graphs/structure.py#/WEDGES")
ERROR = square_root(0.25 / (PAIRS * 1.0))
"""Of a share of so many pairs, at a half, where it is largest."""

MOST_ROWS = sourced(60, "gnn_checkpointing/report/sections/graphs.py#/MOST_ROWS")
"""A study of more graphs shows so many of them; `graphs.json` has all."""


def drawn_first(inputs: ReportInputs) -> list[GraphFacts]:
    """The graphs whose structure was counted; of replicates the first, since the others differ by chance."""
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


def source_of_graph(found: Provenance) -> str:
    """Where a graph is from, and under which licence."""
    return f"{found.source}; licence: {found.licence}"


def files_of(found: Provenance) -> str:
    """The files that it was read from, with the beginnings of their SHA-256."""
    return "; ".join(f"{name}: {digest[:12]}" for name, digest in found.files.items()) or "part of PyG"


def changes_of(graph: GraphFacts) -> str:
    """What was done to a graph between its files and the study."""
    return _text("changes", found=graph.provenance, num_features=graph.num_features)
