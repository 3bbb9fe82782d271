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
from gnn_checkpointing.models.reversible import build_reversible_stack
from gnn_checkpointing.models.stack import build_stack
from gnn_checkpointing.policy_names import OTHER_MODELS, parse_policy
from gnn_checkpointing.refusal import Refusal


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
    adjacency = adjacency_for(cell.convolution, edge_index, graph.num_nodes, cell.aggregation)
    return Task(
        features=torch.from_numpy(graph.features).to(device),
        labels=torch.from_numpy(graph.labels)[train_nodes].to(device),
        train_nodes=train_nodes.to(device),
        adjacency=adjacency.to(device),
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
    if cell.aggregation == "spmm":
        _refuse_sparse(policy)
    return Contestant(policy, apply(_fresh_model(cell, task, policy), policy), task)


def twin(cell: Cell, task: Task, policy: str) -> Contestant:
    """Return what `policy` must compute the same as: its own model, without any saving of memory."""
    return Contestant("none", _fresh_model(cell, task, policy), task)


def _refuse_sparse(policy: str) -> None:
    """Refuse what a sparse product leaves nothing to do for, and what PyTorch cannot do with a sparse matrix."""
    kind = parse_policy(policy).kind
    if "edge_blocks" in kind:
        raise Refusal(f"policy {policy}: aggregation spmm makes no messages: there is nothing to cut into blocks")
    if kind in ("compiled", "memory_budget"):
        raise Refusal(f"policy {policy}: aggregation spmm reads a sparse matrix, which torch.compile does not take")


def _fresh_model(cell: Cell, task: Task, policy: str) -> nn.Module:
    build = build_reversible_stack if parse_policy(policy).kind in OTHER_MODELS else build_stack
    model = build(cell.convolution, cell.architecture, task.features.size(1), task.num_classes, cell.seed)
    return model.to(task.features.device).train()


def seeded(contest: Contestant, seed: int, action: Callable[[], Tensor]) -> Tensor:
    """Run `action` from a fixed random state, so that dropout draws the same masks under every policy."""
    devices = [contest.task.features.device] if contest.task.features.is_cuda else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        return action()
