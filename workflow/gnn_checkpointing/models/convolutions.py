"""The graph convolutions: PyG's own layers, built so that `forward` neither adds loops nor normalises."""

from __future__ import annotations

from torch import nn
from torch_geometric.nn import EdgeConv, GATConv, GATv2Conv, GCNConv, GINConv, SAGEConv

from gnn_checkpointing.models import templates  # noqa: F401 - its import changes PyG
from gnn_checkpointing.study.architecture import Architecture
from gnn_checkpointing.study.convolutions import CONVOLUTIONS, Convolution
from gnn_checkpointing.study.dotted_names import imported


def build_convolution(
    convolution: Convolution, in_channels: int, out_channels: int, architecture: Architecture
) -> nn.Module:
    """One layer that maps `[num_nodes, in_channels]` to `[num_nodes, out_channels]`."""
    layer: nn.Module = imported(CONVOLUTIONS[convolution].builder)(in_channels, out_channels, architecture)
    return layer


def gcn(before: int, after: int, _: Architecture) -> nn.Module:
    """Kipf and Welling's convolution, whose weights `adjacency.py` normalises."""
    return GCNConv(before, after, normalize=False)  # type: ignore[no-any-return]


def sage(before: int, after: int, _: Architecture) -> nn.Module:
    """GraphSAGE by the mean."""
    return SAGEConv(before, after)  # type: ignore[no-any-return]


def sage_max(before: int, after: int, _: Architecture) -> nn.Module:
    """GraphSAGE by the largest."""
    return SAGEConv(before, after, aggr="max")  # type: ignore[no-any-return]


def gin(before: int, after: int, _: Architecture) -> nn.Module:
    """Graph isomorphism network with a fixed epsilon."""
    return GINConv(_two_layers(before, after))  # type: ignore[no-any-return]


def gat(before: int, after: int, architecture: Architecture) -> nn.Module:
    """Graph attention; `adjacency.py` adds loops."""
    return _attention(GATConv, before, after, architecture)


def gatv2(before: int, after: int, architecture: Architecture) -> nn.Module:
    """Graph attention of the second kind."""
    return _attention(GATv2Conv, before, after, architecture)


def edge_conv(before: int, after: int, _: Architecture) -> nn.Module:
    """A perceptron of both ends of each edge, of which each node takes the largest."""
    return EdgeConv(_two_layers(2 * before, after), aggr="max")  # type: ignore[no-any-return]


def _attention(layer: type[nn.Module], before: int, after: int, architecture: Architecture) -> nn.Module:
    heads, dropout = architecture.heads, architecture.attention_dropout
    return layer(before, after // heads, heads=heads, dropout=dropout, add_self_loops=False)


def _two_layers(before: int, after: int) -> nn.Module:
    return nn.Sequential(nn.Linear(before, after), nn.ReLU(), nn.Linear(after, after))
