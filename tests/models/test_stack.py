"""Convolutions and stacks of them: widths, aggregation, and what people add, under every policy."""

import pytest
import torch
from torch import nn

from checkpointing.small_models import CHANNELS, NODES, built, simple_graph, stepped
from gnn_checkpointing.measurement.probe import compared
from gnn_checkpointing.models.convolutions import adjacency_for, build_convolution
from gnn_checkpointing.models.stack import build_stack
from gnn_checkpointing.study.architecture import Architecture
from gnn_checkpointing.study.convolutions import CONVOLUTIONS, VISION, Convolution

NAMES = [name for name in CONVOLUTIONS if name not in VISION]
ADDED = {"dropout": 0.5, "residual": True, "self_loops": True, "attention_dropout": 0.5}


def layer(convolution: Convolution, heads: int = 1, **options: object) -> nn.Module:
    values = {"convolutions": [convolution], "num_layers": 1, "hidden_channels": 8, "heads": heads, **options}
    return build_convolution(convolution, 6, 8, Architecture.model_validate(values))


@pytest.mark.parametrize("convolution", NAMES)
def test_nodes_are_mapped_from_in_channels_to_out_channels(convolution: Convolution) -> None:
    conv = layer(convolution, heads=2)
    out = conv(torch.randn(5, 6), torch.tensor([[0, 1, 2], [1, 1, 4]]))
    assert out.shape == (5, 8)


@pytest.mark.parametrize(
    ("convolution", "aggregation"), [("SAGE", "mean"), ("SAGE-max", "max"), ("GIN", "add"), ("EdgeConv", "max")]
)
def test_aggregation_is_the_one_of_the_name(convolution: Convolution, aggregation: str) -> None:
    assert layer(convolution).aggr == aggregation


@pytest.mark.parametrize(("convolution", "read"), [("GIN", 6), ("EdgeConv", 12)])
def test_an_mlp_has_two_layers_and_reads_a_node_or_both_ends_of_an_edge(convolution: Convolution, read: int) -> None:
    layers = list(layer(convolution).nn)
    assert [type(layer) for layer in layers] == [nn.Linear, nn.ReLU, nn.Linear]
    assert (layers[0].in_features, layers[0].out_features, layers[2].out_features) == (read, 8, 8)


def test_gins_epsilon_is_not_trained() -> None:
    assert "eps" not in dict(layer("GIN").named_parameters())


def test_initial_weights_depend_on_the_seed_alone() -> None:
    architecture = Architecture(convolutions=["GAT"], num_layers=2, hidden_channels=8, heads=2)
    before = torch.get_rng_state()
    first = build_stack("GAT", architecture, 4, 3, seed=1).state_dict()
    torch.rand(3)
    second = build_stack("GAT", architecture, 4, 3, seed=1).state_dict()
    other = build_stack("GAT", architecture, 4, 3, seed=2).state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)
    torch.set_rng_state(before)


@pytest.mark.parametrize(
    ("convolution", "norm"), [*((name, "batch") for name in ("GCN", "SAGE", "GAT", "GATv2")), ("GATv2", "layer")]
)
def test_policies_draw_nones_masks_and_update_buffers_once(convolution: str, norm: str) -> None:
    """Two steps: the second sees the buffers that the first left."""
    graph = adjacency_for(convolution, simple_graph(), NODES, self_loops=True)
    reference = stepped(built(convolution, "none", norm=norm, **ADDED), graph, steps=2)
    assert len(reference.buffers) == (3 * 4 if norm == "batch" else 0)
    for policy in ("layers", "segments(2)", "selective", "edge_blocks(100)", "layers+edge_blocks(100)"):
        same = compared(stepped(built(convolution, policy, norm=norm, **ADDED), graph, steps=2), reference, 1e-5)
        assert (same.same_loss, same.same_gradients, same.same_buffers) == (True, True, True), policy


@pytest.mark.parametrize("key", ["dropout", "attention_dropout"])
def test_each_dropout_drops(key: str) -> None:
    graph = adjacency_for("GATv2", simple_graph(), NODES)
    losses = [stepped(built("GATv2", "none", **options), graph).loss for options in ({}, {key: 0.5})]
    assert losses[0] != pytest.approx(losses[1], rel=1e-3)


def test_a_residual_joins_equal_widths_alone() -> None:
    first, *others = (block.residual for block in built("GCN", "none", residual=True).blocks)
    assert CHANNELS == 8 and first and all(others)
