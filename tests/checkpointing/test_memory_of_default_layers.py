"""Layers with PyG's default arguments: under `edge_blocks` the activations of a step do not grow with the density."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from every_convolution import PNA
from torch import nn
from torch_geometric import nn as pyg

from gnn_checkpointing.checkpointing import apply
from gnn_checkpointing.measurement.peak_memory import step_bytes

pytestmark = pytest.mark.slow

NODES, CHANNELS, SPARSE, DENSE = 1024, 64, 8, 128

LAYERS: dict[str, Callable[[], nn.Module]] = {
    "GCNConv": lambda: pyg.GCNConv(CHANNELS, CHANNELS),
    "GATConv": lambda: pyg.GATConv(CHANNELS, CHANNELS),
    "GATv2Conv": lambda: pyg.GATv2Conv(CHANNELS, CHANNELS),
    "TransformerConv": lambda: pyg.TransformerConv(CHANNELS, CHANNELS),
    "PNAConv": lambda: pyg.PNAConv(CHANNELS, CHANNELS, **PNA, deg=torch.ones(DENSE + 1, dtype=torch.long)),
    "GENConv": lambda: pyg.GENConv(CHANNELS, CHANNELS),
    "GINEConv": lambda: pyg.GINEConv(nn.Linear(CHANNELS, CHANNELS)),
}


def peak_bytes(name: str, policy: str, degree: int) -> int:
    """The most that a step holds beyond what was there before it; the first step has made the tables of the graph."""
    generator = torch.Generator().manual_seed(0)
    sources = torch.randint(0, NODES, (NODES * degree,), generator=generator)
    args = [torch.randn(NODES, CHANNELS, generator=generator)]
    args.append(torch.stack([sources, torch.arange(NODES).repeat_interleave(degree)]))
    if name == "GINEConv":
        args.append(torch.randn(NODES * degree, CHANNELS, generator=generator))
    torch.manual_seed(0)
    model = apply(LAYERS[name](), policy)
    model(*args).sum().backward()
    model.zero_grad(set_to_none=True)
    return step_bytes(lambda: model(*args).sum(), torch.device("cpu")).peak


@pytest.mark.parametrize("name", LAYERS)
def test_sixteen_times_the_edges_take_a_tenth_more_at_most(name: str) -> None:
    """At 8 edges a node the graph is one block of 8 N edges, at 128 it is 16 of the same size."""
    assert peak_bytes(name, "edge_blocks", DENSE) <= 1.10 * peak_bytes(name, "edge_blocks", SPARSE)


@pytest.mark.parametrize("name", LAYERS)
def test_without_a_policy_they_grow_with_the_edges(name: str) -> None:
    """Else the fact above would say nothing."""
    assert peak_bytes(name, "none", DENSE) > 10 * peak_bytes(name, "none", SPARSE)
