"""The graph convolutions: PyG's own layers, built so that `forward` neither adds loops nor normalises."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn
from torch_geometric.nn import EdgeConv, GATConv, GATv2Conv, GCNConv, GINConv, SAGEConv

from gnn_checkpointing.models import templates  # noqa: F401 - its import changes PyG
from gnn_checkpointing.study.vocabulary import Convolution


def _gcn(in_channels: int, out_channels: int, heads: int) -> nn.Module:  # noqa: ARG001 - one signature for all
    layer: nn.Module = GCNConv(in_channels, out_channels, normalize=False)
    return layer


def _sage(in_channels: int, out_channels: int, heads: int) -> nn.Module:  # noqa: ARG001 - one signature for all
    layer: nn.Module = SAGEConv(in_channels, out_channels)
    return layer


def _sage_max(in_channels: int, out_channels: int, heads: int) -> nn.Module:  # noqa: ARG001 - one signature for all
    layer: nn.Module = SAGEConv(in_channels, out_channels, aggr="max")
    return layer


def _gin(in_channels: int, out_channels: int, heads: int) -> nn.Module:  # noqa: ARG001 - one signature for all
    layer: nn.Module = GINConv(_two_layers(in_channels, out_channels))
    return layer


def _gat(in_channels: int, out_channels: int, heads: int) -> nn.Module:
    layer: nn.Module = GATConv(in_channels, out_channels // heads, heads=heads, add_self_loops=False)
    return layer


def _gatv2(in_channels: int, out_channels: int, heads: int) -> nn.Module:
    layer: nn.Module = GATv2Conv(in_channels, out_channels // heads, heads=heads, add_self_loops=False)
    return layer


def _edge_conv(in_channels: int, out_channels: int, heads: int) -> nn.Module:  # noqa: ARG001 - one signature for all
    layer: nn.Module = EdgeConv(_two_layers(2 * in_channels, out_channels), aggr="max")
    return layer


def _two_layers(in_channels: int, out_channels: int) -> nn.Module:
    return nn.Sequential(nn.Linear(in_channels, out_channels), nn.ReLU(), nn.Linear(out_channels, out_channels))


_BUILDERS: dict[Convolution, Callable[[int, int, int], nn.Module]] = {
    "GCN": _gcn,
    "SAGE": _sage,
    "SAGE-max": _sage_max,
    "GIN": _gin,
    "GAT": _gat,
    "GATv2": _gatv2,
    "EdgeConv": _edge_conv,
}


def build_convolution(convolution: Convolution, in_channels: int, out_channels: int, heads: int) -> nn.Module:
    """Return one layer that maps `[num_nodes, in_channels]` to `[num_nodes, out_channels]`."""
    return _BUILDERS[convolution](in_channels, out_channels, heads)
