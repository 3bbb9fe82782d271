"""How far the answer hangs on one family, one draw, one graph, the hour, or the rule that stops the clock."""

from __future__ import annotations

from typing import Literal

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
    """Whether the family moves a ratio, on the log scale, where nodes and density are equal (F test).

    `largest_shift` is the mean ratio of `furthest_family` / that of all families; 1 of "" where all are equal.
    """

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
    """The graph that moves a law's bytes or seconds per edge most when it is left out (DFBETA as a share of it).

    `graph` is "" where the law is exact, and no graph moves it.
    """

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
