"""Effects along density taken together: bands that hold everywhere at once, and where a policy breaks even."""

from __future__ import annotations

from typing import Literal

from gnn_checkpointing.analysis.results.base import Estimate, Result

Quantity = Literal["activation_ratio", "time_ratio"]


class BandPoint(Result):
    """One level of a band; `ratio` is wider than the level's own interval, so that all levels hold together."""

    degree: float
    average_degree: float
    cells: int
    ratio: Estimate

    @property
    def level(self) -> str:
        """The degree in words."""
        return f"{self.degree:g}"


class Band(Result):
    """A policy's ratio along density with simultaneous intervals."""

    convolution: str
    policy: str
    quantity: Quantity
    method: str
    points: list[BandPoint]


class BreakEven(Result):
    """Where along density a policy stops (or starts) to save memory or to cost time.

    `threshold` is the ratio below which it saves (memory) or costs nothing (time). `course` tells how the ratio goes
    from the sparsest level to the densest; `average_degree` is where it crosses, between two levels by interpolation,
    its interval where the band crosses (an end beyond the measured levels is the outermost level, and `open` says so).
    The interval knows how far the graphs scatter, not how the ratio bends between the two levels.
    `certain` tells whether the whole band goes that way: without a crossing it lies on one side at every level, with
    one it does so at the sparsest and at the densest; a ratio that crosses more than once never is.
    """

    convolution: str
    policy: str
    quantity: Quantity
    threshold: float
    course: Literal["below", "above", "rises", "falls", "crosses"]
    average_degree: Estimate | None
    open: Literal["", "sparse", "dense", "both"]
    certain: bool = False


class Trends(Result):
    """Bands and break-evens of every policy."""

    confidence: float
    bands: list[Band]
    break_evens: list[BreakEven]
