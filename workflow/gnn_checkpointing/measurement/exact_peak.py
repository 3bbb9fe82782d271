"""The exact peak of a training step that is never run: its operators on fake tensors, which allocate nothing."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode, unset_fake_temporarily

from gnn_checkpointing.checkpointing import policy_tensors
from gnn_checkpointing.checkpointing.block_plan import EdgeBlock, SortedEdges
from gnn_checkpointing.checkpointing.edge_blocks import tables_of
from gnn_checkpointing.measurement.fake_tensors import LiveBytes, fake_parameters
from gnn_checkpointing.measurement.peak_memory import no_garbage
from gnn_checkpointing.measurement.workload import Contestant, GraphTask, contestant
from gnn_checkpointing.models.adjacency import Adjacency
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.architecture import Architecture
from gnn_checkpointing.study.convolutions import Convolution
from gnn_checkpointing.study.design import Cell
from gnn_checkpointing.study.policy_names import EAGER, parse_policy


@dataclass(frozen=True)
class StepSizes:
    """All that the bytes of a step depend on: the graph's sizes and, for the cuts of blocks, its in-degrees.

    `in_degrees` is int64 `[num_nodes]`, self-loops not counted.
    """

    in_degrees: NDArray[np.int64]
    num_features: int
    num_classes: int
    training_nodes: int

    @property
    def num_nodes(self) -> int:
        """Nodes of the graph."""
        return len(self.in_degrees)


def even_degrees(num_nodes: int, num_edges: int) -> NDArray[np.int64]:
    """Return in-degrees that differ by one at the most, `[num_nodes]`: for a graph of which only sizes are known."""
    ends = np.arange(num_nodes + 1, dtype=np.int64) * num_edges // num_nodes
    return np.diff(ends)


def exact_peak(convolution: Convolution, policy: str, architecture: Architecture, sizes: StepSizes) -> int:
    """Return the peak memory of a training step in bytes, resident included, without allocating it.

    Raises `Refusal` for policies that compute or free past the dispatcher of operators.
    """
    if parse_policy(policy).kind not in EAGER:
        raise Refusal(f"policy {policy}: no exact peak, for it computes or frees past the dispatcher of operators")
    cell = Cell("planned", "planned", convolution, "gather_scatter", "default", False, architecture, 0)
    loops = 1 if convolution == "GCN" else 0
    starts = torch.from_numpy(np.concatenate([[0], np.cumsum(sizes.in_degrees + loops)]).astype(np.int64))
    num_edges = int(starts[-1])
    mode = FakeTensorMode()
    with mode:
        task = _task(sizes, num_edges, weighted=bool(loops))
    contest = contestant(cell, task, policy)
    fake_parameters(contest.model, mode.from_tensor)
    with mode:
        _give_tables(contest, task, starts)
    resident = [*contest.model.parameters(), *contest.model.buffers(), *task.tensors(), *policy_tensors(contest.model)]
    with no_garbage(), mode, LiveBytes(resident) as live:
        contest.step()
    found: int = live.peak + live.resident
    return found


@dataclass(frozen=True)
class _CutElsewhere(SortedEdges):
    """Sorted edges without values, cut by the real places at which each destination's edges start."""

    starts: Tensor = dataclasses.field(default_factory=lambda: torch.zeros(1, dtype=torch.int64))

    def blocks(self, size: int) -> tuple[EdgeBlock, ...]:
        """Return the blocks that the real edges would be cut into."""
        if size not in self._cuts:
            with unset_fake_temporarily():
                self._cuts[size] = SortedEdges(self.starts, self.starts, None, self.num_sources).blocks(size)
        return self._cuts[size]


def _task(sizes: StepSizes, num_edges: int, *, weighted: bool) -> GraphTask:
    """Return what a step reads, made of fake tensors where it is called under their mode."""
    index = torch.empty((2, num_edges), dtype=torch.int64)
    return GraphTask(
        features=torch.empty(sizes.num_nodes, sizes.num_features),
        labels=torch.empty(sizes.training_nodes, dtype=torch.int64),
        train_nodes=torch.empty(sizes.training_nodes, dtype=torch.int64),
        adjacency=Adjacency(index, torch.empty(num_edges) if weighted else None),
        num_classes=sizes.num_classes,
    )


def _give_tables(contest: Contestant, task: GraphTask, starts: Tensor) -> None:
    """Give blocked layers the sorted edges that they would make from values."""
    index = task.adjacency.edge_index
    num_nodes = starts.numel() - 1
    for tables in tables_of(contest.model):
        pointer = torch.empty(starts.numel(), dtype=torch.int64)
        source = torch.empty(index.size(1), dtype=torch.int32)
        tables.keep(index, _CutElsewhere(source, pointer, None, num_nodes, starts=starts))
