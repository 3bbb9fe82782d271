"""What the run says of its own making, what was tried against the answer, and what trained models showed."""

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


class FamilyFactor(OfPolicy):
    """Whether the family moves a log ratio where nodes and density are equal (F test); the shift is from all's mean."""

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
    """A statement's estimate when one graph after another is left out; `changes` names graphs that turn its side.

    The side is that of `boundary`: the interval lies below it, above it, or holds it.
    """

    statement: Literal["densest_activation_ratio", "densest_time_ratio", "difference_per_edge"]
    convolution: str
    policy: str
    boundary: float
    whole: Estimate
    lowest: float
    highest: float
    side: Literal["below", "above", "holds"]
    changes: list[str]


class StoppingRule(Result):
    """The rule that ends timing, played many times on steps of known ratio.

    `noise` is the relative standard deviation of one round's ratio; of a heavy-tailed play, of nine rounds in ten, the
    tenth being ten times as noisy. `covered` is the share of published intervals that hold the true ratio,
    `fixed_covered` the same at `median_rounds` rounds fixed beforehand, `expected_error` the Monte-Carlo standard error
    of both; `reached_target` is the share that is narrow enough when timing stops. `at_least`, `at_most` and
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
    distribution: Literal["lognormal", "heavy_tailed"] = "lognormal"


class Robustness(Result):
    """What was tried against the answer."""

    families: list[FamilyFactor]
    replicates: list[ReplicateSpread]
    drift: list[RunDrift]
    influence: list[Influence]
    left_out: list[LeftOut]
    stopping: list[StoppingRule]
    not_tried: list[str]


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


class Setting(Result):
    """What was measured with what, as the table says; each value that occurs, once."""

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

    `idle_seconds` are those between two turns: processes start, graphs are drawn, models trained.
    """

    turns: int
    processes: int
    seconds: float
    idle_seconds: float
    graphs: list[GraphTurns]


class Quality(Result):
    """What a reviewer should know of the run itself.

    `processes`: in how many each cell was timed, each number once; `process_spread`: standard deviation of a log time
    ratio from one to the next, pooled over the study, under the reference allocator.
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
    not_compared: list[dict[str, str]] = Field([])
    warnings: list[str]
    setting: Setting = Setting()
    run: Run | None = None


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
