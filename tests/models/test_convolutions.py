"""Every convolution of the study: widths, how it aggregates, and that it neither adds loops nor normalises."""

import pytest
import torch
from torch import nn

from gnn_checkpointing.models.convolutions import build_convolution
from gnn_checkpointing.study.architecture import Architecture
from gnn_checkpointing.study.convolutions import CONVOLUTIONS, VISION, Convolution

NAMES = [name for name in CONVOLUTIONS if name not in VISION]


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
