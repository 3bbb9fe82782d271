"""Laws in nodes and edges, the interaction of policy and edges, and effects as a function of density."""

from typing import ClassVar, Literal

from pydantic import Field

from gnn_checkpointing.analysis.results.base import (
    Estimate,
    OfPolicy,
    OfResponse,
    Probability,
    Quantity,
    Result,
    Share,
    in_words,
)


class Residual(Result):
    """One cell's observed and fitted response.

    `standardised` is the weighted residual in standard deviations and `normal_quantile` the normal quantile of its
    rank; both are None if only rounding errors remain.
    """

    graph: str
    num_nodes: int
    num_edges: int
    observed: float
    fitted: float
    relative: Share
    started: str
    standardised: float | None = None
    normal_quantile: float | None = None


class HeldOut(Result):
    """Prediction of the densest level by the law fitted without it."""

    level: float
    cells: int
    median_relative_error: Share
    worst_relative_error: Share
    inside_interval: Share


class Law(OfResponse):
    """response = constant + per_node * num_nodes + per_edge * num_edges for one convolution x policy.

    `breusch_pagan_p` tests for constant variance of the residuals, `reset_p` for a missing square of the fit (Ramsey's
    RESET); both are None if only rounding errors remain. Bytes are exact: they have neither test, and their intervals
    are single points; `held_out_error` is their worst error on the densest level when it is held out.
    `condition_number` is that of the scaled, weighted design.
    """

    weights: Literal["equal", "relative"]
    covariance: str
    cells: int
    constant: Estimate
    per_node: Estimate
    per_edge: Estimate
    r_squared: Share
    median_relative_residual: Share
    worst_relative_residual: Share
    breusch_pagan_p: Probability | None
    reset_p: Probability | None
    condition_number: float
    held_out: HeldOut | None
    held_out_error: Share | None = None
    residuals: list[Residual]


class Interaction(OfResponse):
    """Bytes or seconds per edge that a policy adds to (or takes from) none's, and a test of whether this is zero.

    Bytes are exact: they have no interval and no p-value.
    """

    none_per_edge: Estimate
    difference_per_edge: Estimate
    slope_ratio: float
    p_value: Probability | None
    clusters: int


Throughput = Literal["nodes_per_second", "edges_per_second"]
Density = Literal["density", "average_degree"]


class ThroughputLaw(OfPolicy):
    """log throughput = constant + elasticity * log density + nodes_elasticity * log num_nodes.

    `density` is 2E / (N (N - 1)) for E undirected edges, or the average degree; `span` is its measured range. An
    elasticity of -1 halves throughput when density doubles. `nodes_elasticity` is None where all graphs have one size.
    """

    response: Throughput
    density: Density
    cells: int
    num_nodes: tuple[int, int]
    span: tuple[float, float]
    constant: Estimate
    elasticity: Estimate
    nodes_elasticity: Estimate | None
    r_squared: Share
    median_relative_error: Share
    worst_relative_error: Share


class Regressions(Result):
    """All laws and interactions, and the reasons for those that could not be fitted."""

    confidence: float
    laws: list[Law]
    interactions: list[Interaction]
    throughput: list[ThroughputLaw] = Field(default_factory=list)
    not_fitted: list[str]


class BandPoint(Result):
    """One level of a band; `ratio` is wider than the level's own interval, so that all levels hold simultaneously."""

    degree: float
    average_degree: float
    cells: int
    ratio: Estimate
    level: ClassVar[property] = in_words("degree")


class Band(OfPolicy):
    """A policy's ratio along density with simultaneous intervals."""

    quantity: Quantity
    method: str
    points: list[BandPoint]


Course = Literal["below", "above", "rises", "falls", "crosses"]


class BreakEven(OfPolicy):
    """Where along density a policy stops (or starts) to save memory or to cost time.

    `threshold` is the ratio below which it saves (memory) or costs nothing (time). `course` describes the ratio from
    the sparsest level to the densest. `average_degree` is the crossing, interpolated between two levels; its interval
    is where the band crosses (an end beyond the measured levels becomes the outermost level, as `open` says). The
    interval reflects the scatter of the graphs, but not the curvature of the ratio between the two levels.
    `certain`: whether the whole band takes that course. Without a crossing it must lie on one side at every level, with
    one crossing at the sparsest and the densest level; a ratio that crosses more than once is never certain.
    """

    quantity: Quantity
    threshold: float
    course: Course
    average_degree: Estimate | None
    open: Literal["", "sparse", "dense", "both"]
    certain: bool = False


class Trends(Result):
    """Bands and break-evens of every policy."""

    confidence: float
    bands: list[Band]
    break_evens: list[BreakEven]
