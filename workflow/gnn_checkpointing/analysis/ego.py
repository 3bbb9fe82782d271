"""What training needs where graphs bring their ego networks with them, beside the graphs as they are."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from gnn_checkpointing.analysis.results import Ego, EgoPoint
from gnn_checkpointing.analysis.table import Row, comparable, grouped, policy_order
from gnn_checkpointing.records.encodings import EncodingCost

FORMS = ("encodings", "ego_networks")


def ego(rows: Sequence[Row], costs: Sequence[EncodingCost]) -> Ego:
    """Return a point for each policy and input, of graphs of one density together, and the costs as they were found."""
    shown = comparable(rows)
    bases = {row.base for row in shown if row.derivation in FORMS}
    chosen = [row for row in shown if row.derivation in FORMS or (not row.derivation and row.graph in bases)]
    degrees = {row.graph: row.requested_average_degree or row.average_degree for row in rows if row.graph in bases}
    ordered = sorted(
        (row for row in chosen if (row.base or row.graph) in degrees),
        key=lambda row: (
            row.convolution,
            policy_order(row.policy),
            _place(row, degrees),
            row.derivation or "",
            row.derivation_size or 0.0,
            row.graph,
        ),
    )
    return Ego(
        points=[
            _point(cells, degrees)
            for _, cells in grouped(
                ordered,
                lambda row: (
                    row.convolution,
                    row.policy,
                    _place(row, degrees),
                    row.derivation or "",
                    row.derivation_size or 0.0,
                ),
            )
        ],
        costs=list(costs),
    )


def _place(row: Row, degrees: dict[str, float]) -> tuple[float, str]:
    """Return the density of the row's base, and its name where it is a real graph: these are not averaged."""
    base = row.base or row.graph
    return degrees[base], base if row.family == "real" else row.family


def _point(cells: Sequence[Row], degrees: dict[str, float]) -> EgoPoint:
    first = cells[0]
    timed = [row.step_time_seconds for row in cells if row.step_time_seconds]
    return EgoPoint(
        convolution=first.convolution,
        policy=first.policy,
        base=(first.base_label or first.graph_label) if first.family == "real" else first.family,
        degree=_place(first, degrees)[0],
        form=first.derivation or "",
        radius=first.derivation_size,
        num_nodes=float(median(row.num_nodes for row in cells)),
        num_edges=float(median(row.num_edges for row in cells)),
        num_features=first.num_features,
        peak_memory_bytes=median(row.resident_bytes + row.activation_bytes for row in cells),
        activation_bytes=median(row.activation_bytes for row in cells),
        step_time_seconds=median(timed) if timed else None,
    )
