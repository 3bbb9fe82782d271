"""Ways to call a layer, extreme but valid graphs, hooks that change values, and models of several layers."""

from collections.abc import Callable
from typing import Any

import torch
from every_convolution import BLOCKS, EVERY, NAMED, THREE, Build, Configuration, Group, called, each
from other_convolutions import CONVOLUTIONS
from small_inputs import EDGES, NODES, PAIR, TYPE, TYPES, WEIGHT, C, O, X, drawn
from small_layers import LAYERS, Asking, Counting, Doubling, TwoLayers, perceptron
from torch import Tensor, nn
from torch.nn.utils import parametrizations
from torch_geometric import EdgeIndex
from torch_geometric import nn as pyg

ATTENDING = (
    "GATConv, heads",
    "GATConv, edge features",
    "GATConv, pair",
    "GATv2Conv",
    "TransformerConv",
    "RGATConv",
    "FAConv",
)
DECOMPOSED: dict[str, Build] = {
    "GCNConv": lambda **o: pyg.GCNConv(C, O, **o),
    "TAGConv": lambda **o: pyg.TAGConv(C, O, **o),
    "SGConv": lambda **o: pyg.SGConv(C, O, **o),
    "APPNP": lambda **o: pyg.APPNP(2, 0.1, **o),
    "ChebConv": lambda **o: pyg.ChebConv(C, O, K=2, **o),
}
"""Layers that PyG can decompose: they propagate one tensor, not a pair."""
SPARSE: dict[str, Build] = {
    "SAGEConv": lambda: pyg.SAGEConv(C, O),
    "GCNConv": lambda: pyg.GCNConv(C, O),
    "GATConv": lambda: pyg.GATConv(C, O, add_self_loops=False),
    "GATv2Conv": lambda: pyg.GATv2Conv(C, O, add_self_loops=False),
    "GraphConv": lambda: pyg.GraphConv(C, O),
    "GINConv": lambda: pyg.GINConv(perceptron()),
    "TAGConv": lambda: pyg.TAGConv(C, O),
}


def transposed() -> Tensor:
    dense = torch.zeros(NODES, NODES)
    dense[EDGES[1], EDGES[0]] = WEIGHT
    return dense


def edge_index_in(order: str | None) -> EdgeIndex:
    edges = EDGES if order is None else EDGES[:, EDGES[1 if order == "col" else 0].argsort(stable=True)]
    return EdgeIndex(edges, sparse_size=(NODES, NODES), sort_order=order)


NONE = torch.empty(2, 0, dtype=torch.long)
EXTREME: dict[str, tuple[Any, Tensor]] = {
    "no edges": (X, NONE),
    "no nodes": (X[:0], NONE),
    "one edge": (X, EDGES[:, :1]),
    "only loops": (X, torch.arange(NODES).repeat(2, 1)),
    "every edge twice": (X, torch.cat([EDGES, EDGES], dim=1)),
    "one node": (X[:1], torch.zeros(2, 20, dtype=torch.long)),
    "edges not contiguous": (X, EDGES.t().contiguous().t()),
    "features not contiguous": (X.t().contiguous().t(), EDGES[:, ::2]),
}
BINARY = torch.arange(EDGES.shape[1]).remainder(2)


def doubled(module: nn.Module, inputs: tuple) -> tuple:
    """Double the floating tensors in the dictionary of arguments, the last of a hook's inputs."""
    values = inputs[-1].items()
    return (*inputs[:-1], {k: v * 2 if isinstance(v, Tensor) and v.is_floating_point() else v for k, v in values})


