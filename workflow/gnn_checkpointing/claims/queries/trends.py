"""The course along density at every level at once, and where a policy breaks even.

Bytes are exact and have the span of their cells at each level; times have a simultaneous band.
"""

from __future__ import annotations

from gnn_checkpointing.analysis.results import Band, BreakEven, Quantity
from gnn_checkpointing.claims.queries.query import Asked, Picked, exactly, nothing, picked, query

NO_BAND = "no band along density was found for this convolution and policy"
_AT_ONCE = {"activation_ratio": "each the span of its cells", "time_ratio": "all intervals at once"}
_COURSES = {
    "below": "it lies below {threshold:g} at every level",
    "above": "it lies above {threshold:g} at every level",
    "rises": "it rises through {threshold:g}",
    "falls": "it falls through {threshold:g}",
    "crosses": "it crosses {threshold:g} more than once",
}


@query("{0}, {policy} / none, at every level")
def on_band(asked: Asked, quantity: Quantity) -> Picked:
    """The ratio at every level: of times with intervals that hold together."""
    band = _band(asked, quantity, fewest=1)
    if isinstance(band, Picked):
        return band
    note = f"at average degrees {', '.join(point.level for point in band.points)}, {_AT_ONCE[quantity]}"
    return picked([point.ratio for point in band.points], note, timed=_is_timed(quantity))


@query("{0}, {policy} / none, at the densest of several levels")
def at_dense_end(asked: Asked, quantity: Quantity) -> Picked:
    """The ratio at the densest level; the note tells where along density it breaks even."""
    band, even = _band(asked, quantity), _break_even(asked, quantity)
    if isinstance(band, Picked):
        return band
    densest = band.points[-1]
    course = "" if even is None else f"; {_course(even)}"
    note = f"at average degree {densest.level}, the densest of {len(band.points)} levels{course}"
    return picked([densest.ratio], note, timed=_is_timed(quantity))


@query("{0}, {policy} / none: every cell at the dense end / at the sparse", "ratio of ratios")
def dense_over_sparse_end(asked: Asked, quantity: Quantity) -> Picked:
    """The ratio at the densest level divided by the one at the sparsest."""
    band, timed = _band(asked, quantity), _is_timed(quantity)
    if isinstance(band, Picked):
        return band
    sparsest, densest = band.points[0], band.points[-1]
    ratio = densest.ratio.relative_to(sparsest.ratio) if timed else densest.ratio.over(sparsest.ratio)
    note = f"average degree {densest.level} compared with {sparsest.level}, {_AT_ONCE[quantity]}"
    return picked([ratio], note, timed=timed)


@query("average degree of the break-even: upper end of its span / lower end")
def break_even_span(asked: Asked, quantity: Quantity) -> Picked:
    """The upper end of the break-even divided by its lower end: how well its density is known."""
    even = _break_even(asked, quantity)
    if even is None:
        return nothing(NO_BAND)
    if even.average_degree is None:
        return nothing(f"there is no break-even along the measured densities: {_course(even)}")
    if even.open:
        span = "interval" if _is_timed(quantity) else "span"
        return nothing(f"the {span} of the break-even reaches beyond the measured densities: {_course(even)}")
    value = exactly(even.average_degree.high / even.average_degree.low)
    return picked([value], _course(even), timed=_is_timed(quantity))


def _is_timed(quantity: Quantity) -> bool:
    return quantity == "time_ratio"


def _band(asked: Asked, quantity: Quantity, fewest: int = 2) -> Band | Picked:
    """The band, or why there is none of so many levels."""
    key = (asked.convolution, asked.policy, quantity)
    bands = [one for one in asked.findings.trends.bands if (one.convolution, one.policy, one.quantity) == key]
    if not bands or not bands[0].points:
        return nothing(NO_BAND)
    return bands[0] if len(bands[0].points) >= fewest else nothing("only one level of density was measured")


def _break_even(asked: Asked, quantity: Quantity) -> BreakEven | None:
    key = (asked.convolution, asked.policy, quantity)
    found = asked.findings.trends.break_evens
    return next((even for even in found if (even.convolution, even.policy, even.quantity) == key), None)


def _course(even: BreakEven) -> str:
    """In words how the ratio goes along density, and where it crosses its threshold."""
    words = _COURSES[even.course].format(threshold=even.threshold)
    if even.average_degree is None:
        return words
    degree = even.average_degree
    return f"{words} at average degree {degree.estimate:.3g} ({degree.low:.3g} to {degree.high:.3g})"
