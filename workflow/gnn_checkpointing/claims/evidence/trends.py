"""Numbers from trends.json: bands that hold at every density at once, and where a policy breaks even."""

from __future__ import annotations

from gnn_checkpointing.analysis.analyse import Findings
from gnn_checkpointing.analysis.results import Band, BreakEven, Quantity
from gnn_checkpointing.claims.evidence.picked import Picked, exactly, nothing, picked

NO_BAND = "no band along density was found for this convolution and policy"
_COURSES = {
    "below": "it lies below {threshold:g} at every level",
    "above": "it lies above {threshold:g} at every level",
    "rises": "it rises through {threshold:g}",
    "falls": "it falls through {threshold:g}",
    "crosses": "it crosses {threshold:g} more than once",
}


def on_band(findings: Findings, convolution: str, policy: str, quantity: Quantity) -> Picked:
    """The ratio at every level, with intervals that hold together."""
    found = _band(findings, convolution, policy, quantity)
    if found is None:
        return nothing(NO_BAND)
    note = f"at average degrees {', '.join(point.level for point in found.points)}, all intervals at once"
    return picked([point.ratio for point in found.points], note, timed=quantity == "time_ratio")


def at_dense_end(findings: Findings, convolution: str, policy: str, quantity: Quantity) -> Picked:
    """The ratio at the densest level of a band; the note tells where along the band it breaks even."""
    found = _graded(findings, convolution, policy, quantity)
    if isinstance(found, str):
        return nothing(found)
    densest = found.points[-1]
    even = _break_even(findings, convolution, policy, quantity)
    course = "" if even is None else f"; {_course(even)}"
    note = f"at average degree {densest.level}, the densest of {len(found.points)} levels{course}"
    return picked([densest.ratio], note, timed=quantity == "time_ratio")


def dense_over_sparse_end(findings: Findings, convolution: str, policy: str, quantity: Quantity) -> Picked:
    """The ratio at the densest level of a band divided by the one at its sparsest."""
    found = _graded(findings, convolution, policy, quantity)
    if isinstance(found, str):
        return nothing(found)
    sparsest, densest = found.points[0], found.points[-1]
    timed = quantity == "time_ratio"
    ratio = densest.ratio.relative_to(sparsest.ratio) if timed else densest.ratio.over(sparsest.ratio)
    note = f"average degree {densest.level} compared with {sparsest.level}, all intervals at once"
    return picked([ratio], note, timed=timed)


def break_even_span(findings: Findings, convolution: str, policy: str, quantity: Quantity) -> Picked:
    """The upper end of the break-even's interval divided by its lower end: how well its density is known."""
    even = _break_even(findings, convolution, policy, quantity)
    if even is None:
        return nothing(NO_BAND)
    if even.average_degree is None:
        return nothing(f"there is no break-even along the measured densities: {_course(even)}")
    if even.open:
        return nothing(f"the interval of the break-even reaches beyond the measured densities: {_course(even)}")
    span = exactly(even.average_degree.high / even.average_degree.low)
    return picked([span], _course(even), timed=quantity == "time_ratio")


def _band(findings: Findings, convolution: str, policy: str, quantity: Quantity) -> Band | None:
    key = (convolution, policy, quantity)
    bands = findings.trends.bands
    found = next((band for band in bands if (band.convolution, band.policy, band.quantity) == key), None)
    return found if found is not None and found.points else None


def _graded(findings: Findings, convolution: str, policy: str, quantity: Quantity) -> Band | str:
    """A band of at least two levels, or why there is none."""
    found = _band(findings, convolution, policy, quantity)
    if found is None:
        return NO_BAND
    return found if len(found.points) > 1 else "only one level of density was measured"


def _break_even(findings: Findings, convolution: str, policy: str, quantity: Quantity) -> BreakEven | None:
    key = (convolution, policy, quantity)
    found = findings.trends.break_evens
    return next((even for even in found if (even.convolution, even.policy, even.quantity) == key), None)


def _course(even: BreakEven) -> str:
    """In words how the ratio goes along density, and where it crosses its threshold."""
    words = _COURSES[even.course].format(threshold=even.threshold)
    if even.average_degree is None:
        return words
    degree = even.average_degree
    return f"{words} at average degree {degree.estimate:.3g} ({degree.low:.3g} to {degree.high:.3g})"
