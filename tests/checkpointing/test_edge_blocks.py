"""`edge_blocks`: what it costs, what it keeps in memory, and that it computes the same."""

import copy
from collections.abc import Callable

import pytest
import torch
from steps_compared import outcome
from torch import nn
from torch_geometric.nn import (
    ARMAConv,
    EdgeConv,
    GATConv,
    GATv2Conv,
    GCNConv,
    GINConv,
    GraphConv,
    GraphSAGE,
    SAGEConv,
    TransformerConv,
    aggr,
)

from gnn_checkpointing.checkpointing import apply, edge_blocks, edge_mlp, policy_tensors, remove
from gnn_checkpointing.checkpointing.edge_blocks import tables_of
from gnn_checkpointing.checkpointing.policies import policy_of
from gnn_checkpointing.measurement.peak_memory import resident_bytes, step_bytes
from gnn_checkpointing.refusal import Refusal

NODES, EDGES, CHANNELS = 150, 2400, 12
C, CPU = CHANNELS, torch.device("cpu")


def drawn_edges(seed: int) -> torch.Tensor:
    return torch.randint(0, NODES, (2, EDGES), generator=torch.Generator().manual_seed(seed))


def mlp(channels: int, *between: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Linear(channels, 6), *between, nn.ReLU(), nn.Linear(6, 5))


def softmax() -> nn.Module:
    return aggr.SoftmaxAggregation(learn=True)


NO_LOOPS = {"add_self_loops": False}
LAYERS = {
    "GCN": lambda: GCNConv(C, 8, normalize=False),
    "SAGE": lambda: SAGEConv(C, 8),
    "SAGE max": lambda: SAGEConv(C, 5, aggr="max"),
    "SAGE max, projected, normalised": lambda: SAGEConv(C, 8, aggr="max", project=True, normalize=True),
    "GAT": lambda: GATConv(C, 4, heads=2, **NO_LOOPS),
    "GAT averaged, residual": lambda: GATConv(C, 4, heads=2, concat=False, residual=True, **NO_LOOPS),
    "GATv2": lambda: GATv2Conv(C, 4, heads=2, **NO_LOOPS),
    "GATv2 shared, averaged, residual": lambda: GATv2Conv(
        C, 4, heads=2, concat=False, residual=True, share_weights=True, **NO_LOOPS
    ),
    "GraphConv": lambda: GraphConv(C, 8),
    "Transformer": lambda: TransformerConv(C, 4, heads=2),
    "GIN": lambda: GINConv(mlp(C)),
    "GIN, epsilon trained, mean": lambda: GINConv(mlp(C), eps=0.3, train_eps=True, aggr="mean"),
    "GIN, learned softmax": lambda: GINConv(mlp(C), aggr=softmax()),
    "EdgeConv": lambda: EdgeConv(mlp(2 * C)),
    "EdgeConv of one map": lambda: EdgeConv(nn.Linear(2 * C, 8)),
    "EdgeConv, sum": lambda: EdgeConv(mlp(2 * C), aggr="sum"),
    "EdgeConv, dropout of probability zero": lambda: EdgeConv(mlp(2 * C, nn.Dropout(0.0))),
    "EdgeConv, learned softmax": lambda: EdgeConv(mlp(2 * C), aggr=softmax()),
}


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("what", ["sorted by destination", "as drawn", "ties"])
def test_a_step_is_that_of_the_plain_layer(name: str, what: str) -> None:
    """Where several neighbours attain a maximum they share its gradient; a block holds all of a node's edges.

    Features 0 and 1 alone, in three channels, make ties certain: 16 neighbours each, only 2^3 possible rows. Weights
    are then sixteenths, of which sums are exact: equal rows have equal products wherever a matrix product has them.
    """
    generator = torch.Generator().manual_seed(3)
    edges, x = drawn_edges(1), torch.randn(NODES, C, generator=generator)
    if what == "sorted by destination":
        edges = edges[:, edges[1].argsort(stable=True)].contiguous()
    if what == "ties":
        x = torch.randint(0, 2, (NODES, C), generator=generator).float() * (torch.arange(C) < 3)
    torch.manual_seed(2)
    layer = LAYERS[name]()
    if what == "ties":
        with torch.no_grad():
            for weight in layer.parameters():
                weight.copy_((16 * weight).round() / 16)
    weights = (torch.rand(EDGES, generator=generator),) if name in {"GCN", "GraphConv"} else ()
    assert outcome(layer, "edge_blocks(300)", (x, edges, *weights)) == "exact"


