"""Policies on stacks of every convolution: they compute what `none` computes, and the bytes they hold are counted."""

from functools import cache

import pytest
import torch
from small_models import (
    CONVOLUTIONS,
    FEATURES,
    NODE_MAP,
    NODES,
    adjacency,
    assert_same,
    built,
    bytes_of,
    calls_of,
    loss_of,
    stepped,
)
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch_geometric.nn import GatedGraphConv, GINConv, SimpleConv, aggr

from gnn_checkpointing.checkpointing import apply, compilation
from gnn_checkpointing.checkpointing.edge_blocks import tables_of
from gnn_checkpointing.checkpointing.layers import segments_of
from gnn_checkpointing.measurement.probe import StepResult
from gnn_checkpointing.refusal import Refusal

BLOCK = 100
"""Edges per block; the graph's 480 edges (GCN: 540 with self-loops) then make five or six blocks."""

PLAIN, BATCH, BOTH, DROPOUT = {}, {"norm": "batch"}, {"norm": "batch", "dropout": 0.3}, {"dropout": 0.5}
RESIDUAL, ALL = {"norm": "layer", "residual": True}, {"norm": "batch", "dropout": 0.3, "residual": True}
GATHERED = torch.ops.aten.index_select.default
SCATTERS = [torch.ops.aten.scatter_add_.default, torch.ops.aten.scatter_reduce_.two]
RUNS = [
    (convolution, policy, options)
    for convolutions, policy, many in (
        (["GATv2"], "layers", (PLAIN, BATCH, RESIDUAL, DROPOUT, BOTH)),
        (["GATv2"], "edge_blocks", (PLAIN, BATCH, RESIDUAL, DROPOUT, BOTH)),
        (["GATv2"], f"edge_blocks({BLOCK})", (PLAIN, BATCH, RESIDUAL, DROPOUT)),
        (["GATv2"], f"layers+edge_blocks({BLOCK})", (PLAIN,)),
        (["GATv2"], "segments(2)", (PLAIN, BATCH, DROPOUT)),
        (["GATv2"], "selective", (PLAIN, BATCH, DROPOUT)),
        (CONVOLUTIONS, f"edge_blocks({BLOCK})", (ALL,)),
        (CONVOLUTIONS, f"layers+edge_blocks({BLOCK})", (ALL,)),
        (CONVOLUTIONS, "segments(2)", (ALL,)),
        (CONVOLUTIONS, "selective", (ALL,)),
    )
    for convolution in convolutions
    for options in many
]
BIT_FOR_BIT = ("segments(2)", "selective")
"""Policies that run the same operators on the same values, with dropout masks from the same random state."""


@cache
def reference(convolution: str, options: tuple) -> StepResult:
    return stepped(built(convolution, "none", **dict(options)), adjacency(convolution), steps=2)


@pytest.mark.parametrize(("convolution", "policy", "options"), RUNS, ids=str)
def test_loss_gradients_and_buffers_are_those_of_none(convolution: str, policy: str, options: dict) -> None:
    """Compares the second of two steps, which sees the buffers left by the first."""
    found = stepped(built(convolution, policy, **options), adjacency(convolution), steps=2)
    same = assert_same(found, reference(convolution, tuple(options.items())))
    if policy in BIT_FOR_BIT:
        assert (same.loss_error, same.gradient_error) == (0, 0)
    assert same.buffer_error == 0 or "edge_blocks" in policy


@pytest.mark.parametrize(
    ("policy", "maps"),
    [("layers", 4), (f"layers+edge_blocks({BLOCK})", 4), *((f"segments({count})", count) for count in (1, 2, 3, 4))],
)
def test_what_is_held_are_inputs_and_the_states_of_what_draws(policy: str, maps: int) -> None:
    """One node map (N x 8 float32) for the head and for each layer or segment but the first, whose input is resident.

    `square` keeps the scores, N x 3, 720 bytes; the loss takes 4 bytes. No mask is kept: a layer or segment that draws
    keeps its initial random state, 5,056 bytes.
    """
    graph, held, state = adjacency("GATv2"), maps * NODE_MAP + NODES * 3 * 4 + 4, torch.get_rng_state().numel()
    assert (NODE_MAP, state) == (1920, 5056)
    assert bytes_of(built("GATv2", policy), graph).saved == held
    assert bytes_of(built("GATv2", policy, dropout=0.5), graph).saved == held + maps * state


@pytest.mark.parametrize(
    ("model", "policy", "said"),
    [
        (nn.Linear(2, 2), "layers", "policy layers: Linear has neither `blocks` nor"),
        (nn.Linear(2, 2), "selective", "policy selective: Linear has neither"),
        (nn.Sequential(nn.Linear(2, 2)), "segments(1)", "no list `blocks` with a method `through_blocks"),
        (built("SAGE", "none"), "segments(5)", "has only 4 blocks"),
        (built("SAGE", "none"), "edge_blocks(0)", r"unknown policy 'edge_blocks\(0\)'"),
        (built("SAGE", "none"), "reversible", r"no torch_geometric\.nn\.GroupAddRev; build its blocks of them"),
    ],
)
def test_what_has_no_layers_or_too_few_is_refused(model: nn.Module, policy: str, said: str) -> None:
    with pytest.raises(Refusal, match=said):
        apply(model, policy)


