"""One cell's training step under one policy: a fresh model, the graph's tensors, and a loss to be differentiated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gnn_checkpointing.checkpointing import apply, policy_tensors
from gnn_checkpointing.design import Cell
from gnn_checkpointing.graphs.graph import Graph
from gnn_checkpointing.measurement.peak_memory import resident_bytes
from gnn_checkpointing.models.adjacency import Adjacency, adjacency_for
from gnn_checkpointing.models.stack import build_stack


@dataclass(frozen=True)
class Task:
    """What every policy of a cell shares: features `[num_nodes, num_features]`, labels, training nodes, edges."""

    features: Tensor
    labels: Tensor
    train_nodes: Tensor
    adjacency: Adjacency
    num_classes: int

    def tensors(self) -> list[Tensor]:
        """Return the tensors that live before, during and after every step."""
        return [self.features, self.labels, self.train_nodes, *self.adjacency.tensors()]

    def loss(self, model: nn.Module) -> Tensor:
        """Return the mean cross-entropy over the training nodes."""
        scores = model(self.features, self.adjacency.edge_index, self.adjacency.edge_weight)
        return F.cross_entropy(scores.index_select(0, self.train_nodes), self.labels)


def cell_task(graph: Graph, cell: Cell, device: torch.device) -> Task:
    """Return the tensors of `graph` as the cell's convolution reads them; `labels` are those of the training nodes."""
    train_nodes = torch.from_numpy(graph.train_mask).nonzero().flatten()
    edge_index = torch.from_numpy(graph.edge_index)
    adjacency = adjacency_for(cell.convolution, edge_index, graph.num_nodes)
    weight = adjacency.edge_weight
    return Task(
        features=torch.from_numpy(graph.features).to(device),
        labels=torch.from_numpy(graph.labels)[train_nodes].to(device),
        train_nodes=train_nodes.to(device),
        adjacency=Adjacency(adjacency.edge_index.to(device), None if weight is None else weight.to(device)),
        num_classes=graph.num_classes,
    )


@dataclass(frozen=True)
class Contestant:
    """One policy in a cell: its model, made from the cell's seed, and the task."""

    policy: str
    model: nn.Module
    task: Task

    def forward(self) -> Tensor:
        """Return the loss of one forward pass."""
        return self.task.loss(self.model)

    def step(self) -> None:
        """Run forward, loss and backward; the optimiser, the same for every policy, is left out."""
        # torch annotates Tensor.backward only partly.
        self.forward().backward()  # type: ignore[no-untyped-call]

    def drop_gradients(self) -> None:
        """Set all gradients to None, so that each step makes its own."""
        for parameter in self.model.parameters():
            parameter.grad = None

    def resident(self) -> tuple[int, int]:
        """Return the bytes that live before a step, and the part of them that the policy adds."""
        own = [*self.model.parameters(), *self.model.buffers(), *self.task.tensors()]
        without = resident_bytes(own)
        total = resident_bytes([*own, *policy_tensors(self.model)])
        return total, total - without


def contestant(cell: Cell, task: Task, policy: str) -> Contestant:
    """Return `policy` applied to a fresh model; raises `Refusal` where the policy cannot be."""
    model = build_stack(cell.convolution, cell.architecture, task.features.size(1), task.num_classes, cell.seed)
    model.to(task.features.device).train()
    return Contestant(policy, apply(model, policy), task)


def seeded(contest: Contestant, seed: int, action: Callable[[], Tensor]) -> Tensor:
    """Run `action` from a fixed random state, so that dropout draws the same masks under every policy."""
    devices = [contest.task.features.device] if contest.task.features.is_cuda else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        return action()
