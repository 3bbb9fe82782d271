"""Build PyG's graph convolutions, and the graphs that they read, with self-loops and weights computed once in advance.

PyG writes a temporary file for each layer class and process; these files are deleted at once.
"""

import linecache
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from pkgutil import resolve_name
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch_geometric.nn import EdgeConv, GATConv, GATv2Conv, GCNConv, GINConv, SAGEConv
from torch_geometric.nn.conv import message_passing
from torch_geometric.nn.conv.gcn_conv import gcn_norm
from torch_geometric.utils import add_self_loops, remove_self_loops

from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.architecture import Architecture
from gnn_checkpointing.study.convolutions import ATTENTION, CONVOLUTIONS, SPARSE_PRODUCT, VISION, Convolution
from gnn_checkpointing.study.vocabulary import Aggregation

Builder = Callable[[int, int, Architecture], nn.Module]
"""Builds a layer from its input and output channels and the architecture."""

_made = message_passing.module_from_template


def build_convolution(
    convolution: Convolution, in_channels: int, out_channels: int, architecture: Architecture
) -> nn.Module:
    """Build one layer that maps `[num_nodes, in_channels]` to `[num_nodes, out_channels]`."""
    layer: nn.Module = resolve_name(CONVOLUTIONS[convolution].builder)(in_channels, out_channels, architecture)
    return layer


def generate_code() -> None:
    """Let PyG generate the code of all its layer classes now, so that forked processes inherit it.

    The layers are built on the meta device, so no random numbers are drawn.
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
"""`adjacency_for` normalises GCN's weights, and adds self-loops for attention."""


def gin(before: int, after: int, _: Architecture) -> nn.Module:
    """Graph isomorphism network with a fixed epsilon."""
    return GINConv(_two_layers(before, after))  # type: ignore[no-any-return]


def edge_conv(before: int, after: int, _: Architecture) -> nn.Module:
    """EdgeConv: a two-layer perceptron of both ends of each edge, and the maximum over each node's edges."""
    return EdgeConv(_two_layers(2 * before, after), aggr="max")  # type: ignore[no-any-return]


def _two_layers(before: int, after: int) -> nn.Module:
    return nn.Sequential(nn.Linear(before, after), nn.ReLU(), nn.Linear(after, after))


def _module_from_template(*arguments: Any, **options: Any) -> Any:
    """Let PyG make a module from a template, and delete its file; tracebacks and compilers still find its lines."""
    written, sys.dont_write_bytecode = sys.dont_write_bytecode, True  # else Python writes a compiled copy next to it
    try:
        module = _made(*arguments, **options)
    finally:
        sys.dont_write_bytecode = written
    path = Path(str(module.__file__))
    if path.exists():
        lines = path.read_text().splitlines(keepends=True)
        # An entry without a modification time is never compared with its file.
        linecache.cache[str(path)] = (sum(map(len, lines)), None, lines, str(path))
        path.unlink()
    return module


message_passing.module_from_template = _module_from_template


@dataclass(frozen=True)
class Adjacency:
    """The graph that a model reads besides features: edges sorted by destination, or the same as a sparse matrix.

    `edge_index` is int64 `[2, num_edges]`, with `edge_weight` float32 `[num_edges]` if the convolution needs it; or it
    is a sparse CSR matrix `[num_nodes, num_nodes]`, with a row for each destination and the weights as values.
    """

    edge_index: Tensor
    edge_weight: Tensor | None

    def tensors(self) -> list[Tensor]:
        """The plain tensors that stay in memory during a step."""
        if self.edge_index.layout == torch.sparse_csr:
            return [self.edge_index.crow_indices(), self.edge_index.col_indices(), self.edge_index.values()]
        return [self.edge_index] if self.edge_weight is None else [self.edge_index, self.edge_weight]

    def to(self, device: torch.device) -> Self:
        """The same on `device`."""
        weight = self.edge_weight
        return type(self)(self.edge_index.to(device), None if weight is None else weight.to(device))


def _taken(edge_index: Tensor, weight: Tensor | None, order: Tensor) -> Adjacency:
    return Adjacency(edge_index[:, order].contiguous(), None if weight is None else weight[order])


def reordered(adjacency: Adjacency) -> Adjacency:
    """The same edges, still sorted by destination, with the edges of each destination in reverse order.

    Sums over neighbours then round differently; in exact arithmetic nothing changes.
    """
    last = adjacency.edge_index.size(1) - 1
    order = last - torch.argsort(adjacency.edge_index[1].flip(0), stable=True)
    return _taken(adjacency.edge_index, adjacency.edge_weight, order)


def adjacency_for(
    convolution: Convolution,
    edge_index: Tensor,
    num_nodes: int,
    aggregation: Aggregation = "gather_scatter",
    self_loops: bool = False,
) -> Adjacency:
    """The adjacency that `convolution` reads under `aggregation`.

    GCN gets self-loops and symmetric normalisation, D^-1/2 (A + I) D^-1/2 (Kipf and Welling, 2017). With `self_loops`,
    attention gets one self-loop for each node, as PyG's layers add them. The others read the graph as it is.
    `edge_index` is `[2, num_edges]`; the result is sorted by destination.
    """
    weight: Tensor | None = None
    if convolution == "GCN":
        edge_index, weight = gcn_norm(edge_index, None, num_nodes, improved=False, add_self_loops=True)
    elif self_loops and convolution in ATTENTION:
        edge_index, _ = add_self_loops(remove_self_loops(edge_index)[0], num_nodes=num_nodes)
    found = Adjacency(edge_index, weight)
    if not bool((edge_index[1].diff() >= 0).all()):
        found = _taken(edge_index, weight, torch.argsort(edge_index[1], stable=True))
    if aggregation == "gather_scatter":
        return found
    if convolution not in SPARSE_PRODUCT:
        raise Refusal(f"aggregation spmm: {convolution} is no sparse product; allowed: {sorted(SPARSE_PRODUCT)}")
    return Adjacency(_sparse_matrix(found, num_nodes), None)


def _sparse_matrix(adjacency: Adjacency, num_nodes: int) -> Tensor:
    """The CSR matrix by which PyG's layers multiply: a row for each destination, a column for each source."""
    source, destination = adjacency.edge_index
    order = torch.argsort(destination * num_nodes + source)  # GCN's self-loops stand last in their rows
    # int32 halves the bytes, for the matrix and for the transposed one that PyTorch makes in each backward pass.
    kind = torch.int32 if source.numel() < 2**31 else torch.int64
    pointer = torch.zeros(num_nodes + 1, dtype=kind)
    pointer[1:] = torch.bincount(destination, minlength=num_nodes).cumsum(0)
    weight = adjacency.edge_weight
    values = torch.ones(source.numel()) if weight is None else weight[order]
    columns = source[order].to(kind)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta")
        return torch.sparse_csr_tensor(pointer, columns, values, (num_nodes, num_nodes), check_invariants=True)
