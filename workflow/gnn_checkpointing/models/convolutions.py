"""The graph convolutions: PyG's own layers, built so that `forward` neither adds loops nor normalises.

Nothing of PyG's is left in the folder for temporary files, where it writes one for each class of layers and process.
"""

import linecache
import sys
from collections.abc import Callable
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import torch
from torch import nn
from torch_geometric.nn import EdgeConv, GATConv, GATv2Conv, GCNConv, GINConv, SAGEConv
from torch_geometric.nn.conv import message_passing

from gnn_checkpointing.study.architecture import Architecture
from gnn_checkpointing.study.convolutions import CONVOLUTIONS, VISION, Convolution

Builder = Callable[[int, int, Architecture], nn.Module]
"""From the channels before and after to a layer."""

_made = message_passing.module_from_template


def build_convolution(
    convolution: Convolution, in_channels: int, out_channels: int, architecture: Architecture
) -> nn.Module:
    """One layer that maps `[num_nodes, in_channels]` to `[num_nodes, out_channels]`."""
    layer: nn.Module = resolve_name(CONVOLUTIONS[convolution].builder)(in_channels, out_channels, architecture)
    return layer


def generate_code() -> None:
    """Have PyG generate its code for each of its classes here: whoever forks from this process has it.

    The layers have no values, so no random number is drawn.
    """
    with torch.device("meta"):
        for name in CONVOLUTIONS.keys() - VISION:
            build_convolution(name, 1, 1, Architecture(convolutions=(name,), num_layers=1, hidden_channels=1, heads=1))


def _plain(layer: type[nn.Module], **options: Any) -> Builder:
    return lambda before, after, _: layer(before, after, **options)


def _attention(layer: type[nn.Module]) -> Builder:
    def build(before: int, after: int, architecture: Architecture) -> nn.Module:
        heads, dropout = architecture.heads, architecture.attention_dropout
        return layer(before, after // heads, heads=heads, dropout=dropout, add_self_loops=False)

    return build


gcn = _plain(GCNConv, normalize=False)
sage, sage_max = _plain(SAGEConv), _plain(SAGEConv, aggr="max")
gat, gatv2 = _attention(GATConv), _attention(GATv2Conv)
"""`adjacency.py` normalises GCN's weights, and adds the loops of attention."""


def gin(before: int, after: int, _: Architecture) -> nn.Module:
    """Graph isomorphism network with a fixed epsilon."""
    return GINConv(_two_layers(before, after))  # type: ignore[no-any-return]


def edge_conv(before: int, after: int, _: Architecture) -> nn.Module:
    """A perceptron of both ends of each edge, of which each node takes the largest."""
    return EdgeConv(_two_layers(2 * before, after), aggr="max")  # type: ignore[no-any-return]


def _two_layers(before: int, after: int) -> nn.Module:
    return nn.Sequential(nn.Linear(before, after), nn.ReLU(), nn.Linear(after, after))


def _module_from_template(*arguments: Any, **options: Any) -> Any:
    """The module that PyG made of a template, without its file; its lines are kept for tracebacks and compilers."""
    written, sys.dont_write_bytecode = sys.dont_write_bytecode, True  # else Python keeps a compiled copy beside it
    try:
        module = _made(*arguments, **options)
    finally:
        sys.dont_write_bytecode = written
    path = Path(str(module.__file__))
    if path.exists():
        lines = path.read_text().splitlines(keepends=True)
        # Without a date, an entry is never compared with its file.
        linecache.cache[str(path)] = (sum(map(len, lines)), None, lines, str(path))
        path.unlink()
    return module


message_passing.module_from_template = _module_from_template
