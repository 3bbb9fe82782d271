"""Results beside the table of effects: models, noise, where each policy pays off, and which policies are unbeaten."""

from typing import ClassVar

from pydantic import Field

from gnn_checkpointing.analysis.results.base import Estimate, OfPolicy, Result, Share, in_words, quantile

SAVES_BELOW = 0.99
"""An activation ratio below this saves more than 1 % of memory."""

SPARSE_DEGREE = 8.0
"""The densest graphs are compared with those nearest to this degree, which is typical of real sparse graphs."""


class RunToRun(Result):
    """How far the logarithm of a time ratio differs from one run to the next, as a standard deviation.

    Measured by revisiting some cells at the study's middle and end, but at least the difference between earlier runs of
    the default study; degrees of freedom are None where that lower bound applies.
    """

    deviation: Share
    seconds_deviation: Share = Field(
        description="the same of step times in the unit of the laws of time; not measured, where the machine is as fast"
    )
    measured: Share | None = Field(description="by the study's own repeats; None without any")
    degrees_of_freedom: int | None
    level_deviation: Share | None = Field(None, description="of plain step times; None where it was not measured")
    level_degrees_of_freedom: int | None = None

    def reach(self, confidence: float) -> float:
        """How far another run may move a time ratio's logarithm; by Student's t if the study's own repeats decide."""
        return self.deviation * quantile(confidence, self.degrees_of_freedom)


class StudyModel(Result):
    """One model of a study, under the name of its series; `parameters` is None where they were not counted."""

    convolution: str
    num_layers: int
    hidden_channels: int
    heads: int
    parameters: int | None


class Payoff(OfPolicy):
    """The degrees at which a policy saves more than 1 % of memory, and at which its time interval excludes 1."""

    degrees: list[float]
    saves: list[float]
    timed: list[float]
    slower: list[float]
    faster: list[float]

    levels: ClassVar[property] = in_words("degrees")
    saves_at: ClassVar[property] = in_words("saves")
    timed_levels: ClassVar[property] = in_words("timed")
    slower_at: ClassVar[property] = in_words("slower")
    faster_at: ClassVar[property] = in_words("faster")


class AtDegree(Result):
    """A result about one convolution at one degree."""

    convolution: str
    degree: float
    level: ClassVar[property] = in_words("degree")


class ParetoSet(AtDegree):
    """The policies at one degree that no other policy beats in both memory and time."""

    policies: list[str]


class BestSegments(AtDegree):
    """The number of segments with the smallest activation peak; the fastest among equals."""

    policy: str
    activation_ratio: float
    time_ratio: float | None
    tried: list[str]


class Flatness(OfPolicy):
    """Growth of a policy's activation peak with the edges at one number of nodes, relative to none's.

    `slope_ratio` is None if none's peak does not grow. `peak_ratio` is the peak at `densest_degree` / the peak at
    `sparse_degree`, the level nearest to average degree 8.
    """

    degrees: list[float]
    bytes_per_edge: float
    slope_ratio: float | None
    sparse_degree: float
    densest_degree: float
    peak_ratio: float

    levels: ClassVar[property] = in_words("degrees")
    sparse: ClassVar[property] = in_words("sparse_degree")
    densest: ClassVar[property] = in_words("densest_degree")


class AllocatorEffect(OfPolicy):
    """A policy's time ratio under another allocator than the reference, split into its factors.

    `observed` is the ratio under `allocator`, `checkpointing` the one under `reference`; `on_policy` and `on_none`
    are step times under `allocator` / under `reference`, from separate processes and so without an interval.
    """

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
    level: ClassVar[property] = in_words("degree")


class PracticeEffect(OfPolicy):
    """Memory and time of a policy relative to none, on the bare stack and on the stack with the usual additions.

    Both use the same graph, and each is divided by policy none on its own stack. `none_activation_bytes` is none's peak
    with the additions / none's peak on the bare stack.
    """

    num_nodes: int
    average_degree: float
    none_activation_bytes: float
    bare_activation_ratio: Estimate
    activation_ratio: Estimate
    bare_time_ratio: Estimate | None
    time_ratio: Estimate | None
    level: ClassVar[property] = in_words("average_degree")
