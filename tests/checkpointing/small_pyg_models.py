"""Whole models as in PyG's examples, each with a small input."""

from typing import Any

import small_inputs as s
import torch
from every_convolution import PNA, Configuration, called
from small_inputs import ATTRIBUTES, EDGES, NODES, WEIGHT, WIDE_ATTRIBUTES, C, D, O, X
from small_layers import TwoLayers
from torch import Tensor, nn
from torch.nn import functional as F
from torch_geometric import nn as pyg
from torch_geometric.nn import models as pyg_models


class DeepGCN(nn.Module):
    """Residual layers of GENConv with edge features, as in PyG's example on ogbn-proteins."""

    def __init__(self, layers: int, dropout: float) -> None:
        super().__init__()
        self.nodes, self.edges = nn.Linear(C, 8), nn.Linear(D, 8)
        self.layers = nn.ModuleList(
            pyg_models.DeepGCNLayer(
                pyg.GENConv(8, 8, aggr="softmax", t=1.0, learn_t=True, num_layers=2, norm="layer"),
                nn.LayerNorm(8), nn.ReLU(inplace=True), block="res+", dropout=dropout,
            )
            for _ in range(layers)
        )  # fmt: skip
        self.out = nn.Linear(8, O)

    def forward(self, x: Tensor, edge_index: Tensor, edge_attr: Tensor) -> Tensor:
        x, edge_attr = self.nodes(x), self.edges(edge_attr)
        x = self.layers[0].conv(x, edge_index, edge_attr)
        for layer in self.layers[1:]:
            x = layer(x, edge_index, edge_attr)
        x = self.layers[0].act(self.layers[0].norm(x))
        return self.out(F.dropout(x, p=self.layers[0].dropout, training=self.training))


class GPS(nn.Module):
    """GPSConv with GINE inside and BatchNorm around it, as in PyG's example on ZINC."""

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        self.convs = nn.ModuleList(
            pyg.GPSConv(
                C, pyg.GINEConv(nn.Sequential(nn.Linear(C, C), nn.ReLU(), nn.Linear(C, C))), heads=2, dropout=dropout
            )
            for _ in range(2)
        )
        self.out = pyg.MLP([C, 8, 1], norm=None)

    def forward(self, x: Tensor, edge_index: Tensor, edge_attr: Tensor, batch: Tensor) -> Tensor:
        for conv in self.convs:
            x = conv(x, edge_index, batch, edge_attr=edge_attr)
        return self.out(pyg.global_add_pool(x, batch))


class Molecules(nn.Module):
    """GINE with BatchNorm in its networks and a sum over each graph."""

    def __init__(self) -> None:
        super().__init__()
        self.convs = nn.ModuleList(
            pyg.GINEConv(
                nn.Sequential(nn.Linear(C, C), nn.BatchNorm1d(C), nn.ReLU(), nn.Linear(C, C)),
                train_eps=True,
                edge_dim=D,
            )
            for _ in range(2)
        )

    def forward(self, x: Tensor, edge_index: Tensor, edge_attr: Tensor, batch: Tensor) -> Tensor:
        for conv in self.convs:
            x = conv(x, edge_index, edge_attr).relu()
        return pyg.global_add_pool(x, batch)


class EdgeModel(nn.Module):
    """New edge features from both ends of an edge."""

    def __init__(self) -> None:
        super().__init__()
        self.mlp = pyg.MLP([2 * C + D, 8, D], norm=None)

    def forward(self, source: Tensor, target: Tensor, edge_attr: Tensor, u: Tensor, batch: Tensor) -> Tensor:
        return self.mlp(torch.cat([source, target, edge_attr], dim=1))


class NodeModel(nn.Module):
    """New node features from the mean of a node's edges."""

    def __init__(self) -> None:
        super().__init__()
        self.mlp = pyg.MLP([C + D, 8, C], norm=None)

    def forward(self, x: Tensor, edge_index: Tensor, edge_attr: Tensor, u: Tensor, batch: Tensor) -> Tensor:
        means = pyg.aggr.MeanAggregation()(edge_attr, edge_index[1], dim_size=len(x))
        return self.mlp(torch.cat([x, means], dim=1))


def schnet() -> nn.Module:
    """SchNet on a given graph: building a graph by radius needs pyg-lib."""
    return pyg_models.SchNet(
        hidden_channels=8, num_filters=8, num_interactions=2, num_gaussians=6, cutoff=10.0, interaction_graph=_distances
    )


def _distances(position: Tensor, batch: Tensor) -> tuple[Tensor, Tensor]:
    edges = EDGES[:, EDGES[0] != EDGES[1]]
    return edges, (position[edges[0]] - position[edges[1]]).norm(dim=1)


