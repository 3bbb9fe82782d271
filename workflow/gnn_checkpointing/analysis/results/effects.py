"""The tidy table of effects, with one row per place, convolution, policy and allocator, and selections from it."""

from collections import Counter
from collections.abc import Sequence
from typing import Literal, TypeVar, cast

from pydantic import Field

from gnn_checkpointing.analysis.results import frontier
from gnn_checkpointing.analysis.results.base import Estimate, Result, Share
from gnn_checkpointing.records.graph_facts import EncodingCost

Kind = Literal["generated", "real", "graded", "batch", "ego"]


class Effect(Result):
    """Memory and time of one policy at one place, and their ratios to those of `against` in the same cells.

    A place is a size and density of generated graphs, a real graph, or a graph derived from either. Its cells are
    independent draws, so its row averages over draws only, never over sizes. Keys that a place lacks are None or "".

    Ratios of bytes are exact in each cell: `low` and `high` are the span over the cells. Ratios of time and throughput
    have an interval at the study's confidence that includes differences between runs (`RunToRun`). A ratio is None
    where `against` did not complete, a time ratio also where no cell was timed.
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
    method: str = Field("", description='how it was made from the base: thinned, neighbours ...; "": as it is')
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
        """The requested average degree, or the actual one if none was requested; for ego networks, their base's."""
        if self.kind == "ego":
            return self.base_degree
        return self.average_degree if self.requested_average_degree is None else self.requested_average_degree

    @property
    def level(self) -> str:
        """The place in words: the requested degree, the method of derivation, or the graph's name."""
        if self.requested_average_degree is not None:
            return f"{self.requested_average_degree:g}"
        return f"{self.method} {self.size:g}" if self.method and self.size is not None else self.label

    @property
    def transient_bytes(self) -> float:
        """The part of the activation peak that is not kept for the backward pass."""
        return self.activation_bytes - self.saved_activation_bytes

    @property
    def training_nodes_per_second(self) -> float | None:
        """Nodes whose loss is computed, per second of the median step, which does not include drawing a batch."""
        return self.training_nodes / self.step_time_seconds if self.step_time_seconds else None

    @property
    def origin(self) -> str:
        """The real graph, or the real graph it was derived from; for generated graphs, their family."""
        return self.base if self.family == "real" else self.family


class Compared(Effect):
    """An effect that has both ratios of bytes."""

    memory_ratio: Estimate
    activation_ratio: Estimate


Row = TypeVar("Row", bound=Effect)


class Effects(Result):
    """All effects of a study, and results derived from those at the headline size; properties select rows."""

    confidence: float
    reference_allocator: str = ""
    reference_family: str | None = Field(None, description="the family that others are compared with; None for one")
    run_to_run: frontier.RunToRun | None = None
    rows: list[Effect]
    models: list[frontier.StudyModel] = Field([])
    encodings: list[EncodingCost] = Field([], description="what counting ego networks cost, where a study has them")
    best_segments: list[frontier.BestSegments] = Field([])
    payoffs: list[frontier.Payoff] = Field([])
    pareto: list[frontier.ParetoSet] = Field([])
    flatness: list[frontier.Flatness] = Field([])
    allocators: list[frontier.AllocatorEffect] = Field([])
    practice: list[frontier.PracticeEffect] = Field(
        # Not written if empty, because older reports lack the field.
        [],
        exclude_if=lambda found: not found,
        description="stacks with what people add, beside the bare ones",
    )

    @property
    def points(self) -> list[Effect]:
        """Memory and time at the headline size, under every allocator."""
        return [row for row in self.rows if row.kind == "generated" and row.headline]

    @property
    def num_nodes(self) -> int | None:
        """The headline size."""
        return max((row.num_nodes for row in self.points), default=None)

    @property
    def at_sizes(self) -> list[Compared]:
        """Policies compared with none on generated graphs of every size and family, sparse before dense."""
        return [row for row in self._compared if row.kind == "generated"]

    @property
    def generated(self) -> list[Compared]:
        """The same at the headline size of each convolution."""
        return [row for row in self.at_sizes if row.headline]

    @property
    def real(self) -> list[Compared]:
        """Policies compared with none on each real graph as it was loaded, sparse before dense."""
        return [row for row in self._compared if row.kind == "real"]

    @property
    def families(self) -> list[Compared]:
        """Policies compared with none where several graph families were measured."""
        return [row for row in self._compared if row.activation_over_reference is not None]

    @property
    def graded(self) -> list[Compared]:
        """Policies compared with none on real graphs of changed density, and on the original graphs."""
        return _with_bases(self._compared, "graded")

    @property
    def batches(self) -> list[Compared]:
        """All policies on batches, and on the graphs that the batches are drawn from."""
        return _with_bases(self._paired, "batch")

    @property
    def depths(self) -> list[Effect]:
        """The rows of stacks that were measured at several depths."""
        rows = [row for row in self._under_reference if row.kind == "generated"]
        several = Counter(stack for stack, _ in {(row.stack, row.num_layers) for row in rows})
        return [row for row in rows if several[row.stack] > 1]

    @property
    def ego(self) -> list[Effect]:
        """Inputs with ego networks, and the graphs that they are drawn from; empty without ego networks."""
        rows = [row for row in self._under_reference if not row.other_model]
        return _with_bases(rows, "ego")

    @property
    def _under_reference(self) -> list[Effect]:
        return [row for row in self.rows if row.allocator == self.reference_allocator]

    @property
    def _paired(self) -> list[Compared]:
        """Rows that train the same model as none and have ratios to it."""
        rows = [row for row in self._under_reference if row.activation_ratio is not None and not row.other_model]
        return cast("list[Compared]", rows)

    @property
    def _compared(self) -> list[Compared]:
        return [row for row in self._paired if row.policy != row.against]


def _with_bases(rows: Sequence[Row], kind: Kind) -> list[Row]:
    """The rows of one kind, and those of the graphs that these were derived from."""
    bases = {(row.origin, row.base_degree) for row in rows if row.kind == kind}
    wanted = (kind, "generated", "real")
    return [row for row in rows if row.kind in wanted and (row.origin, row.base_degree) in bases]
