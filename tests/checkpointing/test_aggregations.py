"""Every aggregation of PyG that a message passing layer can take is whole within a destination."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from small_inputs import CHANNELS, EDGES, NODES, OUT, PAIR, PAIR_EDGES, X, drawn
from steps_compared import is_exact_or_refused, outcome, without_zeros
from torch import nn
from torch_geometric import nn as pyg
from torch_geometric.nn import aggr

C, O = CHANNELS, OUT  # noqa: E741 - as PyG's own shapes are written
SORTED = EDGES[:, EDGES[1].argsort(stable=True)].contiguous()
SORTED_PAIR = PAIR_EDGES[:, PAIR_EDGES[1].argsort(stable=True)].contiguous()
DEGREES = torch.bincount(torch.bincount(EDGES[1], minlength=NODES))
MOST = int(torch.bincount(EDGES[1]).max())

NAMES = ("sum", "add", "mean", "max", "min", "mul", "var", "std", "median", "softmax", "powermean")
MODULES: dict[str, Callable[[], Any]] = {
    "quantile": lambda: aggr.QuantileAggregation([0.25, 0.75]),
    "learnable softmax": lambda: aggr.SoftmaxAggregation(learn=True),
    "softmax per channel": lambda: aggr.SoftmaxAggregation(learn=True, channels=C),
    "half a gradient": lambda: aggr.SoftmaxAggregation(t=0.5, semi_grad=True),
    "learnable powermean": lambda: aggr.PowerMeanAggregation(learn=True),
    "LSTM": lambda: aggr.LSTMAggregation(C, C),
    "GRU": lambda: aggr.GRUAggregation(C, C),
    "patch transformer": lambda: aggr.PatchTransformerAggregation(C, C, 2, C, num_transformer_blocks=1),
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
    "MLP": lambda: aggr.MLPAggregation(C, C, max_num_elements=MOST, num_layers=1),
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

ACROSS_DESTINATIONS: dict[str, Callable[[], Any]] = {
    "attention with BatchNorm": lambda: aggr.AttentionalAggregation(
        nn.Sequential(nn.Linear(C, C), nn.BatchNorm1d(C), nn.Linear(C, 1))
    ),
    "deep sets with BatchNorm": lambda: aggr.DeepSetsAggregation(
        nn.Identity(), nn.Sequential(nn.Linear(C, C), nn.BatchNorm1d(C))
    ),
    "deep sets with GraphNorm": lambda: aggr.DeepSetsAggregation(nn.Sequential(nn.Linear(C, C), pyg.GraphNorm(C))),
    "MLP with BatchNorm": lambda: aggr.MLPAggregation(
        C, C, max_num_elements=MOST, num_layers=2, hidden_channels=C, norm="batch_norm"
    ),
}
"""Aggregations with a norm over all edges or all destinations."""


PADDED = {"LSTM", "GRU", "patch transformer"}
"""PyG pads each node's messages to the largest degree of the graph and reads the last state: another node's degree
counts, so blocks may refuse these."""


THIRDS = torch.stack([SORTED[0], SORTED[1] // 3 * 3])
_DESTINATIONS = torch.arange(8).repeat_interleave(torch.arange(1, 9))
GRAPHS = {
    "one graph": (X, SORTED),
    "a pair": (PAIR, SORTED_PAIR),
    # Blocks begin and end with nodes that receive no edges.
    "every third node receives edges": (X, THIRDS),
    # The blocks of the first nodes do not contain the largest degree.
    "degrees of one to eight": (X, torch.stack([torch.arange(36) % NODES, _DESTINATIONS])),
}
RUNS = [
    *(("one graph", name, policy) for name in (*NAMES, *MODULES) for policy in ("edge_blocks(8)", "layers", "auto")),
    *(("one graph", name, "edge_blocks(1)") for name in NAMES),
    *(("a pair", name, "edge_blocks(8)") for name in MODULES),
    *(("every third node receives edges", name, "edge_blocks(4)") for name in (*NAMES, *MODULES)),
    *(("degrees of one to eight", n, p) for n in sorted(PADDED) for p in ("edge_blocks(8)", "layers", "auto")),
]


class Aggregated(pyg.MessagePassing):
    """Messages are the features of the source; all that happens is the aggregation."""

    def __init__(self, aggregation: Any) -> None:
        super().__init__(aggr=aggregation)
        self.lin = nn.Linear(C, C)

    def forward(self, x: Any, edge_index: torch.Tensor) -> torch.Tensor:
        if isinstance(x, tuple):
            return self.propagate(edge_index, x=(self.lin(x[0]).exp(), x[1]), size=(len(x[0]), len(x[1])))
        return self.propagate(edge_index, x=self.lin(x).exp())


def prepared(aggregation: Any) -> nn.Module:
    torch.manual_seed(0)
    return without_zeros(Aggregated(aggregation))


@pytest.mark.parametrize(("graph", "name", "policy"), RUNS)
def test_an_aggregation_is_exact_and_its_weights_learn(graph: str, name: str, policy: str) -> None:
    torch.manual_seed(0)
    aggregation = MODULES.get(name, lambda: name)()
    if name == "MLP":
        most = int(GRAPHS[graph][1][1].bincount().max())
        aggregation = aggr.MLPAggregation(C, C, max_num_elements=most, num_layers=1)
    found = outcome(prepared(aggregation), policy, GRAPHS[graph])
    refused = name in PADDED and policy.startswith("edge_blocks") and found.startswith("refused: ")
    assert found == "exact" or refused


@pytest.mark.parametrize("layer", [pyg.GATConv, pyg.GATv2Conv])
def test_fused_blocks_do_not_ignore_the_aggregation(layer: type, compiler: None) -> None:
    """Their kernels sum; another aggregation is theirs as well, or refused."""
    torch.manual_seed(0)
    found = outcome(layer(C, O, aggr="max", add_self_loops=False), "fused_edge_blocks(8)", (X, SORTED))
    assert found == "exact" or found.startswith("refused: ")


@pytest.mark.parametrize("aggregation", ["mean", "max", "std", "softmax", ["sum", "min"]])
def test_edges_in_any_order_are_exact(aggregation: Any) -> None:
    assert outcome(prepared(aggregation), "edge_blocks(8)", (X, EDGES)) == "exact"


@pytest.mark.parametrize("policy", ["edge_blocks(8)", "layers", "auto"])
@pytest.mark.parametrize("name", ACROSS_DESTINATIONS)
def test_an_aggregation_that_sees_other_destinations_is_exact_or_refused(name: str, policy: str) -> None:
    torch.manual_seed(0)
    found = outcome(prepared(ACROSS_DESTINATIONS[name]()), policy, (X, SORTED))
    assert found == "exact" or (policy != "auto" and is_exact_or_refused(found))


def test_equal_maxima_share_the_gradient_as_without_a_policy() -> None:
    """Many equal messages: how a tie is split is part of the result."""
    x = drawn(NODES, C, seed=64).round()
    for aggregation in ("max", "min"):
        torch.manual_seed(0)
        layer = pyg.SimpleConv(aggr=aggregation)
        for policy in ("edge_blocks(8)", "layers", "auto"):
            assert outcome(layer, policy, (x, torch.cat([EDGES, EDGES], dim=1))) == "exact"


def test_a_layer_that_aggregates_for_itself_is_exact() -> None:
    """`aggr=None`, and an own `aggregate` that uses index, pointer and size."""

    class Itself(pyg.MessagePassing):
        def __init__(self) -> None:
            super().__init__(aggr=None)
            self.lin = nn.Linear(C, C)

        def forward(self, x: torch.Tensor, edge_index: torch.Tensor) -> torch.Tensor:
            return self.propagate(edge_index, x=self.lin(x), scale=torch.arange(len(x)) + 1.0)

        def aggregate(self, inputs: torch.Tensor, index: torch.Tensor, dim_size: int) -> torch.Tensor:
            return inputs.new_zeros(dim_size, C).index_add(0, index, inputs * (index + 1.0).unsqueeze(1))

        def update(self, inputs: torch.Tensor, x: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
            return inputs * scale.unsqueeze(1) + x

    torch.manual_seed(0)
    for edges in (EDGES, SORTED):
        assert is_exact_or_refused(outcome(Itself(), "edge_blocks(8)", (X, edges)))
        assert outcome(Itself(), "layers", (X, edges)) == "exact"
        assert outcome(Itself(), "auto", (X, edges)) == "exact"
