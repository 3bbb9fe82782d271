"""Results about the quality of the run, the robustness of the answer, and trained models."""

from typing import Literal

from pydantic import Field

from gnn_checkpointing.analysis.results.base import (
    Estimate,
    OfPolicy,
    OfResponse,
    Probability,
    Quantity,
    Response,
    Result,
    Share,
)

Statement = Literal["densest_activation_ratio", "densest_time_ratio", "difference_per_edge"]
Side = Literal["below", "above", "holds"]
Distribution = Literal["lognormal", "heavy_tailed"]
Instrument = Literal["high_water_bytes", "fake_tensor_bytes"]


class FamilyFactor(OfPolicy):
    """Whether the family shifts a log ratio at equal nodes and density (F test); shifts are from the families' mean."""

    quantity: Quantity
    families: list[str]
    largest_shift: float
    furthest_family: str
    p_value: Probability | None


class ReplicateSpread(Result):
    """Relative standard deviation between independent draws of equal size and density: median and worst place."""

    response: Response
    places: int
    median: Share
    worst: Share
    worst_at: str


class RunDrift(OfResponse):
    """Change of a response's residuals over the whole run, as a share, against the order of measurement."""

    change: Estimate
    p_value: Probability


class Influence(OfResponse):
    """The graph that moves a law's bytes or seconds per edge most (DFBETA as a share); "" where the law is exact."""

    graph: str
    shift_per_edge: Share
    cooks_distance: float


class LeftOut(Result):
    """A statement's estimate with each graph left out in turn; `changes` names graphs whose absence changes the side.

    The side says whether the interval lies below `boundary`, above it, or contains it ("holds").
    """

    statement: Statement
    convolution: str
    policy: str
    boundary: float
    whole: Estimate
    lowest: float
    highest: float
    side: Side
    changes: list[str]


class StoppingRule(Result):
    """The rule that ends timing, simulated many times on steps of known ratio.

    `noise` is the relative standard deviation of one round's ratio; in a heavy-tailed play, one round in ten is ten
    times as noisy. `covered` is the share of published intervals that contain the true ratio, `fixed_covered` the same
    with the usual number of rounds fixed beforehand, `expected_error` the Monte-Carlo standard error of both;
    `reached_target` is the share of intervals that are narrow enough when timing stops. `at_least`, `at_most` and
    `median_rounds` count the rounds of all `processes` together.
    """

    noise: float
    target_half_width: float
    at_least: int
    at_most: int
    processes: int
    plays: int
    covered: float
    fixed_covered: float
    expected_error: float
    median_rounds: float
    reached_target: float
    distribution: Distribution = "lognormal"


class Robustness(Result):
    """Trials of the answer's robustness."""

    families: list[FamilyFactor]
    replicates: list[ReplicateSpread]
    drift: list[RunDrift]
    influence: list[Influence]
    left_out: list[LeftOut]
    stopping: list[StoppingRule]
    not_tried: list[str]


class Absence(Result):
    """A policy that was not run, and why: it refused, or it was unavailable on this machine."""

    policy: str
    convolutions: list[str]
    cells: int
    reason: str


class Reading(Result):
    """One further instrument beside the allocator's events: how often it was read and agreed, and how far it was off.

    Differences are shares of the activation peak; the worst reading is the one that is off by the most bytes.
    """

    instrument: Instrument
    read: int
    judged: int
    agree: int
    median_difference: float | None
    worst_difference: float | None
    worst_bytes: float | None
    worst_at: str


class Spread(Result):
    """The median and the largest of a quantity, and the number of its values."""

    values: int
    median: float
    worst: float


class Setting(Result):
    """Settings of the measurements according to the table, each distinct value once."""

    devices: list[str] = Field([])
    threads: list[int] = Field([])
    num_layers: list[int] = Field([])
    hidden_channels: list[int] = Field([])
    heads: list[int] = Field([])


class GraphTurns(Result):
    """The turns at the machine of one graph's cells, and when they began and ended, since the run began."""

    graph: str
    turns: int
    began_seconds: float
    ended_seconds: float


class Run(Result):
    """The run: turns at the machine (a cell in a process), the most processes of a cell, and how long it took.

    `idle_seconds` lie between turns, when processes start, graphs are drawn, and models are trained.
    """

    turns: int
    processes: int
    seconds: float
    idle_seconds: float
    graphs: list[GraphTurns]


class Quality(Result):
    """Quality of the run itself, for reviewers.

    `processes`: the numbers of processes in which cells were timed, each once; `process_spread`: standard deviation of
    a log time ratio between processes, pooled over the study, under the reference allocator.
    """

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
    processes: list[int] = Field([])
    process_spread: float | None = None
    median_half_width: float
    worst_half_width: float
    within_target: float
    not_the_same: list[str]
    warnings: list[str]
    setting: Setting = Setting()
    run: Run | None = None


class Accuracy(Result):
    """Final loss and accuracies of one training job."""

    graph: str
    convolution: str
    policy: str
    epochs: int
    final_loss: float
    train_accuracy: float
    test_accuracy: float
    largest_loss_difference: float
