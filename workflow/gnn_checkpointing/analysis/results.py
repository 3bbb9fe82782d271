"""What the analysis hands on: typed, JSON-able, one value per statement that the report can make."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Response = Literal["activation_bytes", "saved_activation_bytes", "step_time_seconds"]


class Result(BaseModel):
    """A part of a result: frozen, closed to unknown fields, finite numbers only."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Estimate(Result):
    """A value with its interval at the study's confidence level."""

    estimate: float
    low: float
    high: float


class Effect(Result):
    """Policy / none, paired within cells, over the cells of one level of density (or of one real graph)."""

    convolution: str
    policy: str
    level: str
    average_degree: float
    cells: int
    memory_ratio: Estimate
    activation_ratio: Estimate
    time_ratio: Estimate


class Effects(Result):
    """Effects along the requested degrees of generated graphs, and on each real graph."""

    confidence: float
    generated: list[Effect]
    real: list[Effect]


class Residual(Result):
    """One cell's observed and fitted response."""

    graph: str
    num_nodes: int
    num_edges: int
    observed: float
    fitted: float
    relative: float
    started: str


class HeldOut(Result):
    """Prediction of the densest level by the law fitted without it."""

    level: float
    cells: int
    median_relative_error: float
    worst_relative_error: float
    inside_interval: float


class Law(Result):
    """response = constant + per_node * num_nodes + per_edge * num_edges for one convolution x policy."""

    convolution: str
    policy: str
    response: Response
    weights: Literal["equal", "relative"]
    covariance: str
    cells: int
    constant: Estimate
    per_node: Estimate
    per_edge: Estimate
    r_squared: float
    median_relative_residual: float
    worst_relative_residual: float
    breusch_pagan_p: float | None
    held_out: HeldOut | None
    residuals: list[Residual]


class Interaction(Result):
    """How many bytes or seconds per edge a policy adds to (or takes from) none's, and whether that is nothing."""

    convolution: str
    policy: str
    response: Response
    none_per_edge: Estimate
    difference_per_edge: Estimate
    slope_ratio: float
    p_value: float
    clusters: int


class Regressions(Result):
    """All laws and interactions; what could not be fitted, and why."""

    confidence: float
    laws: list[Law]
    interactions: list[Interaction]
    not_fitted: list[str]


class Accuracy(Result):
    """One training job's end."""

    graph: str
    convolution: str
    policy: str
    epochs: int
    final_loss: float
    train_accuracy: float
    test_accuracy: float
    largest_loss_difference: float


class Quality(Result):
    """What a reviewer should know of the run itself."""

    cells: int
    rows: int
    outcomes: dict[str, int]
    failures: list[dict[str, str]]
    measured_share: float
    measured_seconds: float
    wall_seconds: float
    overlapping_cells: int
    median_half_width: float
    worst_half_width: float
    within_target: float
    not_the_same: list[str]
    warnings: list[str]
