"""Does the family of a graph move a ratio, and by how much do independent draws of one family differ?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from statsmodels.regression.linear_model import OLS

from gnn_checkpointing.analysis.fitting import ROUNDING, WEIGHTS
from gnn_checkpointing.analysis.results import FamilyFactor, Quantity, ReplicateSpread, Response
from gnn_checkpointing.analysis.support import answering, observed
from gnn_checkpointing.analysis.table import Row, grouped
from gnn_checkpointing.analysis.tolerance import first_greatest, rank

Floats = NDArray[np.float64]
QUANTITIES: tuple[Quantity, ...] = ("activation_ratio", "time_ratio")


def families(rows: Sequence[Row]) -> tuple[list[FamilyFactor], list[str]]:
    """The family's share in every policy's ratios, and what could not be tried and why."""
    paired = [row for row in rows if row.policy != "none" and row.activation_ratio is not None]
    if len({row.family for row in paired}) < 2:
        return [], [f"The family as a factor is not tried: {_why_none(paired)}."]
    found: list[FamilyFactor] = []
    missing: list[str] = []
    for (convolution, policy), cells in grouped(paired, lambda row: (row.convolution, row.policy)):
        for quantity in QUANTITIES:
            answer = _factor([row for row in cells if getattr(row, quantity) is not None], quantity)
            if isinstance(answer, str):
                missing.append(f"{convolution}, {policy}: the family as a factor of {quantity} is not tried: {answer}.")
            else:
                found.append(answer)
    return found, missing


def _why_none(paired: Sequence[Row]) -> str:
    if not paired:
        return "no policy was measured beside none on a generated graph"
    return f"all generated graphs are of one family, {paired[0].family}"


def _factor(cells: Sequence[Row], quantity: Quantity) -> FamilyFactor | str:
    """Test log ratio = place + family, where a place is a number of nodes and a requested degree.

    Places as a factor hold whatever a ratio does along nodes and degree, so no bend of that passes for a family or
    hides one, as it would beside straight lines in log nodes and log degree.
    """
    shared = _at_shared_places(cells)
    names = sorted({row.family for row in shared})
    if len(names) < 2:
        return "no size and degree was measured on two families"
    values = np.log([float(getattr(row, quantity)) for row in shared])
    places = _dummies([f"{row.num_nodes} {row.requested_average_degree}" for row in shared])
    columns = np.hstack([places, _dummies([row.family for row in shared])[:, 1:]])
    if rank(columns) < columns.shape[1]:
        return "not all families meet others at one size and degree"
    if len(shared) <= columns.shape[1]:
        return "there are too few graphs to tell a family from chance"
    full = OLS(values, columns).fit()
    shifts = np.array([0.0, *full.params[places.shape[1] :]])
    shifts -= shifts.mean()
    furthest = first_greatest(np.abs(shifts), nothing=ROUNDING)
    differs = bool(abs(shifts[furthest]) > ROUNDING)
    return FamilyFactor(
        convolution=cells[0].convolution,
        policy=cells[0].policy,
        quantity=quantity,
        families=names,
        largest_shift=float(np.exp(shifts[furthest])) if differs else 1.0,
        furthest_family=names[furthest] if differs else "",
        p_value=_p_value(values, full, places),
    )


def _at_shared_places(cells: Sequence[Row]) -> list[Row]:
    """The cells at places where more than one family was measured."""
    places = grouped(cells, lambda row: (row.num_nodes, row.requested_average_degree))
    return [row for _, part in places if len({row.family for row in part}) > 1 for row in part]


def _dummies(labels: Sequence[str]) -> Floats:
    """A column of ones and zeros for each label, in alphabetical order ([num_labels, num_different])."""
    different, codes = np.unique(np.asarray(labels), return_inverse=True)
    return np.eye(len(different))[codes]


def _p_value(values: Floats, full: Any, places: Floats) -> float:
    """The p-value of the F test that no family differs; without any spread it is 1 or 0."""
    restricted = OLS(values, places).fit()
    if np.abs(restricted.resid).max() < ROUNDING:
        return 1.0
    if np.abs(full.resid).max() < ROUNDING:
        return 0.0
    return float(full.compare_f_test(restricted)[1])


def replicates(rows: Sequence[Row]) -> tuple[list[ReplicateSpread], list[str]]:
    """The relative standard deviation between draws of each response, and what could not be tried and why."""
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
    """The spread of each place that has more than one value above 0, and the place's name."""
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
