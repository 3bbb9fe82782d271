"""The frontier of memory and time, and what is read off it."""

from __future__ import annotations

from gnn_checkpointing.analysis.results.base import Estimate, Result

SAVES_BELOW = 0.99
"""An activation ratio below this saves more than 1 % of memory."""

SPARSE_DEGREE = 8.0
"""The level nearest to this average degree is what the densest is compared with: real sparse graphs lie around it."""


class FrontierPoint(Result):
    """One policy at one level of density under one allocator, against none of the same cells.

    Bytes, seconds and faults are medians over the cells; a ratio is None where none did not run to its end there, or
    (time) where no cell was timed. `forward_share` is the time of forward and loss / the step's.
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
    forward_share: float | None = None


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