SEES_OTHERS = "a message without its mean"
HOOKS: dict[str, Callable[[nn.Module], Any]] = {
    "before message": lambda c: c.register_message_forward_pre_hook(doubled),
    "after message": lambda c: c.register_message_forward_hook(lambda m, i, out: out * 3),
    "before propagate": lambda c: c.register_propagate_forward_pre_hook(doubled),
    "after propagate": lambda c: c.register_propagate_forward_hook(lambda m, i, out: out.sigmoid()),
    "before aggregate": lambda c: c.register_aggregate_forward_pre_hook(
        lambda m, i: ({**i[0], "dim_size": i[0]["dim_size"]},)
    ),
    "after aggregate": lambda c: c.register_aggregate_forward_hook(lambda m, i, out: out.tanh()),
    "before edge_update": lambda c: c.register_edge_update_forward_pre_hook(doubled),
    "after edge_update": lambda c: c.register_edge_update_forward_hook(lambda m, i, out: out * 0.5),
    SEES_OTHERS: lambda c: c.register_message_forward_hook(lambda m, i, out: out - out.mean(0)),
    "before the layer": lambda c: c.register_forward_pre_hook(lambda m, args: (args[0] * 2, *args[1:])),
    "after the layer": lambda c: c.register_forward_hook(lambda m, args, out: out * 2),
    "in the backward pass": lambda c: c.register_full_backward_hook(
        lambda m, inputs, outputs: tuple(None if g is None else g * 2 for g in inputs)
    ),
}
HOOKED = ("SAGEConv", "GCNConv, edge weights", "GATConv, heads", "GATv2Conv, edge features")


def hooked(name: str, hook: str) -> Configuration:
    found = CONVOLUTIONS[name]
    return called(with_parts(found.build, HOOKS[hook]), *found.args, **found.kwargs)


MODELS: dict[str, Build] = {
    "SAGE": lambda: TwoLayers(pyg.SAGEConv(C, C), pyg.SAGEConv(C, O)),
    "GAT": lambda: TwoLayers(pyg.GATConv(C, C), pyg.GATConv(C, O, heads=2)),
    "GIN with BatchNorm": lambda: TwoLayers(
        pyg.GINConv(perceptron(C, C, nn.BatchNorm1d(C))), pyg.EdgeConv(perceptron(2 * C))
    ),
    "one layer used twice": lambda: TwoLayers(*[pyg.GATv2Conv(C, C)] * 2),
}


def with_parts(build: Build, change: Callable[[nn.Module], Any]) -> Build:
    """Build that applies `change` to what `build` makes."""

    def made() -> nn.Module:
        model = build()
        change(model)
        return model

    return made


def models_with(change: Callable[[nn.Module], Any]) -> dict[str, Build]:
    return {name: with_parts(build, change) for name, build in MODELS.items()}


def half_frozen(model: nn.Module) -> None:
    for position, weight in enumerate(model.parameters()):
        weight.requires_grad_(position % 2 == 0)