AROUND = {
    "self-loops": lambda: GATConv(4, 4),
    "normalisation": lambda: GCNConv(4, 4),
    "normalisation without loops": lambda: GCNConv(4, 4, add_self_loops=False),
    "a BatchNorm after the messages": lambda: GINConv(nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4))),
    "several stacks of channels": lambda: ARMAConv(4, 4, num_stacks=2),
    "features of edges": lambda: GATv2Conv(4, 4, edge_dim=3),
    "edges that flow backwards": lambda: SAGEConv(4, 4, flow="target_to_source"),
}
"""What the layer does around its messages, or reads beside its nodes, and blocks leave as it is."""


@pytest.mark.parametrize("name", AROUND)
@pytest.mark.parametrize("policy", ["edge_blocks(40)", "layers+edge_blocks(40)", "fused_edge_blocks(40)"])
def test_what_a_layer_does_around_its_messages_stays(name: str, policy: str, compiler: None) -> None:
    torch.manual_seed(18)
    edges = torch.randint(0, 30, (2, 200), generator=torch.Generator().manual_seed(19))
    features = {"edge_attr": torch.randn(200, 3)} if name == "features of edges" else {}
    assert outcome(AROUND[name](), policy, (torch.randn(30, 4), edges), features) == "exact"


def test_a_frozen_attention_vector_gets_no_gradient() -> None:
    """Raw features get none either; the weights beside them get theirs."""
    torch.manual_seed(2)
    gat = GATv2Conv(C, 4)
    gat.att.requires_grad_(False)
    assert outcome(gat, "edge_blocks(300)", (torch.randn(NODES, C), drawn_edges(14)), raw=True) == "exact"


def test_a_blocks_work_is_done_once_in_each_pass() -> None:
    """A first step also tries the layer once; where no gradient is wanted there is no second pass."""
    edge_index = drawn_edges(14)
    sage = edge_blocks(SAGEConv(C, 8), 300)
    x = torch.randn(NODES, C, requires_grad=True)
    sage(x, edge_index).sum().backward()
    calls = []
    message = sage.message
    sage.message = lambda *arguments, **named: calls.append(1) or message(*arguments, **named)
    (edges,) = tables_of(sage)[0].all_sorted()
    blocks = len(edges.blocks(300))
    assert blocks >= EDGES // 300
    sage(x, edge_index).sum().backward()
    assert len(calls) == 2 * blocks
    with torch.no_grad():
        sage(x, edge_index)
    assert len(calls) == 3 * blocks
    sage(x.detach(), edge_index).sum().backward()
    assert len(calls) == 4 * blocks + 1


def test_the_first_linear_map_of_an_edge_conv_is_made_on_nodes() -> None:
    layer = edge_blocks(EdgeConv(mlp(2 * C)), 10**6)
    layer(torch.randn(NODES, C), drawn_edges(1))
    assert list(vars(layer)["_cut_layer"]._cutter._agreed.values()) == [True]


class Reversed(EdgeConv):
    """The difference taken the other way round: the trial must see it."""

    def message(self, x_i: torch.Tensor, x_j: torch.Tensor) -> torch.Tensor:
        return self.nn(torch.cat([x_i, x_i - x_j], dim=-1))


def hooked() -> nn.Module:
    layer = EdgeConv(mlp(2 * C))
    layer.nn[0].register_forward_hook(lambda _module, _rows, out: out * 2)
    return layer