def basic(kind: type, **options: Any) -> nn.Module:
    return kind(C, 8, num_layers=2, out_channels=O, **options)


ATOMS = torch.arange(NODES) % 5 + 1

MODELS: dict[str, Configuration] = {
    "GCN": called(lambda: basic(pyg.GCN), X, EDGES),
    "GCN, edge weights, dropout": called(lambda: basic(pyg.GCN, dropout=0.5), X, EDGES, edge_weight=WEIGHT, draws=True),
    "GraphSAGE": called(lambda: basic(pyg.GraphSAGE), X, EDGES),
    "GraphSAGE, jk and norm": called(lambda: basic(pyg.GraphSAGE, jk="lstm", norm="graph_norm"), X, EDGES),
    "GAT": called(lambda: basic(pyg.GAT, heads=2), X, EDGES),
    "GAT, attention dropout": called(lambda: basic(pyg.GAT, heads=2, dropout=0.6), X, EDGES, draws=True),
    "GATv2": called(lambda: basic(pyg.GAT, heads=2, v2=True, edge_dim=D), X, EDGES, edge_attr=ATTRIBUTES),
    "GIN": called(lambda: basic(pyg.GIN, norm="batch_norm"), X, EDGES),
    "PNA": called(lambda: basic(pyg.PNA, **PNA, deg=s.DEGREES), X, EDGES),
    "EdgeCNN": called(
        lambda: basic(pyg.EdgeCNN, norm="batch_norm", dropout=0.5, jk="cat"), X, EDGES, draws=True
    ),
    "DeepGCN": called(lambda: DeepGCN(3, 0.0), X, EDGES, ATTRIBUTES),
    "DeepGCN, dropout": called(lambda: DeepGCN(3, 0.3), X, EDGES, ATTRIBUTES, draws=True),
    "GPS": called(lambda: GPS(), X, EDGES, WIDE_ATTRIBUTES, s.BATCH),
    "GPS, dropout": called(lambda: GPS(0.3), X, EDGES, WIDE_ATTRIBUTES, s.BATCH, draws=True),
    "GINE with BatchNorm": called(lambda: Molecules(), X, EDGES, ATTRIBUTES, s.BATCH),
    "to_hetero of SAGE": called(
        lambda: pyg.to_hetero(
            TwoLayers(pyg.SAGEConv((-1, -1), 8), pyg.SAGEConv((-1, -1), O)), s.METADATA, aggr="sum"
        ),
        s.FEATURES_BY_TYPE, s.EDGES_BY_TYPE,
    ),
    "to_hetero of GAT": called(
        lambda: pyg.to_hetero(
            TwoLayers(
                pyg.GATConv((-1, -1), 4, heads=2, add_self_loops=False),
                pyg.GATConv((-1, -1), O, add_self_loops=False),
            ),
            s.METADATA,
        ),
        s.FEATURES_BY_TYPE, s.EDGES_BY_TYPE,
    ),
    "LightGCN": called(lambda: pyg.LightGCN(NODES, 8, num_layers=2), EDGES, EDGES[:, :5], WEIGHT),
    "SchNet": called(schnet, ATOMS, s.POSITION, s.BATCH),
    "GraphUNet": called(lambda: pyg.GraphUNet(C, 8, O, depth=2, pool_ratios=0.5), X, EDGES),
    "AttentiveFP": called(
        lambda: pyg_models.AttentiveFP(C, 8, O, edge_dim=D, num_layers=2, num_timesteps=2),
        X, EDGES, ATTRIBUTES, s.BATCH,
    ),
    "SignedGCN": called(lambda: pyg_models.SignedGCN(C, 8, num_layers=2), X, EDGES, EDGES.flip(0)),
    "LINKX": called(lambda: pyg_models.LINKX(NODES, C, 8, O, num_layers=2), X, EDGES, WEIGHT),
    "NeuralFingerprint": called(lambda: pyg_models.NeuralFingerprint(C, 8, O, num_layers=2), X, EDGES, s.BATCH),
    "Sequential": called(
        lambda: pyg.Sequential(
            "x, edge_index, weight",
            [(pyg.GraphConv(C, 8), "x, edge_index, weight -> x"), nn.ReLU(), (pyg.GCNConv(8, O), "x, edge_index -> x")],
        ),
        X, EDGES, WEIGHT,
    ),
    "MetaLayer": called(
        lambda: pyg.MetaLayer(EdgeModel(), NodeModel()),
        X, EDGES, s.drawn(s.COUNT, D, seed=40), torch.zeros(2, 1), s.BATCH,
    ),
}  # fmt: skip

WITHOUT_MESSAGES = ("MetaLayer",)
"""Models without a message passing layer: a policy that needs one is refused."""
