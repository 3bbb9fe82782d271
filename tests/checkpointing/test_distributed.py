"""Two processes on one machine: averaged gradients and sharded weights are as without a policy."""

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from small_inputs import EDGES, C, O, X, different_edges, drawn
from small_layers import built
from steps_compared import seed_all
from torch import Tensor, distributed, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.multiprocessing.spawn import spawn
from torch.nn.parallel import DistributedDataParallel
from torch_geometric import nn as pyg

from gnn_checkpointing.checkpointing import apply
from gnn_checkpointing.refusal import Refusal

PROCESSES = 2
POLICIES = ("edge_blocks(8)", "layers", "layers+edge_blocks(8)", "auto")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not distributed.is_gloo_available(), reason="torch was built without gloo"),
]


class Model(nn.Module):
    """Attention, BatchNorm in GIN's network, and a second layer."""

    def __init__(self) -> None:
        super().__init__()
        self.first = pyg.GATv2Conv(C, C)
        self.second = pyg.GINConv(nn.Sequential(nn.Linear(C, C), nn.BatchNorm1d(C), nn.ReLU()))
        self.third = pyg.SAGEConv(C, O)

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        x = self.first(x, edge_index).tanh()
        return self.third(self.second(x, edge_index), edge_index)


def part_of(rank: int) -> tuple[Tensor, Tensor]:
    """Features and edges of a process: each has its own graph, of its own size."""
    return (X, EDGES) if rank == 0 else (drawn(9, C, seed=90), different_edges(9, 9, 20, seed=91))


def trained(model: nn.Module, rank: int, steps: int = 3) -> None:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    seed_all(1)
    for _ in range(steps):
        optimizer.zero_grad()
        model(*part_of(rank)).square().mean().backward()
        optimizer.step()


def whole(value: Tensor) -> Tensor:
    return value.full_tensor() if hasattr(value, "full_tensor") else value.detach()


def data_parallel(model: nn.Module) -> nn.Module:
    return DistributedDataParallel(model)


def sharded(model: nn.Module) -> nn.Module:
    mesh = init_device_mesh("cpu", (PROCESSES,))
    for layer in (model.first, model.second, model.third):
        fully_shard(layer, mesh=mesh)
    return fully_shard(model, mesh=mesh)


def compared(rank: int, meeting: Path) -> None:
    """Runs in each process: compare each policy, applied before wrapping, with the plain model wrapped alike."""
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", f"file://{meeting}", rank=rank, world_size=PROCESSES)
    try:
        for wrap in (data_parallel, sharded):
            compared_when(wrap, rank)
    finally:
        distributed.destroy_process_group()


def compared_when(wrap: Callable[[nn.Module], nn.Module], rank: int) -> None:
    plain = wrap(built(Model))
    trained(plain, rank)
    expected = [whole(weight) for weight in plain.parameters()]
    for policy in POLICIES:
        allowed = contextlib.suppress(Refusal) if policy == "layers+edge_blocks(8)" else contextlib.nullcontext()
        with allowed:
            model = wrap(apply(built(Model), policy))
            trained(model, rank)
            for value, wanted in zip(model.parameters(), expected, strict=True):
                gap = (whole(value) - wanted).abs().max().item()
                assert gap < 1e-5, f"{wrap.__name__}, {policy}: weights differ by {gap}"


def test_two_processes_train_as_they_do_without_a_policy(tmp_path: Path) -> None:
    """DistributedDataParallel and FSDP2 (`fully_shard`) over gloo; most of the time goes into starting processes."""
    spawn(compared, args=(tmp_path / "meeting",), nprocs=PROCESSES, join=True)
