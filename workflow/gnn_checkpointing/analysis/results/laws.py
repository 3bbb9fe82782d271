"""Laws in nodes and edges, the interaction of policy and edges, and effects along density taken together."""

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

    `standardised` is the weighted residual in standard deviations and `normal_quantile` what a normal distribution has
    at its rank; both are None where nothing but rounding is left over.
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

    `breusch_pagan_p` tests that the residuals' variance is even, `reset_p` that no square of the fit is missing
    (Ramsey's RESET); both are None where nothing but rounding is left over. Bytes are exact: they have neither, and the
    ends of their intervals are the estimates; `held_out_error` is their worst error on the densest level, held out.
    `condition_number` is of the scaled, weighted design.
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
    """How many bytes or seconds per edge a policy adds to (or takes from) none's, and whether that is nothing.

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

    `density` is 2E / (N (N - 1)) of E undirected edges, or the average degree; `span` is what was measured of it. An
    elasticity of -1 halves throughput where density doubles. `nodes_elasticity` is None where all graphs have one size.
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
    """All laws and interactions; what could not be fitted, and why."""

    confidence: float
    laws: list[Law]
    interactions: list[Interaction]
    throughput: list[ThroughputLaw] = Field(default_factory=list)
    not_fitted: list[str]


class BandPoint(Result):
    """One level of a band; `ratio` is wider than the level's own interval, so that all levels hold together."""

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


class BreakEven(OfPolicy):
    """Where along density a policy stops (or starts) to save memory or to cost time.

    `threshold` is the ratio below which it saves (memory) or costs nothing (time). `course` is how the ratio goes
    from the sparsest level to the densest; `average_degree` is where it crosses, between two levels by interpolation,
    its interval where the band crosses (an end beyond the measured levels is the outermost level, and `open` says so).
    The interval knows how far the graphs scatter, not how the ratio bends between the two levels.
    `certain`: whether the whole band goes that way: without a crossing it lies on one side at every level, with
    one it does so at the sparsest and at the densest; a ratio that crosses more than once never is.
    """

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
