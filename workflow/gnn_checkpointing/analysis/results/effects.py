"""The one tidy table of effects, with one row per place, convolution, policy and allocator, and selections from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar, cast

from pydantic import Field

from gnn_checkpointing.analysis.results.base import Result
from gnn_checkpointing.analysis.results.effect import Compared, Effect, Kind, RunToRun
from gnn_checkpointing.analysis.results.frontier import (
    AllocatorEffect,
    BestSegments,
    Flatness,
    ParetoSet,
    Payoff,
    PracticeEffect,
)
from gnn_checkpointing.records.graph_facts import EncodingCost

Row = TypeVar("Row", bound=Effect)


class StudyModel(Result):
    """One model of a study, by the name of its series; `parameters` is None where they were not counted."""

    convolution: str
    num_layers: int
    hidden_channels: int
    heads: int
    parameters: int | None


@dataclass(frozen=True)
class Depths:
    """The models of a study, and the effects of stacks that were measured at several depths."""

    confidence: float
    models: list[StudyModel]
    points: list[Effect]


@dataclass(frozen=True)
class Ego:
    """Graphs as they are and with their ego networks, and what the encodings cost; empty without them."""

    points: list[Effect]
    costs: list[EncodingCost]


class Effects(Result):
    """Every effect of a study, and what follows from those at the headline size; properties select rows."""

    confidence: float
    reference_allocator: str = ""
    reference_family: str | None = Field(None, description="the family that others are compared with; None for one")
    run_to_run: RunToRun | None = None
    rows: list[Effect]
    models: list[StudyModel] = Field([])
    encodings: list[EncodingCost] = Field([], description="what counting ego networks cost, where a study has them")
    best_segments: list[BestSegments] = Field([])
    payoffs: list[Payoff] = Field([])
    pareto: list[ParetoSet] = Field([])
    flatness: list[Flatness] = Field([])
    allocators: list[AllocatorEffect] = Field([])
    practice: list[PracticeEffect] = Field(
        # Not written where there are none: older reports lack it.
        [],
        exclude_if=lambda found: not found,
        description="stacks with what people add, beside the bare ones",
    )

    @property
    def reference(self) -> str:
        """The reference allocator."""
        return self.reference_allocator

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
        """Policies beside none on generated graphs of every size and family, sparse before dense."""
        return [row for row in self._compared if row.kind == "generated"]

    @property
    def generated(self) -> list[Compared]:
        """The same at the headline size of each convolution."""
        return [row for row in self.at_sizes if row.headline]

    @property
    def real(self) -> list[Compared]:
        """Policies beside none on each real graph as it was loaded, sparse before dense."""
        return [row for row in self._compared if row.kind == "real"]

    @property
    def families(self) -> list[Compared]:
        """Policies beside none where the family of the graph differs."""
        return [row for row in self._compared if row.activation_over_reference is not None]

    @property
    def graded(self) -> list[Compared]:
        """Policies beside none on real graphs of changed density, and on those graphs as they are."""
        return _with_bases(self._compared, "graded")

    @property
    def batches(self) -> list[Compared]:
        """All policies on batches, and on the graphs that these are from."""
        return _with_bases(self._paired, "batch")

    @property
    def depths(self) -> Depths:
        """Every model, and the rows of stacks that were measured at several depths."""
        rows = [row for row in self._under_reference if row.kind == "generated"]
        depths = {(row.stack, row.num_layers) for row in rows}
        several = Counter(stack for stack, _ in depths)
        return Depths(self.confidence, self.models, [row for row in rows if several[row.stack] > 1])

    @property
    def ego(self) -> Ego:
        """Inputs with ego networks, and the graphs that they are from."""
        rows = [row for row in self._under_reference if not row.other_model]
        return Ego(_with_bases(rows, "ego"), self.encodings)

    @property
    def _under_reference(self) -> list[Effect]:
        return [row for row in self.rows if row.allocator == self.reference_allocator]

    @property
    def _paired(self) -> list[Compared]:
        """Rows that compute what none computes and have it beside them."""
        rows = [row for row in self._under_reference if row.activation_ratio is not None and not row.other_model]
        return cast("list[Compared]", rows)

    @property
    def _compared(self) -> list[Compared]:
        return [row for row in self._paired if row.policy != row.against]


Frontier = Effects
Variants = Effects


def _with_bases(rows: Sequence[Row], kind: Kind) -> list[Row]:
    """The rows of one kind, and those of the graphs that they were made from."""
    bases = {(row.origin, row.base_degree) for row in rows if row.kind == kind}
    wanted = (kind, "generated", "real")
    return [row for row in rows if row.kind in wanted and (row.origin, row.base_degree) in bases]