CALLS: dict[str, Group] = {
    "attention weights asked for": Group(
        {
            name: called(found.build, *found.args, **found.kwargs, return_attention_weights=True)
            for name in ATTENDING
            for found in [CONVOLUTIONS[name]]
        }
    ),
    "values of another type per edge": Group(
        {
            "weights": called(lambda: pyg.GCNConv(C, O, normalize=False), X, EDGES, BINARY.bool()),
            "features": called(lambda: pyg.GINEConv(nn.Linear(C, O)), X, EDGES, BINARY.int()[:, None].expand(-1, C)),
        },
        ("fused_edge_blocks",),
    ),
    "edges that point the other way": Group(
        each({n: lambda b=b: b(flow="target_to_source") for n, b in LAYERS.items()})
    ),
    "decomposed layers": Group(each({n: lambda b=b: b(decomposed_layers=2) for n, b in DECOMPOSED.items()})),
    "a sparse adjacency": Group(
        {
            f"{name}, {layout}": called(build, X, getattr(transposed(), f"to_sparse_{layout}")())
            for name, build in SPARSE.items()
            for layout in ("coo", "csr")
        },
        THREE,
        NAMED,
    ),
    "an EdgeIndex": Group(
        {
            f"{name}, sorted by {order}": called(build, X, edge_index_in(order))
            for name, build in LAYERS.items()
            for order in ("col", "row", None)
        }
    ),
    "a layer that asks for everything": Group(
        {
            **{f"a table of {n}": called(lambda n=n: Asking(n), X, EDGES, TYPE, WEIGHT) for n in (TYPES, NODES)},
            "as many edges as nodes": called(Asking, X, EDGES[:, :NODES], TYPE[:NODES], WEIGHT[:NODES]),
            "features of edges like those of nodes": called(
                lambda: pyg.GINEConv(perceptron(C, C)), X, EDGES[:, :NODES], drawn(NODES, C, seed=66)
            ),
        }
    ),
    "a table as long as the edges": Group({"a table": called(lambda: Asking(EDGES.shape[1]), X, EDGES, TYPE, WEIGHT)}),
    "an extreme graph": Group(
        {
            f"{kind}, {name}": called(build, *graph)
            for kind, graph in EXTREME.items()
            for name, build in LAYERS.items()
            if (kind, name) != ("one node", "GIN")  # BatchNorm refuses a single row
        },
        (*THREE, "layers+edge_blocks(8)", "fused_edge_blocks"),
    ),
    "a pair without nodes": Group(
        {
            "no destinations": called(lambda: pyg.SAGEConv((C, C), O), (X, PAIR[1][:0]), NONE),
            "no sources": called(lambda: pyg.SAGEConv((C, C), O), (X[:0], PAIR[1]), NONE),
        },
        (*THREE, "layers+edge_blocks(8)"),
    ),
    "a hook that acts": Group({f"{h}, {name}": hooked(name, h) for name in HOOKED for h in HOOKS if h != SEES_OTHERS}),
    "a hook that sees other edges": Group({name: hooked(name, SEES_OTHERS) for name in HOOKED}, THREE, NAMED),
    "a model": Group(each(MODELS), EVERY),
    "a model of raw features": Group(each(MODELS, X, EDGES, raw=True), EVERY),
    "a model half frozen": Group(each(models_with(half_frozen)), EVERY),
    "a model frozen": Group(each(models_with(lambda model: model.requires_grad_(False))), EVERY),
    "a frozen attention vector": Group(
        each({"raw": with_parts(LAYERS["GATv2"], lambda gat: gat.att.requires_grad_(False))}, X, EDGES, raw=True),
        BLOCKS,
    ),
    "a parametrised weight": Group(
        each(
            {
                wrap.__name__: with_parts(MODELS["SAGE"], lambda model, wrap=wrap: wrap(model.first.lin_l))
                for wrap in (parametrizations.weight_norm, parametrizations.spectral_norm)
            }
        ),
        EVERY,
        steps=3,
    ),
    "an output changed in place": Group(
        each({"both": lambda: TwoLayers(pyg.SAGEConv(C, C), pyg.GINConv(perceptron(C, O)), True)}), EVERY
    ),
    # A loss may use a value that a layer wrote to an attribute, such as SuperGAT's attention loss.
    "an output that is kept": Group(
        each({"in an attribute": Counting}, X, EDGES, loss_of=lambda model: model.last.square().sum()),
        EVERY,
        ("layers", "layers+edge_blocks(8)", "selective"),
    ),
    "SuperGAT's loss": Group(
        {
            kind: called(
                lambda kind=kind: pyg.SuperGATConv(C, O, heads=2, attention_type=kind),
                X,
                EDGES,
                neg_edge_index=EDGES.flip(0)[:, :9],
                loss_of=lambda layer: 4.0 * layer.get_attention_loss(),
            )
            for kind in ("MX", "SD")
        },
        EVERY,
        ("layers+edge_blocks(8)", "selective"),
        steps=1,
    ),
    "a propagate of its own": Group(each({"doubled": lambda: Doubling(C, O)}), THREE, BLOCKS),
}
