"""The densest graph that a policy can take in a given memory, by its law and the law of what lives before a step."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from gnn_checkpointing.analysis.fitting import ROUNDING, largest
from gnn_checkpointing.analysis.laws.fit import FittedForm
from gnn_checkpointing.analysis.laws.series import Floats, Series, Sizes
from gnn_checkpointing.analysis.results import Capacity, Estimate, PredictiveLaw
from gnn_checkpointing.analysis.rounding import places_of, rounded
from gnn_checkpointing.analysis.support import design
from gnn_checkpointing.analysis.table import Row
from gnn_checkpointing.analysis.tolerance import least_squares

_GIB = 2**30
_HALVINGS = 80


def capacities(
    found: Sequence[tuple[PredictiveLaw, FittedForm, Series]], limits_gib: Iterable[float]
) -> list[Capacity]:
    """Return, for the largest graphs of the study, the degree that fits into each limit; `gain` compares with none."""
    own = [each for each in found if each[0].response == "activation_bytes"]
    results = []
    for limit in limits_gib:
        degrees = [_capacity(law, fit, series, limit * _GIB) for law, fit, series in own]
        none = {one.convolution: one for one in degrees if one.policy == "none"}
        results += [one.model_copy(update={"gain": _gain(one, none.get(one.convolution))}) for one in degrees]
    return results


def _gain(one: Capacity, none: Capacity | None) -> float | None:
    """How many times none's degree fits; where the policy's has no end, at least so many times."""
    if none is None or none.average_degree is None or one.average_degree is None or none.unbounded:
        return None
    return one.average_degree.estimate / none.average_degree.estimate


def _capacity(law: PredictiveLaw, fit: FittedForm, series: Series, memory_bytes: float) -> Capacity:
    nodes = law.num_nodes[1]
    terms = resident_terms(series.rows)
    degrees = [
        _degree(fit, series, terms, nodes, memory_bytes, 1 + share) for share in (law.half_width, 0.0, -law.half_width)
    ]
    low, middle, high = degrees
    complete = float(nodes - 1)
    fits = middle is not None and low is not None and high is not None
    return Capacity(
        convolution=law.convolution,
        policy=law.policy,
        num_nodes=nodes,
        memory_bytes=memory_bytes,
        average_degree=Estimate(estimate=middle, low=low, high=high) if fits else None,
        unbounded=middle == complete,
        in_range=middle is not None and law.num_edges[0] <= middle * nodes <= law.num_edges[1],
        gain=None,
    )


def _degree(
    fit: FittedForm, series: Series, terms: Floats, nodes: int, memory_bytes: float, factor: float
) -> float | None:
    """The largest average degree whose peak fits, by bisection; None where not even an edge a node does."""

    def fits(degree: float) -> bool:
        sizes = _sizes(series, nodes, degree * nodes)
        peak = factor * float(fit.at(sizes)[0]) + float(resident_at(terms, sizes)[0])
        return peak <= memory_bytes

    low, high = 1.0, float(nodes - 1)
    if not fits(low):
        return None
    if fits(high):
        return high
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def _sizes(series: Series, nodes: int, edges: float) -> Sizes:
    """A graph that was not measured; its block is as large as those of the nearest density of that size."""
    own = [place for place, row in enumerate(series.rows) if row.num_nodes == nodes]
    measured = series.sizes.only(own)
    at_once = None
    if measured.at_once is not None:
        order = np.argsort(measured.edges, kind="stable")
        share = measured.at_once[order] / measured.edges[order]
        # Where the densest graph was worked on whole, so is a denser one; else its block is as large as it gets.
        whole = share[-1] >= 1
        at_once = np.array(
            [edges if whole else float(np.interp(edges, measured.edges[order], measured.at_once[order]))]
        )
    return Sizes(np.array([float(nodes)]), np.array([edges]), at_once)


def resident_terms(rows: Sequence[Row]) -> Floats:
    """Constant, bytes per node and bytes per edge, `[3]`: exact where the graphs alone decide."""
    columns, bytes_before = design(rows), np.array([float(row.resident_bytes) for row in rows])
    units = ROUNDING * bytes_before.max() / largest(columns)
    found = least_squares(columns, bytes_before)
    return np.array([rounded(term, places_of(unit)) for term, unit in zip(found.tolist(), units.tolist(), strict=True)])


def resident_at(terms: Floats, sizes: Sizes) -> Floats:
    """The resident bytes of graphs, `[num_rows]`."""
    values: Floats = np.column_stack([np.ones_like(sizes.nodes), sizes.nodes, sizes.edges]) @ terms
    return values
