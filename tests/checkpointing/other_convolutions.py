"""Convolutions that take points, hyperedges, meshes, several types of nodes, or another convolution."""

import small_inputs as s
import torch
from every_convolution import ON_ONE_GRAPH, ON_PAIRS, Configuration, called
from small_inputs import EDGES, HYPEREDGES, MESH_EDGES, PAIR, PAIR_EDGES, PAIR_POSITION, POSITION, C, O, X
from small_layers import perceptron
from stand_ins_for_pyg_lib import stand_in_for_pyg_lib
from torch_geometric import nn as pyg

stand_in_for_pyg_lib()

ON_POINTS = {
    "PointNetConv": called(lambda: pyg.PointNetConv(perceptron(C + 3), perceptron(O)), X, POSITION, EDGES),
    "PointNetConv, no features": called(lambda: pyg.PointNetConv(perceptron(3)), None, POSITION, EDGES),
    "PointNetConv, pair": called(
        lambda: pyg.PointNetConv(perceptron(C + 3), add_self_loops=False), (X, None), PAIR_POSITION, PAIR_EDGES
    ),
    "PPFConv": called(lambda: pyg.PPFConv(perceptron(C + 4), perceptron(O)), X, POSITION, s.NORMAL, EDGES),
    "PPFConv, pair": called(
        lambda: pyg.PPFConv(perceptron(C + 4), add_self_loops=False),
        (X, None), PAIR_POSITION, s.PAIR_NORMAL, PAIR_EDGES,
    ),
    "PointTransformerConv": called(lambda: pyg.PointTransformerConv(C, O), X, POSITION, EDGES),
    "PointTransformerConv, networks": called(
        lambda: pyg.PointTransformerConv((C, C), O, perceptron(3), perceptron(O), add_self_loops=False),
        PAIR, PAIR_POSITION, PAIR_EDGES,
    ),
    "PointGNNConv": called(
        lambda: pyg.PointGNNConv(perceptron(C, 3), perceptron(C + 3, O), perceptron(O, C)), X, POSITION, EDGES
    ),
    "GravNetConv": called(lambda: pyg.GravNetConv(C, O, 3, 4, k=3), X),
    "GravNetConv, pair": called(lambda: pyg.GravNetConv(C, O, 3, 4, k=3), PAIR),
    "DynamicEdgeConv": called(lambda: pyg.DynamicEdgeConv(perceptron(2 * C), k=3), X),
    "DynamicEdgeConv, pair": called(lambda: pyg.DynamicEdgeConv(perceptron(2 * C), k=3), PAIR),
    "XConv": called(lambda: pyg.XConv(C, O, dim=3, kernel_size=3), X, POSITION),
}  # fmt: skip

ON_HYPEREDGES_AND_MESHES = {
    "HypergraphConv": called(lambda: pyg.HypergraphConv(C, O), X, HYPEREDGES),
    "HypergraphConv, weights": called(
        lambda: pyg.HypergraphConv(C, O), X, HYPEREDGES, hyperedge_weight=s.drawn(5, seed=31).abs()
    ),
    "HypergraphConv, attention": called(
        lambda: pyg.HypergraphConv(C, O, use_attention=True, heads=2, dropout=0.5),
        X, HYPEREDGES, hyperedge_attr=s.drawn(5, C, seed=32), draws=True,
    ),
    "MeshCNNConv": called(lambda: pyg.MeshCNNConv(C, O), X, MESH_EDGES),
    "MeshCNNConv, neighbours as sources": called(lambda: pyg.MeshCNNConv(C, O), X, MESH_EDGES.flip(0).contiguous()),
    "WLConv": called(lambda: pyg.WLConv(), torch.arange(len(X)) % 3, EDGES[:, EDGES[1].argsort(stable=True)]),
}  # fmt: skip

ON_SEVERAL_KINDS = {
    "HGTConv": called(lambda: pyg.HGTConv(C, O, s.METADATA, heads=2), s.FEATURES_BY_TYPE, s.EDGES_BY_TYPE),
    "HANConv": called(lambda: pyg.HANConv(C, O, s.METADATA, heads=2), s.FEATURES_BY_TYPE, s.EDGES_BY_TYPE),
    "HANConv, dropout": called(
        lambda: pyg.HANConv(C, O, s.METADATA, heads=2, dropout=0.5), s.FEATURES_BY_TYPE, s.EDGES_BY_TYPE, draws=True
    ),
    "HeteroConv": called(
        lambda: pyg.HeteroConv(
            {
                ("paper", "cites", "paper"): pyg.GCNConv(-1, O),
                ("paper", "has", "author"): pyg.SAGEConv((-1, -1), O),
                ("author", "writes", "paper"): pyg.GATConv((-1, -1), O, add_self_loops=False),
            }
        ),
        s.FEATURES_BY_TYPE, s.EDGES_BY_TYPE,
    ),
}  # fmt: skip

AROUND_ANOTHER = {
    "GPSConv": called(
        lambda: pyg.GPSConv(C, pyg.GINEConv(perceptron(C, C)), heads=2), X, EDGES, s.BATCH, edge_attr=s.WIDE_ATTRIBUTES
    ),
    "GPSConv, dropout": called(
        lambda: pyg.GPSConv(C, pyg.GATv2Conv(C, C, dropout=0.5), heads=2, dropout=0.2), X, EDGES, s.BATCH, draws=True
    ),
    "AntiSymmetricConv, phi": called(lambda: pyg.AntiSymmetricConv(C, pyg.GATConv(C, C)), X, EDGES),
    "DirGNNConv, GAT": called(
        lambda: pyg.DirGNNConv(pyg.GATConv(C, O, add_self_loops=False), alpha=0.3), X, EDGES
    ),
    "GINConv, PyG's MLP": called(lambda: pyg.GINConv(pyg.MLP([C, O, O], norm="batch_norm")), X, EDGES),
}  # fmt: skip

CONVOLUTIONS: dict[str, Configuration] = {
    **ON_ONE_GRAPH,
    **ON_PAIRS,
    **ON_POINTS,
    **ON_HYPEREDGES_AND_MESHES,
    **ON_SEVERAL_KINDS,
    **AROUND_ANOTHER,
}
