"""One row of the table of effects, and how far its times differ from run to run."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gnn_checkpointing.analysis.results.base import Estimate, Result, Share

Kind = Literal["generated", "real", "graded", "batch", "ego"]


class Effect(Result):
    """What one policy needs at one place, and that divided by what `against` needs in the same cells.

    A place is a size and density of generated graphs, a real graph, or what was made from either; its cells are
    independent draws, so its row is a mean over draws alone, never over sizes. Keys that a place lacks are None or "".

    Ratios of bytes are exact in each cell: `low` and `high` are the span over the cells. Ratios of time and throughput
    have an interval at the study's confidence that includes what differs from one run to the next (`RunToRun`). A
    ratio is None where `against` did not run to its end there, one of time also where no cell was timed.
    """

    kind: Kind = "generated"
    convolution: str
    policy: str
    against: str = "none"
    allocator: str = ""
    other_model: bool = Field(False, description="the policy trains another model than `against`")
    stack: str = Field("", description="the convolution, whatever the depth of its model")
    num_layers: int = 0
    family: str = Field("", description="generator of the graph, or of the graph that it was made from")
    label: str = Field("", description="the graph's name; of generated graphs empty where several are averaged")
    base: str = Field("", description="the name of the graph that it was made from; of any other its own")
    base_degree: float = Field(0.0, description="average degree of that graph: as asked for, or of a real one as it is")
    method: str = Field("", description="how it was made from the base: thinned, neighbours, ego_networks ...")
    size: float | None = Field(None, description="degree, fan-out, number of clusters or radius asked for")
    num_nodes: int = 0
    num_edges: float = 0.0
    training_nodes: float = 0.0
    num_features: int = 0
    requested_average_degree: float | None = None
    average_degree: float = 0.0
    density: Share = Field(0.0, description="num_edges / (num_nodes (num_nodes - 1))")
    headline: bool = Field(True, description="at the size and of the family that the convolution's answer is given for")
    cells: int = 1
    timed_cells: int = 0

    peak_memory_bytes: float = 0.0
    activation_bytes: float = 0.0
    saved_activation_bytes: float = 0.0
    policy_resident_bytes: float = 0.0
    step_time_seconds: float | None = None
    system_time_seconds: float | None = None
    page_faults: float | None = None
    forward_share: float | None = Field(None, description="time of forward and loss / the step's")
    nodes_per_second: Estimate | None = None
    edges_per_second: Estimate | None = None

    memory_ratio: Estimate | None = None
    activation_ratio: Estimate | None = None
    time_ratio: Estimate | None = None
    throughput_ratio: Estimate | None = None
    activation_over_reference: Estimate | None = Field(
        None, description="activation_ratio / that of the reference family at the same place"
    )
    time_over_reference: Estimate | None = None

    @property
    def degree(self) -> float:
        """The average degree asked for, of the graph that ego networks are from; of other graphs, as it is."""
        if self.kind == "ego":
            return self.base_degree
        return self.average_degree if self.requested_average_degree is None else self.requested_average_degree

    @property
    def level(self) -> str:
        """The place in words: the degree asked for, how it was made, or the graph's name."""
        if self.requested_average_degree is not None:
            return f"{self.requested_average_degree:g}"
        return f"{self.method} {self.size:g}" if self.method and self.size is not None else self.label

    @property
    def sampler(self) -> str:
        """How batches were drawn; "" for the full batch."""
        return self.method

    @property
    def form(self) -> str:
        """How ego networks are given; "" for a graph as it is."""
        return self.method

    @property
    def radius(self) -> float | None:
        """The radius of ego networks."""
        return self.size

    @property
    def transient_bytes(self) -> float:
        """The part of the activation peak that is not kept for the backward pass."""
        return self.activation_bytes - self.saved_activation_bytes

    @property
    def training_nodes_per_second(self) -> float | None:
        """Nodes whose loss is computed, per second of the median step; drawing a batch is not part of it."""
        return self.training_nodes / self.step_time_seconds if self.step_time_seconds else None

    @property
    def origin(self) -> str:
        """The real graph that it is or was made from; of generated graphs, their family."""
        return self.base if self.family == "real" else self.family


class Compared(Effect):
    """An effect that has both ratios of bytes."""

    memory_ratio: Estimate
    activation_ratio: Estimate


FamilyEffect = Compared
BatchEffect = Compared
DepthPoint = Effect
EgoPoint = Effect
FrontierPoint = Effect


class RunToRun(Result):
    """How far the logarithm of a time ratio differs from one run to the next, as a standard deviation.

    Measured by visiting some cells again at the study's middle and end. Where too few were, it is at least what two
    runs of the default study differed by; degrees of freedom are None where it is that.
    """

    deviation: Share
    seconds_deviation: Share = Field(
        description="the same of step times in the unit of the laws of time; not measured, where the machine is as fast"
    )
    repeated_cells: int
    measured: Share | None = Field(description="by the study's own repeats; None without any")
    degrees_of_freedom: int | None
    level_deviation: Share | None = Field(None, description="of plain step times; None where it was not measured")
    level_degrees_of_freedom: int | None = None
