"""Attention's written-out gradient is that of the plain layer, for both layers, without any compiler."""

import pytest
import torch
from torch_geometric.nn import GATConv, GATv2Conv

from gnn_checkpointing.checkpointing.adapters import gat as gat_stages
from gnn_checkpointing.checkpointing.adapters import gatv2 as gatv2_stages
from gnn_checkpointing.checkpointing.attention import gat, gatv2

NODES, EDGES = 12, 60
KINDS = {"GAT": (GATConv, gat_stages, gat), "GATv2": (GATv2Conv, gatv2_stages, gatv2)}


def drawn(kind: str):
    """Return a layer's edge inputs in float64, and edges into all nodes but the last, which has none."""
    torch.manual_seed(0)
    layer, stages, attention = KINDS[kind]
    conv = layer(6, 4, heads=3, add_self_loops=False).double()
    inputs = stages.edge_inputs(conv, torch.randn(NODES, 6, dtype=torch.float64), None)
    nodes = inputs.tensors()[: -len(inputs.parameters) or None]
    leaves = inputs.like((*(tensor.detach().requires_grad_() for tensor in nodes), *inputs.parameters))
    source = torch.randint(0, NODES, (EDGES,))
    destination = torch.randint(0, NODES - 1, (EDGES,)).sort().values
    return conv, attention, stages, leaves, source, destination


@pytest.mark.parametrize("kind", KINDS)
def test_the_written_out_gradient_is_autograds(kind: str) -> None:
    """PyG's own messages and softmax, differentiated by autograd, are the reference; float64 leaves no room."""
    conv, attention, _, inputs, source, destination = drawn(kind)
    if kind == "GAT":
        mapped, as_source, as_destination = inputs.tensors()
        shares = conv.edge_update(as_source[source], as_destination[destination], None, destination, None, NODES)
        messages = conv.message(mapped[source], shares)
    else:
        x_j = inputs.sources[0][source]
        shares = conv.edge_update(x_j, inputs.destinations[0][destination], None, destination, None, NODES)
        messages = conv.message(x_j, shares)
    expected = conv.aggregate(messages, destination, None, NODES)
    gradient = torch.randn_like(expected)
    wanted = torch.autograd.grad(expected, inputs.tensors(), gradient)
    with torch.no_grad():
        out, kept = attention.forward(inputs, conv.negative_slope, source, destination, NODES)
        found = attention.gradients(inputs, conv.negative_slope, source, destination, kept, gradient)
    torch.testing.assert_close(out, expected, rtol=1e-10, atol=1e-12)
    for part, reference in zip(found, wanted, strict=True):
        torch.testing.assert_close(part, reference, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("kind", KINDS)
def test_scores_in_the_hundreds_neither_overflow_nor_vanish(kind: str) -> None:
    """exp(89) overflows float32: without the largest score taken off, both passes would be inf or nan."""
    conv, attention, stages, inputs, source, destination = drawn(kind)
    large = inputs.like(tuple(400 * tensor.detach().float() for tensor in inputs.tensors()))
    out, kept = attention.forward(large, conv.negative_slope, source, destination, NODES)
    found = attention.gradients(large, conv.negative_slope, source, destination, kept, torch.ones_like(out))
    assert all(bool(tensor.isfinite().all()) for tensor in (out, *found))
    assert kept[:-1].max() > 89
    torch.testing.assert_close(out, stages.edge_stage(conv.float(), large, source, destination, NODES))


@pytest.mark.parametrize("kind", KINDS)
def test_a_node_without_edges_gets_zero_and_gives_no_gradient(kind: str) -> None:
    conv, attention, _, inputs, source, destination = drawn(kind)
    with torch.no_grad():
        out, kept = attention.forward(inputs, conv.negative_slope, source, destination, NODES)
        found = attention.gradients(inputs, conv.negative_slope, source, destination, kept, torch.ones_like(out))
    assert out[-1].abs().max() == 0
    assert all(bool(tensor.isfinite().all()) for tensor in found)
