"""What is read off the frontier of memory and time: where each policy pays, and which no other beats."""

from __future__ import annotations

from gnn_checkpointing.analysis.results.base import Estimate, Result

SAVES_BELOW = 0.99
"""An activation ratio below this saves more than 1 % of memory."""

SPARSE_DEGREE = 8.0
"""The degree nearest to this is what the densest is compared with: real sparse graphs have about as many edges."""


class Payoff(Result):
    """The degrees at which a policy saves more than 1 % of memory, and at which its time interval leaves 1."""

    convolution: str
    policy: str
    degrees: list[float]
    saves: list[float]
    timed: list[float]
    slower: list[float]
    faster: list[float]

    @property
    def levels(self) -> list[str]:
        """The degrees in words."""
        return _words(self.degrees)

    @property
    def saves_at(self) -> list[str]:
        """The degrees in words at which it saves."""
        return _words(self.saves)

    @property
    def timed_levels(self) -> list[str]:
        """The degrees in words at which it was timed."""
        return _words(self.timed)

    @property
    def slower_at(self) -> list[str]:
        """The degrees in words at which its step is longer."""
        return _words(self.slower)

    @property
    def faster_at(self) -> list[str]:
        """The degrees in words at which its step is shorter."""
        return _words(self.faster)


class ParetoSet(Result):
    """The policies at one degree that no other policy beats in memory and time at once."""

    convolution: str
    degree: float
    policies: list[str]

    @property
    def level(self) -> str:
        """The degree in words."""
        return f"{self.degree:g}"


class BestSegments(Result):
    """The number of segments with the smallest activation peak; of equals the faster."""

    convolution: str
    degree: float
    policy: str
    activation_ratio: float
    time_ratio: float | None
    tried: list[str]

    @property
    def level(self) -> str:
        """The degree in words."""
        return f"{self.degree:g}"


class Flatness(Result):
    """How a policy's activation peak grows with the edges at one number of nodes, relative to none's.

    `slope_ratio` is None where none's peak does not grow. `peak_ratio` is the peak at `densest_degree` / at
    `sparse_degree`, the one nearest to average degree 8.
    """

    convolution: str
    policy: str
    degrees: list[float]
    bytes_per_edge: float
    none_bytes_per_edge: float
    slope_ratio: float | None
    sparse_degree: float
    densest_degree: float
    peak_ratio: float

    @property
    def levels(self) -> list[str]:
        """The degrees in words."""
        return _words(self.degrees)

    @property
    def sparse(self) -> str:
        """The sparse degree in words."""
        return f"{self.sparse_degree:g}"

    @property
    def densest(self) -> str:
        """The largest degree in words."""
        return f"{self.densest_degree:g}"


class AllocatorEffect(Result):
    """A policy's time ratio under another allocator than the reference, taken apart.

    `observed` is the ratio under `allocator`, `checkpointing` the one under `reference`; `on_policy` and `on_none`
    are step times under `allocator` / under `reference`, from separate processes and so without an interval.
    """

    convolution: str
    policy: str
    degree: float
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

    @property
    def level(self) -> str:
        """The degree in words."""
        return f"{self.degree:g}"


def _words(degrees: list[float]) -> list[str]:
    return [f"{degree:g}" for degree in degrees]
