"""Training jobs: a convolution under each policy, trained full-batch on one graph for a fixed number of epochs.

A job saves its whole state (model, optimiser, random state, epoch and losses) in one safetensors file without pickle.
If interrupted, it resumes and gives the identical loss curve.
"""

import json
import math
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from gnn_checkpointing.artefacts import digest, seal, sealed_bytes, whole_file
from gnn_checkpointing.graphs.graph import Graph
from gnn_checkpointing.graphs.storage import load_graph
from gnn_checkpointing.measurement.device import chosen_device
from gnn_checkpointing.measurement.fingerprint import code_fingerprint, library_versions
from gnn_checkpointing.measurement.workload import graph_task, subject_of
from gnn_checkpointing.models.convolutions import reordered
from gnn_checkpointing.records.jobs import REORDERED, TrainingRecord
from gnn_checkpointing.records.record import SCHEMA_VERSION
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.contents import model_contents
from gnn_checkpointing.study.design import Cell, training_cell
from gnn_checkpointing.study.graph_design import derived_seed, graph_spec
from gnn_checkpointing.study.study import Study


@dataclass(frozen=True)
class Job:
    """One training job; policy `REORDERED` is the control, which reads the edges in another order."""

    study: Study
    cell: Cell
    graph: Graph
    policy: str

    def fingerprint(self) -> str:
        """Digest of everything that the loss curve depends on; a state with a different digest is not resumed."""
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


def train_under_every_policy(
    study: Study, graph: str, convolution: str, graph_file: Path, output: Path, still_wanted: Callable[[], bool]
) -> list[dict[str, Any]]:
    """Train all jobs and the control; returns their records. A policy that cannot train is left out, with a message."""
    graph_spec(study, graph)
    if convolution not in study.architecture.convolutions:
        raise Refusal(f"--convolution {convolution}: the study has {', '.join(study.architecture.convolutions)}")
    cell, loaded = training_cell(study, graph, convolution), load_graph(graph_file, graph)

    def tell(epoch: int, loss: float) -> None:
        if not still_wanted():
            raise SystemExit(1)
        if epoch % study.training.save_every == 0:
            print(f"epoch {epoch} of {study.training.epochs}, loss {loss:.4f}", flush=True)  # noqa: T201 - its log

    records = []
    for policy in (*study.policies, REORDERED):
        print(f"{convolution} under {policy}", flush=True)  # noqa: T201
        name = f"{output.stem}-{re.sub(r'[^A-Za-z0-9]+', '-', policy).strip('-')}.safetensors"
        try:
            record = train(Job(study, cell, loaded, policy), output.parent / "states" / name, tell)
            records.append(record.model_dump(mode="json"))
        except _Diverged:
            raise
        except Refusal as refusal:
            print(f"not trained: {refusal}", flush=True)  # noqa: T201
    return records


class _Diverged(Refusal):
    """The loss is not finite, which is no policy's fault."""


def train(job: Job, state_file: Path, tell: Callable[[int, float], None]) -> TrainingRecord:
    """Train to the study's last epoch, from the saved state if there is one, and return the record.

    `tell` is called after each epoch. Raises `Refusal` if the policy cannot be applied or the loss diverges.
    """
    settings = job.study.training
    torch.set_num_threads(job.study.measurement.threads)
    task = graph_task(job.graph, job.cell, chosen_device(job.study.measurement.device))
    if job.policy == REORDERED:
        task = replace(task, adjacency=reordered(task.adjacency))
    subject = subject_of(job.cell, task, "none" if job.policy == REORDERED else job.policy)
    optimizer = torch.optim.Adam(subject.model.parameters(), lr=settings.learning_rate)
    torch.manual_seed(derived_seed(job.cell.seed, "training"))
    fingerprint = job.fingerprint()
    start = time.perf_counter()
    losses = _load_state(state_file, fingerprint, subject.model, optimizer)
    resumed_from = len(losses)
    for epoch in range(resumed_from + 1, settings.epochs + 1):
        optimizer.zero_grad(set_to_none=True)
        loss = subject.forward()
        loss.backward()  # type: ignore[no-untyped-call] # torch annotates it partly
        optimizer.step()
        losses.append(float(loss.detach()))
        if not math.isfinite(losses[-1]):
            raise _Diverged(
                f"graph {job.graph.id}, {job.cell.convolution}: the loss is {losses[-1]} in epoch {epoch}; lower "
                "training.learning_rate, or scale the graph's features"
            )
        tell(epoch, losses[-1])
        if epoch % settings.save_every == 0 or epoch == settings.epochs:
            _save_state(state_file, fingerprint, losses, subject.model, optimizer)
    subject.model.eval()
    with torch.no_grad():
        right = task.scores(subject.model).argmax(dim=1).cpu() == torch.from_numpy(job.graph.labels)
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
        train_accuracy=float(right[torch.from_numpy(job.graph.train_mask)].double().mean()),
        test_accuracy=float(right[torch.from_numpy(job.graph.test_mask)].double().mean()),
        seconds=time.perf_counter() - start,
        resumed_from_epoch=resumed_from,
    )


def _save_state(
    path: Path, fingerprint: str, losses: list[float], model: nn.Module, optimizer: torch.optim.Optimizer
) -> None:
    """Write the job's state to `path` atomically; its epoch is the number of losses."""
    tensors: dict[str, Tensor] = {f"model/{name}": value for name, value in model.state_dict().items()}
    for number, values in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer/{number}/{name}": torch.as_tensor(value) for name, value in values.items()}
    tensors["random/cpu"] = torch.get_rng_state()
    if torch.cuda.is_available():
        tensors["random/cuda"] = torch.cuda.get_rng_state()
    # JSON keeps the shortest exact form of a float, so a resumed curve is the same to the last bit.
    metadata = {"fingerprint": fingerprint, "losses": json.dumps(losses)}
    with whole_file(path) as stream:
        stream.write(save({name: value.contiguous().cpu() for name, value in tensors.items()}, metadata))
    seal(path)


def _load_state(path: Path, fingerprint: str, model: nn.Module, optimizer: torch.optim.Optimizer) -> list[float]:
    """Restore a saved state into `model`, `optimizer` and the random state; returns the losses so far.

    The losses are empty if there is no state, or if it is damaged or from other code or another graph.
    """
    try:
        sealed_bytes(path)  # the format has no checksum of its own
        with safe_open(path, framework="pt") as stored:
            metadata = stored.metadata()
            if metadata.get("fingerprint") != fingerprint:
                return []
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118 - not a dict
    except (FileNotFoundError, SafetensorError, Refusal):
        return []
    parts = {name: tensor for name, tensor in tensors.items() if name.startswith("model/")}
    model.load_state_dict({name.removeprefix("model/"): tensor for name, tensor in parts.items()})
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        if name.startswith("optimizer/"):
            _, number, key = name.split("/")
            state.setdefault(int(number), {})[key] = tensor
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
    torch.set_rng_state(tensors["random/cpu"])
    if "random/cuda" in tensors and torch.cuda.is_available():
        torch.cuda.set_rng_state(tensors["random/cuda"])
    losses: list[float] = json.loads(metadata["losses"])
    return losses