@pytest.mark.parametrize("layer", [hooked, lambda: Reversed(mlp(2 * C))], ids=["hook on the map", "another message"])
@pytest.mark.parametrize("taken", [False, True], ids=["as known", "message taken for the known one"])
def test_a_layer_whose_message_is_another_keeps_it(layer, taken: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if taken:  # past the look at the code: the trial alone
        monkeypatch.setattr(edge_mlp, "_MESSAGES", (EdgeConv.message, Reversed.message))
    torch.manual_seed(3)
    plain, x = layer(), torch.randn(NODES, C)
    blocked = edge_blocks(copy.deepcopy(plain), 70)
    torch.testing.assert_close(blocked(x, drawn_edges(1)), plain(x, drawn_edges(1)))


def test_activation_memory_does_not_grow_with_density() -> None:
    """32 times the edges: none's peak grows about as much, edge_blocks' by less than a tenth.

    At 8 edges a node the graph is one block of 8 N edges, at 256 it is 32 of the same size.
    """
    peaks: dict[str, list[int]] = {"none": [], "edge_blocks": []}
    for degree in (8, 256):
        source = torch.randint(0, 4096, (4096 * degree,), generator=torch.Generator().manual_seed(6))
        edge_index = torch.stack([source, torch.arange(4096).repeat_interleave(degree)])
        x = torch.randn(4096, 16)
        for policy, found in peaks.items():
            torch.manual_seed(0)
            model = apply(GATv2Conv(16, 8, heads=2, add_self_loops=False), policy)
            model(x, edge_index).sum().backward()
            model.zero_grad(set_to_none=True)
            found.append(step_bytes(lambda model=model, x=x, e=edge_index: model(x, e).sum(), CPU).peak)
    assert peaks["none"][1] > 20 * peaks["none"][0]
    assert peaks["edge_blocks"][1] < 1.1 * peaks["edge_blocks"][0]


@pytest.mark.parametrize(
    ("order", "bytes_an_edge"),
    [(lambda edges: edges[:, edges[1].argsort(stable=True)].contiguous(), 4), (lambda edges: edges, 8)],
    ids=["sorted", "as drawn"],
)
def test_tables_are_counted_once_for_all_layers(order: Callable, bytes_an_edge: int) -> None:
    """A copy of the sources, int32, and a pointer a node, int64; where edges are in no order that order, int32."""
    edge_index = order(drawn_edges(7))
    model = apply(GraphSAGE(C, C, num_layers=3), "edge_blocks")
    model(torch.randn(NODES, C), edge_index)
    added = resident_bytes([edge_index, *policy_tensors(model)]) - resident_bytes([edge_index])
    assert added == bytes_an_edge * EDGES + 8 * (NODES + 1)


def test_blocks_applied_twice_are_applied_once() -> None:
    layer = edge_blocks(edge_blocks(SAGEConv(4, 4), 10), 20)
    assert policy_of(layer) == "edge_blocks(20)"
    remove(layer)
    assert not {"forward", "propagate"} & set(vars(layer))


def test_what_blocks_would_change_is_refused_and_the_model_left_alone() -> None:
    """A norm over all edges would have a block's statistics; GIN's MLP works on nodes, outside the blocks."""
    with pytest.raises(Refusal, match="Linear has no PyG message passing layer"):
        edge_blocks(nn.Linear(4, 4))
    model = nn.ModuleList([SAGEConv(4, 4), EdgeConv(mlp(16, nn.BatchNorm1d(6)))])
    reason = r"edge_blocks cannot wrap EdgeConv: nn\.1 \(BatchNorm1d\) inside its messages normalises over all edges"
    with pytest.raises(Refusal, match=reason):
        apply(model, "edge_blocks")
    assert "forward" not in vars(model[0])
    edge_blocks(GINConv(mlp(8, nn.BatchNorm1d(6))))
    with pytest.raises(Refusal, match="compiled_edge_blocks is no longer available: fused_edge_blocks and edge_blocks"):
        apply(SAGEConv(4, 4), "compiled_edge_blocks")
