"""`compiled_edge_blocks` and `fused_edge_blocks`: what they compile, what they keep, and that they compute the same."""

import copy

import pytest
import torch
from small_models import CHANNELS, FEATURES, NODE_MAP, NODES, adjacency, built, bytes_of, stepped
from torch import nn
from torch._dynamo.utils import counters
from torch_geometric.nn import GATv2Conv, GraphConv, SAGEConv

from gnn_checkpointing.checkpointing import apply
from gnn_checkpointing.checkpointing.compiled_edge_blocks import compiled_edge_blocks
from gnn_checkpointing.checkpointing.fused_edge_blocks import fused_edge_blocks
from gnn_checkpointing.measurement.sameness import compared
from gnn_checkpointing.refusal import Refusal

pytestmark = pytest.mark.usefixtures("compiler")


def graphs_compiled() -> int:
    return counters["stats"]["unique_graphs"]


@pytest.mark.parametrize("convolution", ["GCN", "SAGE-max", "GATv2", "EdgeConv"])
def test_a_step_is_nones_from_two_kernels_for_all_blocks_and_layers(convolution: str) -> None:
    """60 nodes of 8 edges (GCN: and itself) in blocks of 100: 5 or more blocks, 3 layers of one shape, 2 kernels.

    A layer keeps its input, N x F; SAGE also the aggregates that its second map reads. Beside these the head keeps its
    input, which is the last ReLU's result, the loss the scores, N x 3, and itself.
    """
    graph = adjacency(convolution)
    before = graphs_compiled()
    model = built(convolution, "compiled_edge_blocks(100)", num_layers=3)
    same = compared(stepped(model, graph), stepped(built(convolution, "none", num_layers=3), graph), 1e-5)
    assert same.same_loss and same.same_gradients
    # Raw features need no gradient, which is a pullback of its own where the layer maps them inside its blocks.
    assert graphs_compiled() - before <= (2 if convolution in {"GCN", "GATv2"} else 3)
    kept = {"GCN": 3, "GATv2": 3, "EdgeConv": 3, "SAGE-max": 3 + 3}[convolution]
    assert bytes_of(model, graph).saved == kept * NODE_MAP + NODES * 3 * 4 + 4


def test_fused_keeps_one_number_a_node_and_head_and_nothing_of_an_edge() -> None:
    """Beside each layer's input: N x 2 heads x 4 bytes a layer; head and loss as above."""
    graph = adjacency("GATv2")
    model = built("GATv2", "fused_edge_blocks(100)", num_layers=3)
    same = compared(stepped(model, graph), stepped(built("GATv2", "none", num_layers=3), graph), 1e-5)
    assert same.same_loss and same.same_gradients
    assert bytes_of(model, graph).saved == 3 * (NODE_MAP + NODES * 2 * 4) + NODES * 3 * 4 + 4


def test_blocks_of_nothing_and_of_one_edge_are_computed_as_well() -> None:
    """Nodes 0 to 29 receive edges from their three neighbours, 58 one, all others none: blocks of 0 and 1 edges."""
    nodes = torch.arange(30).repeat_interleave(3)
    edge_index = torch.cat([torch.stack([(nodes + torch.arange(90) % 3) % NODES, nodes]), torch.tensor([[5], [58]])], 1)
    for wrap in (fused_edge_blocks, compiled_edge_blocks):
        plain = GATv2Conv(CHANNELS, 4, heads=2, add_self_loops=False)
        found = []
        for layer in (plain, wrap(copy.deepcopy(plain), 20)):
            x = FEATURES.clone().requires_grad_()
            out = layer(x, edge_index)
            out.square().sum().backward()
            found.append((out.detach(), x.grad, layer.att.grad))
        torch.testing.assert_close(found[1], found[0], rtol=1e-4, atol=1e-6)


def test_a_layer_without_an_adapter_is_compiled_whole() -> None:
    graph = adjacency("SAGE")
    plain = GraphConv(CHANNELS, 5)
    found = []
    for layer in (plain, compiled_edge_blocks(copy.deepcopy(plain), 100)):
        x = FEATURES.clone().requires_grad_()
        layer(x, graph.edge_index).square().sum().backward()
        found.append((x.grad, *(parameter.grad for parameter in layer.parameters())))
    torch.testing.assert_close(found[1], found[0], rtol=1e-4, atol=1e-5)


def test_a_layer_that_does_not_attend_is_not_fused_and_the_refusal_says_what_is() -> None:
    with pytest.raises(Refusal, match="SAGEConv: only GATConv and GATv2Conv attend; use compiled_edge_blocks"):
        apply(nn.ModuleList([GATv2Conv(4, 4, add_self_loops=False), SAGEConv(4, 4)]), "fused_edge_blocks")
