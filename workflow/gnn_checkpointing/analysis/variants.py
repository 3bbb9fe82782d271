"""Does the answer change with the graph's family, with a real graph's density, with the batch?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

import numpy as np

from gnn_checkpointing.analysis.effects import drawing, effect, labels_of
from gnn_checkpointing.analysis.results import BatchEffect, Effect, FamilyEffect, GradedEffect, Variants
from gnn_checkpointing.analysis.table import Key, Row, comparable, grouped, policy_order

GRADINGS = ("thinned", "capped", "two_hop")
SAMPLERS = ("neighbours", "clusters")
PREFERRED_REFERENCE = "erdos_renyi"

Averaging = Callable[[str, Sequence[Row]], Effect]


def variants(rows: Sequence[Row], confidence: float, resamples: int, generator: np.random.Generator) -> Variants:
    """Return the effects per family, per graded real graph and per batch size, each where there are at least two."""
    paired = [row for row in comparable(rows) if row.policy != "none" and row.activation_ratio is not None]

    def averaged(level: str, cells: Sequence[Row]) -> Effect:
        return effect(level, cells, confidence, drawing(resamples, generator))

    reference, families = _families([row for row in paired if row.is_drawn], averaged)
    return Variants(
        reference_family=reference,
        families=families,
        graded=_graded(paired, averaged),
        batches=_batches([row for row in comparable(rows) if row.activation_ratio is not None], averaged),
    )


def _families(rows: Sequence[Row], averaged: Averaging) -> tuple[str | None, list[FamilyEffect]]:
    """Return the family that the others are compared with, and every family's effects where it was measured, too."""
    names = list(dict.fromkeys(row.family for row in sorted(rows, key=lambda row: row.family)))
    if len(names) < 2:
        return None, []
    reference = PREFERRED_REFERENCE if PREFERRED_REFERENCE in names else names[0]
    found: dict[tuple[object, ...], Effect] = {}
    for key, cells in _grouped(
        rows, lambda row: (row.convolution, row.policy, row.num_nodes, row.requested_average_degree, row.family)
    ):
        found[key] = averaged(f"{key[3]:g}", cells)
    return reference, [
        FamilyEffect(
            **_fields(each),
            family=str(key[4]),
            num_nodes=int(str(key[2])),
            activation_over_reference=each.activation_ratio.over(base.activation_ratio),
            time_over_reference=None
            if each.time_ratio is None or base.time_ratio is None
            else each.time_ratio.over(base.time_ratio),
        )
        for key, each in found.items()
        if (base := found.get((*key[:4], reference))) is not None
    ]


def _graded(rows: Sequence[Row], averaged: Averaging) -> list[GradedEffect]:
    """Return the effects on graded real graphs, the graph itself among them."""
    bases = {row.base for row in rows if row.derivation in GRADINGS}
    chosen = [row for row in rows if row.derivation in GRADINGS or (row.is_real and row.graph in bases)]
    labels = labels_of([row for row in rows if row.is_real])
    return [
        GradedEffect(
            **_fields(averaged(_size(cells[0]), cells)),
            base=labels.get(cells[0].base or cells[0].graph, cells[0].base_label),
            method=cells[0].derivation or "",
        )
        for _, cells in _grouped(
            chosen,
            lambda row: (row.convolution, row.policy, row.base or row.graph, row.derivation or "", row.average_degree),
        )
    ]


def _batches(rows: Sequence[Row], averaged: Averaging) -> list[BatchEffect]:
    """Return the effects on batches, several of one size together, and on the graphs they are from; none's, too."""
    bases = {row.base for row in rows if row.derivation in SAMPLERS}
    chosen = [row for row in rows if row.derivation in SAMPLERS or (not row.derivation and row.graph in bases)]
    labels = labels_of([row for row in rows if row.graph in bases])
    found = []
    for _, cells in _grouped(
        chosen,
        lambda row: (
            row.convolution,
            row.policy,
            row.base or row.graph,
            row.derivation or "",
            row.derivation_size or 0.0,
        ),
    ):
        first = cells[0]
        found.append(
            BatchEffect(
                **_fields(averaged(_size(first), cells)),
                base=labels.get(first.base or first.graph, first.base_label),
                sampler=first.derivation or "",
                size=first.derivation_size,
                num_nodes=float(median(row.num_nodes for row in cells)),
                num_edges=float(median(row.num_edges for row in cells)),
                training_nodes=float(median(row.training_nodes or 0 for row in cells)),
                nodes_per_second=_rate(cells, lambda row: row.training_nodes or 0),
                edges_per_second=_rate(cells, lambda row: row.num_edges),
            )
        )
    return found


def _rate(cells: Sequence[Row], count: Callable[[Row], int]) -> float | None:
    """Return the median of a count divided by the step's time, None where no cell was timed."""
    rates = [count(row) / row.step_time_seconds for row in cells if row.step_time_seconds]
    return float(median(rates)) if rates else None


def _size(row: Row) -> str:
    return f"{row.derivation} {row.derivation_size:g}" if row.derivation else "whole"


def _fields(found: Effect) -> dict[str, Any]:
    return {name: getattr(found, name) for name in Effect.model_fields}


def _grouped(rows: Sequence[Row], key: Callable[[Row], Key]) -> list[tuple[Key, list[Row]]]:
    """Return the rows by `key`, in the order of convolutions and policies, sparse before dense."""
    ordered = sorted(
        rows,
        key=lambda row: (
            row.convolution,
            policy_order(row.policy),
            (row.base or row.graph) if not row.is_drawn or row.derivation else "",
            row.derivation or "",
            row.num_nodes if row.is_drawn else 0,
            row.derivation_size or row.average_degree,
            row.family,
            row.graph,
        ),
    )
    return grouped(ordered, key)
