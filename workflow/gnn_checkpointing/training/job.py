"""One training job: a convolution under a policy, trained full-batch on one graph for a fixed number of epochs."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from gnn_checkpointing.artefacts import digest
from gnn_checkpointing.graphs.graph import Graph
from gnn_checkpointing.measurement.device import chosen_device
from gnn_checkpointing.measurement.fingerprint import code_fingerprint, library_versions
from gnn_checkpointing.measurement.workload import Contestant, GraphTask, contestant, graph_task
from gnn_checkpointing.models.adjacency import reordered
from gnn_checkpointing.records.record import SCHEMA_VERSION
from gnn_checkpointing.records.training import REORDERED, TrainingRecord
from gnn_checkpointing.study.contents import model_contents
from gnn_checkpointing.study.design import Cell
from gnn_checkpointing.study.graph_design import derived_seed
from gnn_checkpointing.study.study import Study
from gnn_checkpointing.training.state import Progress, load_state, save_state


@dataclass(frozen=True)
class Job:
    """What one training job is about; policy `REORDERED` is the control that reads the edges in another order."""

    study: Study
    cell: Cell
    graph: Graph
    policy: str

    def fingerprint(self) -> str:
        """Return a digest of all that the loss curve depends on; a state with another one is not resumed."""
        return digest(
            [
                SCHEMA_VERSION,
                self.cell.id,
                self.cell.seed,
                model_contents(self.cell.architecture),
                self.policy,
                self.graph.content_sha256,
                self.study.training.model_dump(mode="json", exclude={"graphs", "save_every"}),
                self.study.measurement.threads,
                code_fingerprint("training"),
                library_versions(),
            ]
        )


def train(job: Job, state_file: Path, tell: Callable[[int, float], None]) -> TrainingRecord:
    """Train to the study's last epoch, from the saved state if there is one, and return the record.

    `tell` hears of each finished epoch. Raises `Refusal` where the policy cannot be applied.
    """
    settings = job.study.training
    torch.set_num_threads(job.study.measurement.threads)
    task = graph_task(job.graph, job.cell, chosen_device(job.study.measurement.device))
    if job.policy == REORDERED:
        task = replace(task, adjacency=reordered(task.adjacency))
    contest = contestant(job.cell, task, "none" if job.policy == REORDERED else job.policy)
    optimizer = torch.optim.Adam(contest.model.parameters(), lr=settings.learning_rate)
    torch.manual_seed(derived_seed(job.cell.seed, "training"))
    fingerprint = job.fingerprint()
    start = time.perf_counter()
    progress = load_state(state_file, fingerprint, contest.model, optimizer)
    losses = list(progress.losses)
    for epoch in range(progress.epoch, settings.epochs):
        losses.append(_epoch(contest, optimizer))
        tell(epoch + 1, losses[-1])
        if (epoch + 1) % settings.save_every == 0 or epoch + 1 == settings.epochs:
            save_state(state_file, fingerprint, Progress(epoch + 1, losses), contest.model, optimizer)
    train_accuracy, test_accuracy = _accuracies(contest.model, task, job.graph)
    return TrainingRecord(
        schema_version=SCHEMA_VERSION,
        study=job.study.name,
        graph=job.graph.id,
        graph_label=job.graph.label,
        convolution=job.cell.convolution,
        policy=job.policy,
        seed=job.cell.seed,
        epochs=settings.epochs,
        losses=losses,
        train_accuracy=train_accuracy,
        test_accuracy=test_accuracy,
        seconds=time.perf_counter() - start,
        resumed_from_epoch=progress.epoch,
    )


def _epoch(contest: Contestant, optimizer: torch.optim.Optimizer) -> float:
    """Take one optimiser step and return the loss before it."""
    optimizer.zero_grad(set_to_none=True)
    loss = contest.forward()
    loss.backward()  # type: ignore[no-untyped-call] # torch annotates it partly
    optimizer.step()
    return float(loss.detach())


def _accuracies(model: nn.Module, task: GraphTask, graph: Graph) -> tuple[float, float]:
    """Return the shares of training and of test nodes whose class is found."""
    model.eval()
    with torch.no_grad():
        found = task.scores(model).argmax(dim=1).cpu()
    right = found == torch.from_numpy(graph.labels)
    return _share(right, torch.from_numpy(graph.train_mask)), _share(right, torch.from_numpy(graph.test_mask))


def _share(right: Tensor, mask: Tensor) -> float:
    return float(right[mask].double().mean())