def test_the_work_of_a_block_is_done_three_times() -> None:
    """Forward, in its layer's recomputation, and in its own inside that; a first step also tries each layer once.

    The first layer's features require no gradient, which one block of the third kind finds out.
    """
    model, graph = built("SAGE", f"layers+edge_blocks({BLOCK})"), adjacency("SAGE")
    calls = calls_of(model, graph, [block.conv for block in model.blocks], "message")
    (edges,) = tables_of(model)[0].all_sorted()
    blocks = len(edges.blocks(BLOCK))
    assert blocks >= 5
    assert calls == [2 * blocks + 1, *[3 * blocks] * 3]


@pytest.mark.parametrize("segments", [1, 2, 4])
def test_every_block_of_a_segment_runs_twice(segments: int) -> None:
    """Counts the starts: PyTorch stops the last block of a recomputed segment once it has all that backward needs."""
    model, graph = built("SAGE", f"segments({segments})"), adjacency("SAGE")
    assert calls_of(model, graph, [getattr(block, "conv", block) for block in model.blocks], "forward") == [2] * 4
    assert list(model.state_dict()) == list(built("SAGE", "none").state_dict())


@pytest.mark.parametrize(
    ("blocks", "segments", "lengths"), [(9, 3, [3, 3, 3]), (9, 4, [3, 2, 2, 2]), (5, 5, [1] * 5), (5, 3, [2, 2, 1])]
)
def test_segments_are_consecutive_and_near_equal(blocks: int, segments: int, lengths: list[int]) -> None:
    layers = [nn.Identity() for _ in range(blocks)]
    found = segments_of(layers, segments)
    assert [len(segment) for segment in found] == lengths
    assert [layer for segment in found for layer in segment] == layers


class Operators(TorchDispatchMode):
    """Counts the operators that are actually run."""

    def __init__(self) -> None:
        super().__init__()
        self.runs: dict[object, int] = {}

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.runs[function] = self.runs.get(function, 0) + 1
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize("convolution", CONVOLUTIONS)
def test_selective_runs_matrix_products_once_and_gathers_twice(convolution: str) -> None:
    """It runs as many products as plain training, while `layers` repeats those of the forward pass."""
    products, gathers = {}, {}
    for policy in ("none", "selective", "layers"):
        with Operators() as count:
            loss_of(built(convolution, policy), adjacency(convolution)).backward()
        products[policy] = sum(count.runs.get(operator, 0) for operator in compilation.KEPT)
        gathers[policy] = count.runs[GATHERED]
    assert products["selective"] == products["none"] < products["layers"]
    assert gathers["selective"] == gathers["layers"] > gathers["none"]


@pytest.mark.parametrize(("convolution", "products"), [("GCN", 1), ("SAGE", 2), ("GAT", 1), ("GATv2", 2)])
def test_selective_holds_what_layers_holds_and_the_products(convolution: str, products: int) -> None:
    """A product over nodes is one node map; there are 4 layers."""
    graph = adjacency(convolution)
    extra = bytes_of(built(convolution, "selective"), graph).saved - bytes_of(built(convolution, "layers"), graph).saved
    assert extra == 4 * products * NODE_MAP


@pytest.mark.parametrize("convolution", CONVOLUTIONS)
def test_pygs_aggregation_cannot_be_kept_because_it_scatters_in_place(
    convolution: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compilation, "KEPT", [*compilation.KEPT, torch.ops.aten.new_zeros.default, *SCATTERS])
    loss = loss_of(built(convolution, "selective"), adjacency(convolution))
    with pytest.raises(Refusal, match="Conv changes a kept result in place"):
        loss.backward()


@pytest.mark.parametrize(
    "layer",
    [
        GINConv(nn.Sequential(nn.Linear(8, 8), nn.ReLU(inplace=True), nn.Linear(8, 8))),
        GatedGraphConv(8, num_layers=2),  # PyTorch does not notice what a GRU cell changes, and trains it wrongly
        SimpleConv(aggr.LCMAggregation(8, 8)),
    ],
    ids=["ReLU", "GRU", "GRU in an aggregation"],
)
def test_a_product_changed_in_place_is_refused_by_the_first_step(layer: nn.Module) -> None:
    edges = adjacency("GIN").edge_index
    edges = edges[:, edges[1].argsort(stable=True)]
    with pytest.raises(Refusal, match=f"policy selective: {type(layer).__name__} changes a kept result in place"):
        apply(layer, "selective")(FEATURES, edges).sum().backward()
