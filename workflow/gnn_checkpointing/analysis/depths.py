"""What each policy needs as models get deeper, and which models a study has."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import numpy as np

from gnn_checkpointing.analysis.effects import Draw, drawing, mean_bytes, mean_time
from gnn_checkpointing.analysis.results import DepthPoint, Depths, StudyModel
from gnn_checkpointing.analysis.table import Row, grouped, policy_order


def depths(rows: Sequence[Row], confidence: float, resamples: int, generator: np.random.Generator) -> Depths:
    """Return every model, and a point for each policy, depth and level where a stack has several depths.

    Of policies that train another model, too: what they need is compared with none's, what they compute is not.
    """
    measured = [row for row in rows if not row.changes and row.is_drawn]
    several = {
        stack for stack in {row.stack for row in measured} if len({row.num_layers for row in of(measured, stack)}) > 1
    }
    ordered = sorted(
        (row for row in measured if row.stack in several),
        key=lambda row: (
            row.stack,
            policy_order(row.policy),
            row.num_nodes,
            row.requested_average_degree or 0.0,
            row.num_layers,
            row.graph,
        ),
    )
    return Depths(
        confidence=confidence,
        models=_models(rows),
        points=[
            _point(cells, confidence, drawing(resamples, generator))
            for _, cells in grouped(
                ordered,
                lambda row: (row.stack, row.policy, row.num_nodes, row.requested_average_degree, row.num_layers),
            )
        ],
    )


def of(rows: Sequence[Row], stack: str) -> list[Row]:
    """Return the rows of one stack, at whatever depth."""
    return [row for row in rows if row.stack == stack]


def _point(cells: Sequence[Row], confidence: float, draw: Draw) -> DepthPoint:
    first = cells[0]
    paired = [row for row in cells if row.activation_ratio is not None]
    timed = [row for row in paired if row.time_ratio is not None]
    return DepthPoint(
        stack=first.stack,
        policy=first.policy,
        other_model=bool(first.other_model),
        level=f"{first.requested_average_degree:g}",
        num_nodes=first.num_nodes,
        num_layers=first.num_layers,
        cells=len(cells),
        activation_bytes=median(row.activation_bytes for row in cells),
        saved_activation_bytes=median(row.saved_activation_bytes for row in cells),
        memory_ratio=mean_bytes(paired, "memory_ratio", confidence, draw) if paired else None,
        activation_ratio=mean_bytes(paired, "activation_ratio", confidence, draw) if paired else None,
        time_ratio=mean_time(timed, confidence, draw) if timed else None,
    )


def _models(rows: Sequence[Row]) -> list[StudyModel]:
    """Return each series' model, shallow before deep; a model that a policy takes for itself is not counted."""
    found: dict[str, Row] = {}
    for row in sorted(rows, key=lambda row: (row.stack, row.num_layers, row.convolution, policy_order(row.policy))):
        if not row.other_model:
            found.setdefault(row.convolution, row)
    return [
        StudyModel(
            convolution=name,
            num_layers=row.num_layers,
            hidden_channels=row.hidden_channels,
            heads=row.heads,
            parameters=row.parameters,
        )
        for name, row in found.items()
    ]
