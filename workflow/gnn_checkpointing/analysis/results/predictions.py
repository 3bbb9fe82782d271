"""Predictive laws, chosen among candidates by their held-out errors, and their errors elsewhere."""

from typing import Literal

from pydantic import Field

from gnn_checkpointing.analysis.results.base import Estimate, OfPolicy, OfResponse, Probability, Response, Result, Share
from gnn_checkpointing.analysis.results.laws import Residual

Place = Literal["densest", "largest"]


class PredictiveLaw(OfResponse):
    """The chosen law of one response: the maximum of its pieces, each a sum of term x column.

    Terms are non-negative bytes or seconds per column ("constant", "nodes", "edges", "edges_at_once" and so on, as in
    `analysis/laws/series.py`); a form with a logarithmic link has exponents instead. `half_width` is the half-width of
    an interval as a share of the prediction: for bytes, which are exact, the worst error on held-out cells and real
    graphs; for time, the conformal quantile of held-out errors at the study's confidence. `held_out_error` is the worst
    error of bytes on held-out cells, which has no confidence level; it is None for time.
    """

    form: str
    pieces: list[dict[str, float]]
    knee: float | None
    cells: int
    num_nodes: tuple[int, int]
    num_edges: tuple[int, int]
    num_features: int
    half_width: Share
    held_out_error: Share | None = None
    median_relative_residual: Share
    worst_relative_residual: Share
    residuals: list[Residual]


class HeldOutError(Result):
    """Errors of a law on one level that was left out of its fit, as shares of the measured values."""

    place: Place
    level: float
    cells: int
    median_relative_error: Share
    worst_relative_error: Share


class Candidate(OfResponse):
    """One form tried for one response; `score` is the larger of its median errors on the held-out levels.

    `reason` says why a form could not be tried; `score` is None then.
    """

    form: str
    chosen: bool
    score: Share | None
    errors: list[HeldOutError]
    reason: str


class Coverage(Result):
    """How often the intervals of a method contain the measurements of held-out synthetic cells, and how wide they are.

    Every level of density and every number of nodes is held out once; `half_width` is a share of the prediction.
    """

    response: Response
    method: Literal["held_out_bound", "conformal", "least_squares"]
    held_out: int
    inside: Share
    median_half_width: Share
    worst_half_width: Share


class Knee(OfPolicy):
    """A breakpoint test of whether the time per edge changes at some number of edges (sup-F, wild bootstrap).

    `per_edge_after` / `per_edge_before` is the change at `num_edges`, where F is largest.
    """

    num_edges: float
    per_edge_before: float
    per_edge_after: float
    p_value: Probability


class AnalyticCount(OfResponse):
    """Bytes per edge by measurement, by law and by counting tensors: a law that misses the count misses physics.

    `measured` is the least-squares slope on the edges at one number of nodes, `law` the chosen law's slope between
    the same graphs, `counted` the tensors that autograd must keep (`formula` in words), None where not counted.
    """

    num_nodes: int
    measured: float
    law: float
    counted: float | None
    formula: str


class ClosedForm(OfResponse):
    """The physical law of one series: activation bytes by counting tensors (`formula`), compared with measurements.

    Of `cells`, `exact_cells` agree to the byte; `worst_error` is the count's largest error, `law_error` the largest
    difference of the fitted law from the count, None if no law was fitted.
    """

    formula: str
    cells: int
    exact_cells: int
    worst_error: Share
    law_error: Share | None


class Score(Result):
    """Prediction and measurement of one real graph; `error` is (predicted - measured) / measured.

    `in_range`: whether nodes and edges lie within the range that the law was fitted to.
    """

    graph: str
    label: str
    num_nodes: int
    num_edges: int
    convolution: str
    policy: str
    response: Response
    measured: float
    predicted: Estimate
    error: Share
    inside: bool
    in_range: bool


class ScoreSummary(Result):
    """The scorecard of one response: absolute errors over all real graphs, convolutions and policies in range."""

    response: Response
    scored: int
    median_error: Share
    worst_error: Share
    worst_at: str
    inside: Share


class Censored(Result):
    """A cell that ran out of memory or time, and whether its law predicted that.

    `limit` is bytes or seconds, `predicted` None where there is no law (`reason` says why).
    """

    cell: str
    label: str
    convolution: str
    policy: str
    outcome: Literal["out_of_memory", "timed_out"]
    limit: float
    predicted: float | None
    foreseen: bool | None
    reason: str


class Capacity(OfPolicy):
    """The largest average degree whose peak memory, resident bytes included, fits into `memory_bytes` by the law.

    The ends are those of the law's interval; the lower end certainly fits. `unbounded`: even a complete graph fits, and
    the degree is that of a complete graph. `in_range`: whether the degree lies within the measured range.
    """

    num_nodes: int
    memory_bytes: float
    average_degree: Estimate | None
    unbounded: bool
    in_range: bool
    gain: float | None


class ResidentLaw(OfPolicy):
    """Bytes resident before a step: parameters (`constant`), and the cost per node and per edge."""

    constant: float
    per_node: float
    per_edge: float


class Predictions(Result):
    """All results of the predictive laws, and all evidence against them.

    `one_size` laws, for series whose graphs all have one number of nodes, serve planning only: no claim rests on them.
    """

    confidence: float
    candidates: dict[str, list[str]]
    laws: list[PredictiveLaw]
    resident: list[ResidentLaw]
    one_size: list[PredictiveLaw] = Field(default_factory=list)
    one_size_resident: list[ResidentLaw] = Field(default_factory=list)
    leaderboard: list[Candidate]
    coverage: list[Coverage]
    knees: list[Knee]
    analytic: list[AnalyticCount]
    closed_forms: list[ClosedForm] = Field(default_factory=list)
    scorecard: list[Score]
    summaries: list[ScoreSummary]
    censored: list[Censored]
    capacities: list[Capacity]
    not_fitted: list[str]
