"""A training job's saved state: model, optimiser, random state, epoch and losses in one safetensors file, no pickle."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from gnn_checkpointing.artefacts import seal, sealed_bytes, whole_file
from gnn_checkpointing.refusal import Refusal


@dataclass(frozen=True)
class Progress:
    """How far a job has come."""

    epoch: int
    losses: list[float]


def state_name(job: str, policy: str) -> str:
    """Return the name of the file that holds the state of `policy` in a training job."""
    return f"{job}-{re.sub(r'[^A-Za-z0-9]+', '-', policy).strip('-')}.safetensors"


def save_state(
    path: Path, fingerprint: str, progress: Progress, model: nn.Module, optimizer: torch.optim.Optimizer
) -> None:
    """Write the job's whole state to `path`, whole or not at all."""
    tensors: dict[str, Tensor] = {f"model/{name}": value for name, value in model.state_dict().items()}
    for number, values in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer/{number}/{name}": torch.as_tensor(value) for name, value in values.items()}
    tensors["random/cpu"] = torch.get_rng_state()
    if torch.cuda.is_available():
        tensors["random/cuda"] = torch.cuda.get_rng_state()
    metadata = {
        "fingerprint": fingerprint,
        "epoch": str(progress.epoch),
        # JSON keeps a float's shortest exact form, so that a resumed curve is the same to the last bit.
        "losses": json.dumps(progress.losses),
    }
    with whole_file(path) as stream:
        stream.write(save({name: value.contiguous().cpu() for name, value in tensors.items()}, metadata))
    seal(path)


def load_state(path: Path, fingerprint: str, model: nn.Module, optimizer: torch.optim.Optimizer) -> Progress:
    """Restore a saved state into `model`, `optimizer` and the random state; start anew where there is none of ours.

    A file that is damaged, or that another version of the code or of the graph wrote, counts as none.
    """
    try:
        sealed_bytes(path)  # the format has no checksum of its own
        with safe_open(path, framework="pt") as stored:
            metadata = stored.metadata()
            if metadata.get("fingerprint") != fingerprint:
                return Progress(0, [])
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118 - not a dict
    except (FileNotFoundError, SafetensorError, Refusal):
        return Progress(0, [])
    model.load_state_dict(_below(tensors, "model/"))
    state = optimizer.state_dict()
    values: dict[int, dict[str, Tensor]] = {}
    for name, value in _below(tensors, "optimizer/").items():
        number, key = name.split("/")
        values.setdefault(int(number), {})[key] = value
    optimizer.load_state_dict({"state": values, "param_groups": state["param_groups"]})
    torch.set_rng_state(tensors["random/cpu"])
    if "random/cuda" in tensors and torch.cuda.is_available():
        torch.cuda.set_rng_state(tensors["random/cuda"])
    return Progress(int(metadata["epoch"]), json.loads(metadata["losses"]))


def _below(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
