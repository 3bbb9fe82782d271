"""Messages that depend on other edges or carry state: exact in blocks or refused, never silently different."""

from collections.abc import Callable, Mapping

import torch
from every_convolution import BLOCKS, EVERY, NAMED, THREE, Configuration, Group, called, each
from other_convolutions import CONVOLUTIONS
from small_inputs import ATTRIBUTES, EDGES, NODES, POSITION, WEIGHT, C, D, O, X, drawn
from small_layers import Centered, CountingEdges, Own, perceptron
from torch import Tensor, nn
from torch.nn.utils import parametrizations
from torch_geometric import nn as pyg


class Mean(nn.Module):
    """A user's own norm: it subtracts the mean over all edges."""

    def forward(self, x: Tensor) -> Tensor:
        return x - x.mean(dim=0)


OVER_ALL_EDGES: dict[str, Callable[[int], nn.Module]] = {
    "GraphNorm": pyg.GraphNorm,
    "InstanceNorm": pyg.InstanceNorm,
    "InstanceNorm with running statistics": lambda n: pyg.InstanceNorm(n, affine=True, track_running_stats=True),
    "PairNorm": lambda _: pyg.PairNorm(),
    "LayerNorm of the graph": lambda n: pyg.LayerNorm(n, mode="graph"),
    "MeanSubtractionNorm": lambda _: pyg.MeanSubtractionNorm(),
    "DiffGroupNorm": lambda n: pyg.DiffGroupNorm(n, groups=2),
    "GraphSizeNorm": lambda _: pyg.GraphSizeNorm(),
    "PyG's BatchNorm": pyg.BatchNorm,
    "PyTorch's BatchNorm": nn.BatchNorm1d,
    "BatchNorm, cumulative": lambda n: nn.BatchNorm1d(n, momentum=None),
    "a user's own": lambda _: Mean(),
    "softmax over edges": lambda _: nn.Softmax(dim=0),
}
OVER_ONE_EDGE: dict[str, Callable[[int], nn.Module]] = {
    "PyTorch's LayerNorm": nn.LayerNorm,
    "LayerNorm of a node": lambda n: pyg.LayerNorm(n, mode="node"),
    "GroupNorm": lambda n: nn.GroupNorm(2, n),
    "RMSNorm": nn.RMSNorm,
}
SPECTRAL: dict[str, Callable[[int], nn.Module]] = {
    "spectral norm": lambda n: parametrizations.spectral_norm(nn.Linear(n, n)),
    "old spectral norm": lambda n: nn.utils.spectral_norm(nn.Linear(n, n)),
    "weight norm": lambda n: parametrizations.weight_norm(nn.Linear(n, n)),
}


NORMS = OVER_ALL_EDGES | OVER_ONE_EDGE | SPECTRAL


def edge_conv(norm: nn.Module) -> nn.Module:
    return pyg.EdgeConv(perceptron(2 * C, O, norm), aggr="sum")


def gine(norm: nn.Module) -> nn.Module:
    layer = pyg.GINEConv(perceptron(O, O))
    layer.lin = nn.Sequential(nn.Linear(D, O), norm)
    return layer


HOSTS: dict[str, tuple[Callable[[nn.Module], nn.Module], tuple]] = {
    "EdgeConv": (edge_conv, (X, EDGES)),
    "GINE": (gine, (drawn(NODES, O, seed=60), EDGES, ATTRIBUTES)),
    "PointNet": (lambda norm: pyg.PointNetConv(nn.Sequential(nn.Linear(C + 3, O), norm)), (X, POSITION, EDGES)),
    "NNConv": (
        lambda norm: pyg.NNConv(C, O, nn.Sequential(nn.Linear(D, O), norm, nn.Linear(O, C * O))),
        (X, EDGES, ATTRIBUTES),
    ),
}


def hosted(norms: Mapping[str, Callable[[int], nn.Module]], *hosts: str) -> dict[str, Configuration]:
    """Each norm inside the messages of each host."""
    return {
        f"{name} in {host}": called(lambda make=make, norm=norm: make(norm(O)), *args)
        for host, (make, args) in HOSTS.items()
        for name, norm in norms.items()
        if not hosts or host in hosts
    }


OWN_MESSAGES: dict[str, Callable[[Tensor, bool], Tensor]] = {
    "the mean taken away": lambda x_j, _: x_j - x_j.mean(dim=0),
    "divided by the number of edges": lambda x_j, _: x_j / len(x_j),
    "divided by the largest": lambda x_j, _: x_j / x_j.abs().max(),
    "a running sum": lambda x_j, _: x_j.cumsum(dim=0),
    "a softmax over edges": lambda x_j, _: x_j.softmax(dim=0),
    "counted by place": lambda x_j, _: x_j * torch.arange(len(x_j)).unsqueeze(1),
    "the neighbour in the list": lambda x_j, _: x_j.roll(1, dims=0),
    "edges compared with edges": lambda x_j, _: (x_j @ x_j.t()).softmax(dim=1) @ x_j,
    "edges sorted": lambda x_j, _: x_j.sort(dim=0).values,
    "edges compared with the first": lambda x_j, _: x_j - x_j[:1],
}
STATIC = (
    *("SimpleConv", "GCNConv", "GCNConv, not normalised", "ChebConv", "SAGEConv", "SAGEConv, max, projected"),
    *("GraphConv", "ResGatedGraphConv", "TAGConv", "GINConv", "SGConv", "APPNP", "EdgeConv", "LEConv"),
    *("ClusterGCNConv", "GENConv", "LGConv", "FiLMConv", "MixHopConv"),
)


def static(name: str, signals: int) -> Configuration:
    """x is `[signals, nodes, channels]`; as many signals as nodes or edges would hide a mix-up of dimensions."""
    build = (lambda: pyg.GENConv(C, O, norm="layer")) if name == "GENConv" else CONVOLUTIONS[name].build
    return called(build, drawn(signals, NODES, C, seed=61), EDGES)


MESSAGES: dict[str, Group] = {
    "norm over all edges": Group(hosted(OVER_ALL_EDGES), THREE, NAMED),
    "norm over all edges, three steps": Group(hosted(OVER_ALL_EDGES | SPECTRAL, "EdgeConv"), EVERY, NAMED, steps=3),
    "norm of one edge": Group(hosted(OVER_ONE_EDGE), BLOCKS),
    "norm of nodes": Group(
        each({n: lambda norm=norm: pyg.GINConv(perceptron(C, O, norm(O))) for n, norm in NORMS.items()}),
        EVERY,
        steps=3,
    ),
    "message that sees other edges": Group(
        each({name: lambda m=m: Own(m) for name, m in OWN_MESSAGES.items()}),
        ("edge_blocks(8)", "auto"),
        BLOCKS,
    ),
    "message of one edge": Group(each({"swish": lambda: Own(lambda x_j, _: x_j.sigmoid() * x_j)}), BLOCKS),
    "many signals on one graph": Group(
        {f"{name}, {n} signals": static(name, n) for name in STATIC for n in (3, NODES, EDGES.shape[1])},
        THREE,
        BLOCKS,
        steps=1,
    ),
    "many signals with edge weights": Group(
        {
            name: called(CONVOLUTIONS[name].build, drawn(3, NODES, C, seed=62), EDGES, WEIGHT)
            for name in ("GCNConv", "GraphConv")
        },
        BLOCKS,
        BLOCKS,
    ),
    "a message that counts its edges": Group(each({"in a buffer": CountingEdges}), EVERY, NAMED),
    "a message without its mean": Group(each({"Centered": Centered}), THREE, BLOCKS),
}
