"""Every convolution that PyG exports, with the arguments of its documentation, and calls as documented."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import small_inputs as s
import torch
from small_inputs import ATTRIBUTES, EDGES, PAIR, PAIR_EDGES, TYPE, TYPES, WEIGHT, C, D, O, X
from small_layers import perceptron
from steps_compared import Step, last_step, outcome, seed_all, without_zeros
from torch import nn
from torch_geometric import nn as pyg

from gnn_checkpointing.checkpointing import apply, explain

NEEDS_A_PACKAGE = {
    "CuGraphSAGEConv": "needs pylibcugraphops and a GPU",
    "CuGraphGATConv": "needs pylibcugraphops and a GPU",
    "CuGraphRGCNConv": "needs pylibcugraphops and a GPU",
    "FusedGATConv": "needs dgNN and a GPU",
    "PANConv": "needs torch-sparse",
}
"""Convolutions whose plain call cannot run here."""


@dataclass(frozen=True, eq=False)
class Configuration:
    """A layer to build, its call, whether it draws random numbers, whether its features are raw, and its own loss."""

    build: Callable[[], nn.Module]
    args: tuple
    kwargs: dict
    draws: bool = False
    raw: bool = False
    loss_of: Callable[[Any], Any] | None = None

    def built(self) -> nn.Module:
        """The layer, with weights drawn from a fixed seed, none of them zero, and with lazy weights initialised."""
        seed_all(7)
        layer = self.build()
        if any(isinstance(weight, nn.UninitializedParameter) for weight in layer.parameters()):
            with torch.no_grad():
                layer(*self.args, **self.kwargs)
        return without_zeros(layer)

    def outcome(self, policy: str, steps: int = 2) -> str:
        """Outcome of steps under the policy; a layer that draws is compared in evaluation mode without its own loss."""
        layer, options = self.stepped()
        return outcome(layer, policy, self.args, self.kwargs, steps, _expected(self, steps), **options)

    def chosen(self) -> str:
        """The policies that `auto` gives the layer and those inside it."""
        layer, options = self.stepped()
        last_step(apply(layer, "auto"), self.args, self.kwargs, 1, **options)
        policies = dict.fromkeys(row.policy for row in explain(layer).layers)
        return " and ".join(f"`{policy}`" for policy in policies) or "`none`"

    def stepped(self) -> tuple[nn.Module, dict[str, Any]]:
        """The layer whose steps are compared, and options of the steps."""
        return self.built().train(not self.draws), {"raw": self.raw, "loss_of": None if self.draws else self.loss_of}


@cache
def _expected(plain: Configuration, steps: int) -> Step:
    """The last step without a policy, computed once for all policies."""
    layer, options = plain.stepped()
    return last_step(layer, plain.args, plain.kwargs, steps, **options)


def called(
    build: Callable[[], nn.Module],
    *args: Any,
    draws: bool = False,
    raw: bool = False,
    loss_of: Callable | None = None,
    **kwargs: Any,
) -> Configuration:
    return Configuration(build, args, kwargs, draws, raw, loss_of)


Build = Callable[..., Any]
THREE = ("edge_blocks(8)", "layers", "auto")
BLOCKS = ("edge_blocks(8)",)
EVERY = ("edge_blocks(8)", "layers", "layers+edge_blocks(8)", "selective", "auto")
NAMED = EVERY[:-1]


@dataclass(frozen=True)
class Group:
    """Cases by name, the policies to try, the policies that may refuse, and the number of steps."""

    cases: Mapping[str, Configuration]
    policies: tuple[str, ...] = THREE
    may_refuse: tuple[str, ...] = ()
    steps: int = 2


def each(builds: Mapping[str, Build], *args: Any, **named: Any) -> dict[str, Configuration]:
    """Configurations of layers that are all called in the same way, on the one graph unless said otherwise."""
    return {name: called(build, *(args or (X, EDGES)), **named) for name, build in builds.items()}


PNA = {"aggregators": ["mean", "min", "max", "std"], "scalers": ["identity", "amplification", "attenuation"]}

ON_ONE_GRAPH = {
    "SimpleConv": called(lambda: pyg.SimpleConv(), X, EDGES),
    "SimpleConv, mean and root": called(lambda: pyg.SimpleConv("mean", "self_loop"), X, EDGES, WEIGHT),
    "GCNConv": called(lambda: pyg.GCNConv(C, O), X, EDGES),
    "GCNConv, edge weights": called(lambda: pyg.GCNConv(C, O), X, EDGES, edge_weight=WEIGHT),
    "GCNConv, improved and cached": called(lambda: pyg.GCNConv(C, O, improved=True, cached=True), X, EDGES),
    "GCNConv, not normalised": called(lambda: pyg.GCNConv(C, O, normalize=False), X, EDGES, WEIGHT),
    "ChebConv": called(lambda: pyg.ChebConv(C, O, K=3), X, EDGES, WEIGHT),
    "SAGEConv": called(lambda: pyg.SAGEConv(C, O), X, EDGES),
    "SAGEConv, max, projected": called(lambda: pyg.SAGEConv(C, O, "max", normalize=True, project=True), X, EDGES),
    "SAGEConv, three aggregations": called(lambda: pyg.SAGEConv(C, O, aggr=["mean", "max", "std"]), X, EDGES),
    "SAGEConv, LSTM": called(lambda: pyg.SAGEConv(C, O, "lstm"), X, EDGES[:, EDGES[1].argsort(stable=True)]),
    "GraphConv": called(lambda: pyg.GraphConv(C, O), X, EDGES),
    "GraphConv, edge weights": called(lambda: pyg.GraphConv(C, O), X, EDGES, edge_weight=WEIGHT),
    "GatedGraphConv": called(lambda: pyg.GatedGraphConv(C, num_layers=2), X, EDGES, WEIGHT),
    "ResGatedGraphConv": called(lambda: pyg.ResGatedGraphConv(C, O), X, EDGES),
    "ResGatedGraphConv, edge features": called(lambda: pyg.ResGatedGraphConv(C, O, edge_dim=D), X, EDGES, ATTRIBUTES),
    "GATConv": called(lambda: pyg.GATConv(C, O), X, EDGES),
    "GATConv, heads": called(lambda: pyg.GATConv(C, O, heads=2, concat=False, residual=True), X, EDGES),
    "GATConv, edge features": called(lambda: pyg.GATConv(C, O, edge_dim=D), X, EDGES, edge_attr=ATTRIBUTES),
    "GATConv, dropout": called(lambda: pyg.GATConv(C, O, heads=2, dropout=0.6), X, EDGES, draws=True),
    "GATv2Conv": called(lambda: pyg.GATv2Conv(C, O), X, EDGES),
    "GATv2Conv, edge features": called(lambda: pyg.GATv2Conv(C, O, heads=2, edge_dim=D), X, EDGES, ATTRIBUTES),
    "GATv2Conv, dropout": called(lambda: pyg.GATv2Conv(C, O, heads=2, dropout=0.5), X, EDGES, draws=True),
    "TransformerConv": called(lambda: pyg.TransformerConv(C, O), X, EDGES),
    "TransformerConv, edge features": called(
        lambda: pyg.TransformerConv(C, O, heads=2, beta=True, edge_dim=D), X, EDGES, ATTRIBUTES
    ),
    "TransformerConv, dropout": called(lambda: pyg.TransformerConv(C, O, dropout=0.5), X, EDGES, draws=True),
    "AGNNConv": called(lambda: pyg.AGNNConv(), X, EDGES),
    "TAGConv": called(lambda: pyg.TAGConv(C, O), X, EDGES, WEIGHT),
    "GINConv": called(lambda: pyg.GINConv(perceptron()), X, EDGES),
    "GINConv, BatchNorm": called(
        lambda: pyg.GINConv(nn.Sequential(nn.Linear(C, O), nn.BatchNorm1d(O)), train_eps=True), X, EDGES
    ),
    "GINEConv": called(lambda: pyg.GINEConv(perceptron()), X, EDGES, s.WIDE_ATTRIBUTES),
    "GINEConv, edge channels": called(lambda: pyg.GINEConv(perceptron(), edge_dim=D), X, EDGES, edge_attr=ATTRIBUTES),
    "ARMAConv": called(lambda: pyg.ARMAConv(C, O), X, EDGES, WEIGHT),
    "ARMAConv, stacks": called(lambda: pyg.ARMAConv(C, O, 2, 2, dropout=0.2), X, EDGES, draws=True),
    "SGConv": called(lambda: pyg.SGConv(C, O, K=2), X, EDGES, WEIGHT),
    "SGConv, cached": called(lambda: pyg.SGConv(C, O, K=2, cached=True), X, EDGES, raw=True),
    "SSGConv": called(lambda: pyg.SSGConv(C, O, alpha=0.1, K=2), X, EDGES, WEIGHT),
    "APPNP": called(lambda: pyg.APPNP(K=3, alpha=0.1), X, EDGES, WEIGHT),
    "APPNP, dropout": called(lambda: pyg.APPNP(K=2, alpha=0.1, dropout=0.5), X, EDGES, draws=True),
    "MFConv": called(lambda: pyg.MFConv(C, O), X, EDGES),
    "RGCNConv": called(lambda: pyg.RGCNConv(C, O, TYPES), X, EDGES, TYPE),
    "RGCNConv, bases": called(lambda: pyg.RGCNConv(C, O, TYPES, num_bases=2), X, EDGES, edge_type=TYPE),
    "RGCNConv, embeddings": called(lambda: pyg.RGCNConv(len(X), O, TYPES), None, EDGES, TYPE),
    "RGCNConv, blocks": called(lambda: pyg.RGCNConv(C, O, TYPES, num_blocks=2), X, EDGES, TYPE),
    "FastRGCNConv": called(lambda: pyg.FastRGCNConv(C, O, TYPES), X, EDGES, TYPE),
    "RGATConv": called(lambda: pyg.RGATConv(C, O, TYPES), X, EDGES, TYPE),
    "RGATConv, within relations": called(
        lambda: pyg.RGATConv(
            C, O, TYPES, num_bases=2, mod="f-scaled", attention_mechanism="within-relation",
            attention_mode="multiplicative-self-attention", heads=2, dim=2, edge_dim=D,
        ),
        X, EDGES, TYPE, ATTRIBUTES,
    ),
    "RGATConv, dropout": called(lambda: pyg.RGATConv(C, O, TYPES, dropout=0.5), X, EDGES, TYPE, draws=True),
    "SignedConv": called(lambda: pyg.SignedConv(C, O, first_aggr=True), X, EDGES, EDGES.flip(0)),
    "SignedConv, deeper": called(lambda: pyg.SignedConv(4, O, first_aggr=False), X, EDGES, EDGES.flip(0)),
    "DNAConv": called(lambda: pyg.DNAConv(C, heads=2, groups=2), s.drawn(len(X), 3, C, seed=30), EDGES, WEIGHT),
    "DNAConv, dropout": called(lambda: pyg.DNAConv(C, dropout=0.5), s.drawn(len(X), 3, C, seed=30), EDGES, draws=True),
    "GMMConv": called(lambda: pyg.GMMConv(C, O, dim=2, kernel_size=3), X, EDGES, s.PLACES),
    "GMMConv, separate": called(lambda: pyg.GMMConv(C, O, 2, 3, separate_gaussians=True), X, EDGES, s.PLACES),
    "SplineConv": called(lambda: pyg.SplineConv(C, O, dim=2, kernel_size=3), X, EDGES, s.PLACES),
    "NNConv": called(lambda: pyg.NNConv(C, O, perceptron(D, C * O)), X, EDGES, edge_attr=ATTRIBUTES),
    "CGConv": called(lambda: pyg.CGConv(C), X, EDGES),
    "CGConv, edge features, BatchNorm": called(lambda: pyg.CGConv(C, dim=D, batch_norm=True), X, EDGES, ATTRIBUTES),
    "EdgeConv": called(lambda: pyg.EdgeConv(perceptron(2 * C)), X, EDGES),
    "FeaStConv": called(lambda: pyg.FeaStConv(C, O, heads=2), X, EDGES),
    "LEConv": called(lambda: pyg.LEConv(C, O), X, EDGES, WEIGHT),
    "PNAConv": called(lambda: pyg.PNAConv(C, O, **PNA, deg=s.DEGREES), X, EDGES),
    "PNAConv, towers, edge features": called(
        lambda: pyg.PNAConv(C, O, **PNA, deg=s.DEGREES, edge_dim=D, towers=2, train_norm=True), X, EDGES, ATTRIBUTES
    ),
    "ClusterGCNConv": called(lambda: pyg.ClusterGCNConv(C, O, diag_lambda=0.1), X, EDGES),
    "GENConv": called(lambda: pyg.GENConv(C, O), X, EDGES),
    "GENConv, edge features": called(
        lambda: pyg.GENConv(C, O, learn_t=True, msg_norm=True, learn_msg_scale=True, edge_dim=D), X, EDGES, ATTRIBUTES
    ),
    "GENConv, power mean": called(lambda: pyg.GENConv(C, O, aggr="powermean", learn_p=True), X, EDGES),
    "GCN2Conv": called(lambda: pyg.GCN2Conv(C, 0.1, theta=0.5, layer=2), X, s.X_START, EDGES, WEIGHT),
    "WLConvContinuous": called(lambda: pyg.WLConvContinuous(), X, EDGES, WEIGHT),
    "FiLMConv": called(lambda: pyg.FiLMConv(C, O), X, EDGES),
    "FiLMConv, relations": called(lambda: pyg.FiLMConv(C, O, num_relations=TYPES), X, EDGES, edge_type=TYPE),
    "SuperGATConv": called(
        lambda: pyg.SuperGATConv(C, O, heads=2), X, EDGES, draws=True, loss_of=lambda layer: layer.get_attention_loss()
    ),
    "SuperGATConv, scaled dot": called(
        lambda: pyg.SuperGATConv(C, O, attention_type="SD", dropout=0.5), X, EDGES, neg_edge_index=EDGES.flip(0),
        draws=True, loss_of=lambda layer: layer.get_attention_loss(),
    ),
    "FAConv": called(lambda: pyg.FAConv(C), X, s.X_START, EDGES),
    "FAConv, dropout": called(lambda: pyg.FAConv(C, dropout=0.5), X, s.X_START, EDGES, draws=True),
    "EGConv": called(lambda: pyg.EGConv(C, 8), X, EDGES),
    "EGConv, aggregators": called(lambda: pyg.EGConv(C, 8, ["mean", "max", "std", "symnorm"], 4), X, EDGES),
    "PDNConv": called(lambda: pyg.PDNConv(C, O, edge_dim=D, hidden_channels=4), X, EDGES, ATTRIBUTES),
    "GeneralConv": called(lambda: pyg.GeneralConv(C, O), X, EDGES),
    "GeneralConv, attention": called(
        lambda: pyg.GeneralConv(C, O, in_edge_channels=D, heads=2, attention=True, l2_normalize=True),
        X, EDGES, ATTRIBUTES,
    ),
    "HEATConv": called(
        lambda: pyg.HEATConv(C, O, 2, TYPES, 4, D, 4, heads=2), X, EDGES, s.NODE_TYPE, TYPE, ATTRIBUTES
    ),
    "LGConv": called(lambda: pyg.LGConv(), X, EDGES, WEIGHT),
    "MixHopConv": called(lambda: pyg.MixHopConv(C, O), X, EDGES, WEIGHT),
    "AntiSymmetricConv": called(lambda: pyg.AntiSymmetricConv(C, num_iters=2), X, EDGES),
    "DirGNNConv": called(lambda: pyg.DirGNNConv(pyg.SAGEConv(C, O)), X, EDGES),
}  # fmt: skip
"""Calls on the nodes of one graph; calls on pairs of node sets are below."""

ON_PAIRS = {
    "SimpleConv, pair": called(lambda: pyg.SimpleConv(), PAIR, PAIR_EDGES, s.PAIR_WEIGHT),
    "SAGEConv, pair": called(lambda: pyg.SAGEConv((C, C), O), PAIR, PAIR_EDGES),
    "SAGEConv, pair and size": called(lambda: pyg.SAGEConv(C, O), (X, None), PAIR_EDGES, size=s.SIZE),
    "GraphConv, pair": called(lambda: pyg.GraphConv((C, C), O), PAIR, PAIR_EDGES, s.PAIR_WEIGHT, size=s.SIZE),
    "ResGatedGraphConv, pair": called(lambda: pyg.ResGatedGraphConv((C, C), O), PAIR, PAIR_EDGES),
    "GATConv, pair": called(
        lambda: pyg.GATConv((C, C), O, heads=2, add_self_loops=False), PAIR, PAIR_EDGES, size=s.SIZE
    ),
    "GATv2Conv, pair": called(
        lambda: pyg.GATv2Conv((C, C), O, heads=2, add_self_loops=False, edge_dim=D), PAIR, PAIR_EDGES, s.PAIR_ATTRIBUTES
    ),
    "TransformerConv, pair": called(lambda: pyg.TransformerConv((C, C), O), PAIR, PAIR_EDGES),
    "GINConv, pair": called(lambda: pyg.GINConv(perceptron()), PAIR, PAIR_EDGES, size=s.SIZE),
    "GINEConv, pair": called(lambda: pyg.GINEConv(perceptron()), PAIR, PAIR_EDGES, s.PAIR_WIDE_ATTRIBUTES),
    "MFConv, pair": called(lambda: pyg.MFConv((C, C), O), PAIR, PAIR_EDGES),
    "RGCNConv, pair": called(lambda: pyg.RGCNConv((C, C), O, TYPES), PAIR, PAIR_EDGES, s.PAIR_TYPE),
    "SignedConv, pair": called(lambda: pyg.SignedConv(C, O, first_aggr=True), PAIR, PAIR_EDGES, PAIR_EDGES),
    "GMMConv, pair": called(lambda: pyg.GMMConv((C, C), O, dim=2, kernel_size=3), PAIR, PAIR_EDGES, s.PAIR_PLACES),
    "SplineConv, pair": called(
        lambda: pyg.SplineConv((C, C), O, dim=2, kernel_size=3), PAIR, PAIR_EDGES, s.PAIR_PLACES
    ),
    "NNConv, pair": called(lambda: pyg.NNConv((C, C), O, perceptron(D, C * O)), PAIR, PAIR_EDGES, s.PAIR_ATTRIBUTES),
    "CGConv, pair": called(lambda: pyg.CGConv((C, C), dim=D), PAIR, PAIR_EDGES, s.PAIR_ATTRIBUTES),
    "EdgeConv, pair": called(lambda: pyg.EdgeConv(perceptron(2 * C)), PAIR, PAIR_EDGES),
    "FeaStConv, pair": called(lambda: pyg.FeaStConv(C, O, add_self_loops=False), PAIR, PAIR_EDGES),
    "LEConv, pair": called(lambda: pyg.LEConv((C, C), O), PAIR, PAIR_EDGES, s.PAIR_WEIGHT),
    "GENConv, pair": called(lambda: pyg.GENConv((C, C), O), PAIR, PAIR_EDGES, size=s.SIZE),
    "WLConvContinuous, pair": called(lambda: pyg.WLConvContinuous(), PAIR, PAIR_EDGES, s.PAIR_WEIGHT, size=s.SIZE),
    "FiLMConv, pair": called(lambda: pyg.FiLMConv((C, C), O, TYPES), PAIR, PAIR_EDGES, s.PAIR_TYPE),
    "GeneralConv, pair": called(lambda: pyg.GeneralConv((C, C), O), PAIR, PAIR_EDGES, size=s.SIZE),
}
