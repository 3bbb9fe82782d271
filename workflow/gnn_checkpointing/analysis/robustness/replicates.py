"""How much independent draws of one size, density and family differ."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gnn_checkpointing.analysis.fitting import ROUNDING, WEIGHTS
from gnn_checkpointing.analysis.results import ReplicateSpread, Response
from gnn_checkpointing.analysis.support import answering, observed
from gnn_checkpointing.analysis.table import Row, grouped
from gnn_checkpointing.analysis.tolerance import first_greatest


def replicates(rows: Sequence[Row]) -> tuple[list[ReplicateSpread], list[str]]:
    """Return the relative standard deviation between draws of each response, and what could not be tried and why."""
    groups = grouped(
        rows, lambda row: (row.convolution, row.policy, row.family, row.num_nodes, row.requested_average_degree)
    )
    places = [cells for _, cells in groups if len(cells) > 1]
    if not places:
        return [], ["The spread between draws is not tried: no size, degree and family was drawn twice."]
    found: list[ReplicateSpread] = []
    missing: list[str] = []
    for response in WEIGHTS:
        spreads = _spreads(places, response)
        if not spreads:
            missing.append(f"The spread of {response} between draws is not tried: no place has two values.")
            continue
        worst, worst_at = spreads[first_greatest([spread for spread, _ in spreads], nothing=ROUNDING)]
        found.append(
            ReplicateSpread(
                response=response,
                places=len(spreads),
                median=float(np.median([spread for spread, _ in spreads])),
                worst=worst,
                worst_at=worst_at,
            )
        )
    return found, missing


def _spreads(places: Sequence[Sequence[Row]], response: Response) -> list[tuple[float, str]]:
    """Return the spread of each place that has more than one value above 0, and the place's name."""
    found = []
    for cells in places:
        values = observed(answering(cells, response), response)
        if len(values) > 1 and values.mean() > 0:
            found.append((float(values.std(ddof=1) / values.mean()), _name(cells[0])))
    return found


def _name(row: Row) -> str:
    return (
        f"{row.convolution}, {row.policy}, {row.family} of {row.num_nodes} nodes, "
        f"degree {row.requested_average_degree:g}"
    )
