"""Every aggregation that a layer can use: exact on blocks of whole destinations, or refused."""

from collections.abc import Mapping
from typing import Any

import torch
from every_convolution import BLOCKS, NAMED, THREE, Build, Configuration, Group, called, each
from small_inputs import DEGREES, EDGES, NODES, PAIR, PAIR_EDGES, C, O, X, drawn
from small_layers import Aggregated, Itself
from torch import Tensor, nn
from torch_geometric import nn as pyg
from torch_geometric.nn import aggr

SORTED = EDGES[:, EDGES[1].argsort(stable=True)].contiguous()
SORTED_PAIR = PAIR_EDGES[:, PAIR_EDGES[1].argsort(stable=True)].contiguous()
GRAPHS = {
    "one graph": (X, SORTED),
    "a pair": (PAIR, SORTED_PAIR),
    # Blocks begin and end with nodes without incoming edges.
    "every third node receives edges": (X, torch.stack([SORTED[0], SORTED[1] // 3 * 3])),
    # The blocks of the first nodes do not contain the largest degree.
    "degrees of one to eight": (
        X,
        torch.stack([torch.arange(36) % NODES, torch.arange(8).repeat_interleave(torch.arange(1, 9))]),
    ),
}
SIMPLE = ("sum", "add", "mean", "max", "min", "mul", "var", "std", "median", "softmax", "powermean")
PADDED = {
    "LSTM": lambda: aggr.LSTMAggregation(C, C),
    "GRU": lambda: aggr.GRUAggregation(C, C),
    "patch transformer": lambda: aggr.PatchTransformerAggregation(C, C, 2, C, num_transformer_blocks=1),
}
"""PyG pads each node's messages to the largest degree of the graph and reads the last state: the result depends on
other nodes' degrees, so blocks may refuse these."""
MODULES: dict[str, Build] = {
    "quantile": lambda: aggr.QuantileAggregation([0.25, 0.75]),
    "learnable softmax": lambda: aggr.SoftmaxAggregation(learn=True),
    "softmax per channel": lambda: aggr.SoftmaxAggregation(learn=True, channels=C),
    "half a gradient": lambda: aggr.SoftmaxAggregation(t=0.5, semi_grad=True),
    "learnable powermean": lambda: aggr.PowerMeanAggregation(learn=True),
    "median, a module": lambda: aggr.MedianAggregation(),
    "attention": lambda: aggr.AttentionalAggregation(nn.Linear(C, 1), nn.Linear(C, C)),
    "deep sets": lambda: aggr.DeepSetsAggregation(nn.Linear(C, C), nn.Linear(C, C)),
    "degree scaler": lambda: aggr.DegreeScalerAggregation(["mean", "max"], ["identity", "amplification"], DEGREES),
    "learnable degree scaler": lambda: aggr.DegreeScalerAggregation(
        ["mean", "std"], ["linear", "inverse_linear"], DEGREES, train_norm=True
    ),
    "variance preserving": lambda: aggr.VariancePreservingAggregation(),
    "set transformer": lambda: aggr.SetTransformerAggregation(C, heads=2, layer_norm=True),
    "Set2Set": lambda: aggr.Set2Set(C, processing_steps=2),
    "sorted": lambda: aggr.SortAggregation(k=2),
    "several": lambda: aggr.MultiAggregation(["mean", "max", "std", "median"]),
    "several, projected": lambda: aggr.MultiAggregation(
        ["mean", "max", "std"], mode="proj", mode_kwargs={"in_channels": C, "out_channels": C}
    ),
    "several, attended": lambda: aggr.MultiAggregation(
        ["mean", "max"], mode="attn", mode_kwargs={"in_channels": C, "out_channels": C, "num_heads": 2}
    ),
    "several, summed": lambda: aggr.MultiAggregation(["softmax", "powermean"], mode="sum"),
    "a list": lambda: ["mean", aggr.SoftmaxAggregation(learn=True), "max"],
}
ACROSS_DESTINATIONS: dict[str, Build] = {
    "attention with BatchNorm": lambda: aggr.AttentionalAggregation(
        nn.Sequential(nn.Linear(C, C), nn.BatchNorm1d(C), nn.Linear(C, 1))
    ),
    "deep sets with BatchNorm": lambda: aggr.DeepSetsAggregation(
        nn.Identity(), nn.Sequential(nn.Linear(C, C), nn.BatchNorm1d(C))
    ),
    "deep sets with GraphNorm": lambda: aggr.DeepSetsAggregation(nn.Sequential(nn.Linear(C, C), pyg.GraphNorm(C))),
    "MLP with BatchNorm": lambda: mlp_aggregation(SORTED, num_layers=2, hidden_channels=C, norm="batch_norm"),
}


def mlp_aggregation(edges: Tensor, **options: Any) -> Any:
    most = int(edges[1].bincount().max())
    return aggr.MLPAggregation(C, C, max_num_elements=most, **{"num_layers": 1} | options)


def aggregated(builds: Mapping[str, Build], *graphs: str, mlp: bool = False) -> dict[str, Configuration]:
    """Each aggregation on each graph; with `mlp`, also MLPAggregation, which needs the graph's largest degree."""
    found = {}
    for graph in graphs:
        edges = GRAPHS[graph][1]
        some = {**builds, "MLP": lambda e=edges: mlp_aggregation(e)} if mlp else builds
        found |= {f"{name}, {graph}": called(lambda b=b: Aggregated(b()), *GRAPHS[graph]) for name, b in some.items()}
    return found


BY_NAME: dict[str, Build] = {name: lambda name=name: name for name in SIMPLE}
TIED = (drawn(NODES, C, seed=64).round(), torch.cat([EDGES, EDGES], dim=1))
"""Many equal messages: the way a tie is split changes the result."""


class OfItsOwn(pyg.GCNConv):
    """PyG writes the code of a class for its first layer: without sparse products, if that one takes medians."""


AGGREGATIONS: dict[str, Group] = {
    "aggregation": Group(aggregated(BY_NAME | MODULES, "one graph", mlp=True)),
    "aggregation of one edge at a time": Group(aggregated(BY_NAME, "one graph"), ("edge_blocks(1)",)),
    "aggregation for pairs": Group(aggregated(MODULES, "a pair", mlp=True), BLOCKS),
    "aggregation with empty nodes": Group(
        aggregated(BY_NAME | MODULES, "every third node receives edges", mlp=True), ("edge_blocks(4)",)
    ),
    "padded aggregation": Group(aggregated(PADDED, *GRAPHS), THREE, BLOCKS),
    "aggregation of edges in any order": Group(
        each({str(a): lambda a=a: Aggregated(a) for a in ("mean", "max", "std", "softmax", ["sum", "min"])})
    ),
    "aggregation that sees other destinations": Group(aggregated(ACROSS_DESTINATIONS, "one graph"), THREE, NAMED),
    "own aggregation": Group(
        {"any order": called(Itself, X, EDGES), "sorted": called(Itself, X, SORTED)}, THREE, BLOCKS
    ),
    "aggregation under kernels": Group(
        each({n: lambda n=n: getattr(pyg, n)(C, O, aggr="max") for n in ("GATConv", "GATv2Conv")}, X, SORTED),
        ("fused_edge_blocks(8)",),
    ),
    "equal medians": Group(
        each({"weights that do not learn": lambda: OfItsOwn(C, O, aggr="median")}, *TIED),
        ("edge_blocks(8)", "fused_edge_blocks"),
    ),
    "equal maxima": Group(each({a: lambda a=a: pyg.SimpleConv(aggr=a) for a in ("max", "min")}, *TIED)),
}
