"""`edge_blocks`: its work, its memory, and its exactness."""

import copy
from unittest.mock import Mock

import pytest
import torch
from small_layers import LAYERS, perceptron
from small_models import growth
from steps_compared import outcome, without_zeros
from torch import nn
from torch_geometric.nn import EdgeConv, GATv2Conv, GraphSAGE, SAGEConv

from gnn_checkpointing.checkpointing import apply, edge_blocks, fused, policy_tensors, remove
from gnn_checkpointing.checkpointing.edge_blocks import tables_of
from gnn_checkpointing.checkpointing.policies import policy_of
from gnn_checkpointing.measurement.peak_memory import resident_bytes

NODES, EDGES, C = 150, 2400, 8
DRAWN = torch.randint(0, NODES, (2, EDGES), generator=torch.Generator().manual_seed(1))
SORTED = DRAWN[:, DRAWN[1].argsort(stable=True)].contiguous()
MORE = {
    "SAGE max": lambda: SAGEConv(C, 5, aggr="max"),
    "SAGE max, projected, normalised": lambda: SAGEConv(C, 8, aggr="max", project=True, normalize=True),
    "GATv2 shared, averaged, residual": lambda: GATv2Conv(
        C, 4, heads=2, concat=False, residual=True, share_weights=True, add_self_loops=False
    ),
    "EdgeConv, max": lambda: EdgeConv(perceptron(2 * C)),
    "EdgeConv of one map": lambda: EdgeConv(nn.Linear(2 * C, 8)),
    "EdgeConv, dropout of probability zero": lambda: EdgeConv(perceptron(2 * C, 6, nn.Dropout(0.0), nn.ReLU())),
}


@pytest.mark.parametrize("name", LAYERS | MORE)
@pytest.mark.parametrize("what", ["sorted by destination", "as drawn", "ties"])
def test_a_step_is_that_of_the_plain_layer(name: str, what: str) -> None:
    """Neighbours that attain a maximum together share its gradient; a block holds all edges of a node.

    Features of only 0 and 1 in three channels make ties certain: 16 neighbours each, but only 2^3 possible rows.
    Weights are then sixteenths, whose sums are exact: equal rows have equal products at any place in a matrix product.
    """
    torch.manual_seed(2)
    layer, x = without_zeros((LAYERS | MORE)[name]()), torch.randn(NODES, C)
    if what == "ties":
        x = torch.randint(0, 2, (NODES, C)).float() * (torch.arange(C) < 3)
        with torch.no_grad():
            for weight in layer.parameters():
                weight.copy_((16 * weight).round() / 16)
    assert outcome(layer, "edge_blocks(300)", (x, SORTED if what == "sorted by destination" else DRAWN)) == "exact"


calls = Mock()
"""Counts calls of messages. Not in a list or on the layer: there the count of the second pass would be lost."""


class Counted(SAGEConv):
    def message(self, x_j: torch.Tensor) -> torch.Tensor:
        calls()
        return super().message(x_j)


def test_a_blocks_work_is_done_once_in_each_pass() -> None:
    """A first step also tries the layer once; without a required gradient there is no second pass."""
    sage = edge_blocks(Counted(C, 8), 300)
    x = torch.randn(NODES, C, requires_grad=True)
    sage(x, DRAWN).sum().backward()
    calls.reset_mock()
    (edges,) = tables_of(sage)[0].all_sorted()
    blocks = len(edges.blocks(300))
    assert blocks >= EDGES // 300
    sage(x, DRAWN).sum().backward()
    assert calls.call_count == 2 * blocks
    with torch.no_grad():
        sage(x, DRAWN)
    assert calls.call_count == 3 * blocks
    sage(x.detach(), DRAWN).sum().backward()
    assert calls.call_count == 4 * blocks + 1


def test_the_first_linear_map_of_an_edge_conv_is_made_on_nodes() -> None:
    layer = edge_blocks(EdgeConv(perceptron(2 * C)), 10**6)
    layer(torch.randn(NODES, C), DRAWN)
    assert list(vars(layer)["_cut_layer"]._cutter._agreed.values()) == [True]


class Reversed(EdgeConv):
    """The difference with the opposite sign: the trial must notice it."""

    def message(self, x_i: torch.Tensor, x_j: torch.Tensor) -> torch.Tensor:
        return self.nn(torch.cat([x_i, x_i - x_j], dim=-1))


def hooked() -> nn.Module:
    layer = EdgeConv(perceptron(2 * C))
    layer.nn[0].register_forward_hook(lambda _module, _rows, out: out * 2)
    return layer


@pytest.mark.parametrize("layer", [hooked, lambda: Reversed(perceptron(2 * C))], ids=["hook", "another message"])
@pytest.mark.parametrize("taken", [False, True], ids=["as known", "message taken for the known one"])
def test_a_layer_whose_message_is_another_keeps_it(layer, taken: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if taken:  # skips the analysis of the code, so that only the trial is left
        monkeypatch.setattr(fused, "_EDGE_CONVS", (EdgeConv.message, Reversed.message))
    torch.manual_seed(3)
    plain, x = layer(), torch.randn(NODES, C)
    blocked = edge_blocks(copy.deepcopy(plain), 70)
    torch.testing.assert_close(blocked(x, DRAWN), plain(x, DRAWN))


def test_activation_memory_does_not_grow_with_density() -> None:
    """With 32 times the edges, none's peak grows about as much, and the peak of edge_blocks by less than a tenth.

    At 8 edges per node the graph is one block of 8 N edges, at 256 it is 32 blocks of the same size.
    """
    given = lambda: GATv2Conv(16, 8, heads=2, add_self_loops=False), torch.randn(4096, 16), (8, 256)
    assert growth("none", *given) > 20
    assert growth("edge_blocks", *given) < 1.1


@pytest.mark.parametrize(("edges", "bytes_an_edge"), [(SORTED, 4), (DRAWN, 8)], ids=["sorted", "as drawn"])
def test_tables_are_counted_once_for_all_layers(edges: torch.Tensor, bytes_an_edge: int) -> None:
    """A copy of the sources (int32) and a pointer per node (int64); for unsorted edges also their order (int32)."""
    edge_index = edges.clone()
    model = apply(GraphSAGE(C, C, num_layers=3), "edge_blocks")
    model(torch.randn(NODES, C), edge_index)
    added = resident_bytes([edge_index, *policy_tensors(model)]) - resident_bytes([edge_index])
    assert added == bytes_an_edge * EDGES + 8 * (NODES + 1)


def test_blocks_applied_twice_are_applied_once() -> None:
    layer = edge_blocks(edge_blocks(SAGEConv(4, 4), 10), 20)
    assert policy_of(layer) == "edge_blocks(20)"
    remove(layer)
    assert not {"forward", "propagate"} & set(vars(layer))
