"""What the analysis hands on: typed, JSON-able, one value per statement that the report can make."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

SAVES_BELOW = 0.99
"""An activation ratio below this saves more than 1 % of memory."""

Response = Literal["activation_bytes", "saved_activation_bytes", "step_time_seconds"]


class Result(BaseModel):
    """A part of a result: frozen, closed to unknown fields, finite numbers only."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Estimate(Result):
    """A value with its interval at the study's confidence level."""

    estimate: float
    low: float
    high: float

    def over(self, other: Estimate) -> Estimate:
        """Return the quotient of two positive estimates; its ends are the worst cases: intervals that meet span 1."""
        return Estimate(estimate=self.estimate / other.estimate, low=self.low / other.high, high=self.high / other.low)


class Effect(Result):
    """Policy / none, paired within cells, over the cells of one level of density (or of one real graph).

    `time_ratio` is None where no cell of the level was timed.
    """

    convolution: str
    policy: str
    level: str
    average_degree: float
    cells: int
    timed_cells: int
    memory_ratio: Estimate
    activation_ratio: Estimate
    time_ratio: Estimate | None


class Effects(Result):
    """Effects along the requested degrees of generated graphs, and on each real graph."""

    confidence: float
    generated: list[Effect]
    real: list[Effect]


class FamilyEffect(Effect):
    """The effect at one number of nodes and one level of density on graphs of one family.

    `activation_over_reference` and `time_over_reference` are its ratios divided by those of the reference family at
    the same place: 1 where the family does not matter.
    """

    family: str
    num_nodes: int
    activation_over_reference: Estimate
    time_over_reference: Estimate | None


class GradedEffect(Effect):
    """The effect on a real graph whose edges were thinned, capped or closed; `method` is "" for the graph itself."""

    base: str
    method: str


class BatchEffect(Effect):
    """The effect on mini-batches of one size; `sampler` is "" for the full batch, the graph itself.

    `num_nodes`, `num_edges` and `training_nodes` are medians over the batches. Nodes (whose loss is computed) and
    edges per second are those of the policy's median step: drawing the batch is not part of it.
    """

    base: str
    sampler: str
    size: float | None
    num_nodes: float
    num_edges: float
    training_nodes: float
    nodes_per_second: float | None
    edges_per_second: float | None


class Variants(Result):
    """Effects where more than the density differs: the family of graphs, a real graph's edges, the batch."""

    reference_family: str | None
    families: list[FamilyEffect]
    graded: list[GradedEffect]
    batches: list[BatchEffect]


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


class FrontierPoint(Result):
    """One policy at one level of density under one allocator, against none of the same cells.

    Bytes, seconds and faults are medians over the cells; a ratio is None where none did not run to its end there, or
    (time) where no cell was timed.
    """

    convolution: str
    policy: str
    allocator: str
    level: str
    average_degree: float
    num_edges: float
    cells: int
    other_model: bool
    activation_ratio: Estimate | None
    time_ratio: Estimate | None
    activation_bytes: float
    saved_activation_bytes: float
    transient_bytes: float
    policy_resident_bytes: float
    step_time_seconds: float | None
    system_time_seconds: float | None
    page_faults: float | None


class BestSegments(Result):
    """The number of segments with the smallest activation peak; of equals the faster."""

    convolution: str
    level: str
    policy: str
    activation_ratio: float
    time_ratio: float | None
    tried: list[str]


class Payoff(Result):
    """The levels at which a policy saves more than 1 % of memory, and at which its time interval leaves 1."""

    convolution: str
    policy: str
    levels: list[str]
    saves_at: list[str]
    timed_levels: list[str]
    slower_at: list[str]
    faster_at: list[str]


class ParetoSet(Result):
    """The policies at one level that no other policy beats in memory and time at once."""

    convolution: str
    level: str
    policies: list[str]


class Flatness(Result):
    """How a policy's activation peak grows with the edges at one number of nodes, relative to none's.

    `slope_ratio` is None where none's peak does not grow. `peak_ratio` is the peak at `densest` / at `sparse`, the
    level nearest to average degree 8.
    """

    convolution: str
    policy: str
    levels: list[str]
    bytes_per_edge: float
    none_bytes_per_edge: float
    slope_ratio: float | None
    sparse: str
    densest: str
    peak_ratio: float


class AllocatorEffect(Result):
    """A policy's time ratio under another allocator than the reference, taken apart.

    `observed` is the ratio under `allocator`, `checkpointing` the one under `reference`; `on_policy` and `on_none`
    are step times under `allocator` / under `reference`, from separate processes and so without an interval.
    """

    convolution: str
    policy: str
    level: str
    average_degree: float
    reference: str
    allocator: str
    checkpointing: Estimate
    observed: Estimate
    on_policy: float
    on_none: float
    reference_page_faults: float
    page_faults: float
    reference_system_share: float
    system_share: float


class Frontier(Result):
    """Memory against time: every policy at every level on graphs of `num_nodes` nodes; sets and tables drawn from it.

    All but `points` and `allocators` know the reference allocator alone.
    """

    reference: str
    num_nodes: int | None
    points: list[FrontierPoint]
    best_segments: list[BestSegments]
    payoffs: list[Payoff]
    pareto: list[ParetoSet]
    flatness: list[Flatness]
    allocators: list[AllocatorEffect]


class Absence(Result):
    """A policy that was not run for a stated reason: refused by itself, or unavailable on this machine."""

    policy: str
    convolutions: list[str]
    cells: int
    reason: str


class Reading(Result):
    """One further instrument beside the allocator's events: how often it was read and agreed, and how far it was off.

    `median_difference` and `worst_difference` are shares of the activation peak; the worst is the one of most bytes.
    """

    instrument: Literal["high_water_bytes", "fake_tensor_bytes"]
    read: int
    judged: int
    agree: int
    median_difference: float | None
    worst_difference: float | None
    worst_bytes: float | None
    worst_at: str


class Spread(Result):
    """The median and the largest of a quantity, over as many values as there are."""

    values: int
    median: float
    worst: float


class Quality(Result):
    """What a reviewer should know of the run itself."""

    cells: int
    rows: int
    outcomes: dict[str, int]
    failures: list[dict[str, str]]
    refused: list[Absence]
    unavailable: list[Absence]
    other_models: list[str]
    readings: list[Reading]
    disagreements: list[str]
    sentinel_drift: Spread | None
    involuntary_switches: Spread | None
    measured_share: float
    measured_seconds: float
    wall_seconds: float
    overlapping_cells: int
    median_half_width: float
    worst_half_width: float
    within_target: float
    not_the_same: list[str]
    not_compared: list[dict[str, str]] = []
    warnings: list[str]
