"""Does the family of a graph move a ratio, and by how much do independent draws of one family differ?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from statsmodels.regression.linear_model import OLS

from gnn_checkpointing.analysis.fitting import ROUNDING, WEIGHTS
from gnn_checkpointing.analysis.results import FamilyFactor, Quantity, ReplicateSpread, Response
from gnn_checkpointing.analysis.rounding import first_greatest, rank
from gnn_checkpointing.analysis.support import Floats, answering, answers, observed
from gnn_checkpointing.analysis.table import Row, by_series, grouped

QUANTITIES: tuple[Quantity, ...] = ("activation_ratio", "time_ratio")


def families(rows: Sequence[Row]) -> tuple[list[FamilyFactor], list[str]]:
    """The family's share in every policy's ratios, and what could not be tried and why."""
    paired = [row for row in rows if row.policy != "none" and row.activation_ratio is not None]
    if len({row.family for row in paired}) < 2:
        why = "no policy was measured beside none on a generated graph"
        if paired:
            why = f"all generated graphs are of one family, {paired[0].family}"
        return [], [f"The family as a factor is not tried: {why}."]
    return answers(
        (
            f"{convolution}, {policy}: the family as a factor of {quantity} is not tried",
            _factor([row for row in cells if getattr(row, quantity) is not None], quantity),
        )
        for (convolution, policy), cells in by_series(paired)
        for quantity in QUANTITIES
    )


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
    return answers(
        (f"The spread of {response} between draws is not tried", _spread(places, response)) for response in WEIGHTS
    )


def _spread(places: Sequence[Sequence[Row]], response: Response) -> ReplicateSpread | str:
    """The spreads of places that have more than one value above 0."""
    spreads = []
    for cells in places:
        values = observed(answering(cells, response), response)
        if len(values) > 1 and values.mean() > 0:
            spreads.append((float(values.std(ddof=1) / values.mean()), _name(cells[0])))
    if not spreads:
        return "no place has two values"
    shares = [share for share, _ in spreads]
    worst, worst_at = spreads[first_greatest(shares, nothing=ROUNDING)]
    return ReplicateSpread(
        response=response, places=len(spreads), median=float(np.median(shares)), worst=worst, worst_at=worst_at
    )


def _name(row: Row) -> str:
    return (
        f"{row.convolution}, {row.policy}, {row.family} of {row.num_nodes} nodes, "
        f"degree {row.requested_average_degree:g}"
    )
