"""`edge_blocks`: its work, its memory and its exactness, also on layers that build their own graphs.

For one max-relative convolution of C channels on N patches with k neighbours each, one image, float32: without
checkpointing it keeps N k C differences (4 bytes each) for the gradient of the maximum; in blocks it keeps only the
graph, N k indices of 8 bytes.
"""

import copy
from functools import cache

import pytest
import torch
from situations import trained
from small_inputs import EDGES as SMALL
from small_inputs import X
from small_layers import CALLS, LAYERS, TwoBlocks, built, perceptron
from small_models import assert_same, bytes_of_second, growth, result_of
from steps_compared import alike, outcome, without_zeros
from torch import Tensor, nn
from torch_geometric.nn import EdgeConv, GATv2Conv, GINEConv, GraphSAGE, SAGEConv

from gnn_checkpointing.checkpointing import apply, edge_blocks, fused, largest_block_edges, policy_tensors, remove
from gnn_checkpointing.checkpointing.edge_blocks import tables_of
from gnn_checkpointing.checkpointing.policies import policy_of
from gnn_checkpointing.measurement.peak_memory import resident_bytes
from gnn_checkpointing.measurement.probe import StepResult
from gnn_checkpointing.models.vig import Vig, VigOptions, build_vig
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.convolutions import neighbours_by_block

NODES, EDGES, C = 150, 2400, 8
DRAWN = torch.randint(0, NODES, (2, EDGES), generator=torch.Generator().manual_seed(1))
SORTED = DRAWN[:, DRAWN[1].argsort(stable=True)].contiguous()
MORE = {
    "SAGE max": lambda: SAGEConv(C, 5, aggr="max"),
    "SAGE max, projected, normalised": lambda: SAGEConv(C, 8, aggr="max", project=True, normalize=True),
    "GATv2 shared, averaged, residual": lambda: GATv2Conv(
        C, 4, heads=2, concat=False, residual=True, share_weights=True, add_self_loops=False
    ),
    "EdgeConv, max": lambda: EdgeConv(perceptron(2 * C)),
    "EdgeConv of one map": lambda: EdgeConv(nn.Linear(2 * C, 8)),
    "EdgeConv, dropout of probability zero": lambda: EdgeConv(perceptron(2 * C, 6, nn.Dropout(0.0), nn.ReLU())),
}


@pytest.mark.parametrize("name", LAYERS | MORE)
@pytest.mark.parametrize("what", ["sorted by destination", "as drawn", "ties"])
def test_a_step_is_that_of_the_plain_layer(name: str, what: str) -> None:
    """Neighbours that attain a maximum together share its gradient; a block holds all edges of a node.

    Features of only 0 and 1 in three channels make ties certain: 16 neighbours each, but only 2^3 possible rows.
    Weights are then sixteenths, whose sums are exact: equal rows have equal products at any place in a matrix product.
    """
    torch.manual_seed(2)
    layer, x = without_zeros((LAYERS | MORE)[name]()), torch.randn(NODES, C)
    if what == "ties":
        x = torch.randint(0, 2, (NODES, C)).float() * (torch.arange(C) < 3)
        with torch.no_grad():
            for weight in layer.parameters():
                weight.copy_((16 * weight).round() / 16)
    assert outcome(layer, "edge_blocks(300)", (x, SORTED if what == "sorted by destination" else DRAWN)) == "exact"


class Counted(SAGEConv):
    def message(self, x_j: Tensor) -> Tensor:
        CALLS()
        return super().message(x_j)


def test_a_blocks_work_is_done_once_in_each_pass() -> None:
    """A first step also tries the layer once; without a required gradient there is no second pass."""
    sage = edge_blocks(Counted(C, 8), 300)
    x = torch.randn(NODES, C, requires_grad=True)
    sage(x, DRAWN).sum().backward()
    CALLS.reset_mock()
    (edges,) = tables_of(sage)[0].all_sorted()
    blocks = len(edges.blocks(300))
    assert blocks >= EDGES // 300
    sage(x, DRAWN).sum().backward()
    assert CALLS.call_count == 2 * blocks
    with torch.no_grad():
        sage(x, DRAWN)
    assert CALLS.call_count == 3 * blocks
    sage(x.detach(), DRAWN).sum().backward()
    assert CALLS.call_count == 4 * blocks + 1


def test_the_first_linear_map_of_an_edge_conv_is_made_on_nodes() -> None:
    layer = edge_blocks(EdgeConv(perceptron(2 * C)), 10**6)
    layer(torch.randn(NODES, C), DRAWN)
    assert list(vars(layer)["_cut_layer"]._cutter._agreed.values()) == [True]


class Reversed(EdgeConv):
    """The difference with the opposite sign: the trial must notice it."""

    def message(self, x_i: Tensor, x_j: Tensor) -> Tensor:
        return self.nn(torch.cat([x_i, x_i - x_j], dim=-1))


def hooked() -> nn.Module:
    layer = EdgeConv(perceptron(2 * C))
    layer.nn[0].register_forward_hook(lambda _module, _rows, out: out * 2)
    return layer


@pytest.mark.parametrize("layer", [hooked, lambda: Reversed(perceptron(2 * C))], ids=["hook", "another message"])
@pytest.mark.parametrize("taken", [False, True], ids=["as known", "message taken for the known one"])
def test_a_layer_whose_message_is_another_keeps_it(layer, taken: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if taken:  # skips the analysis of the code, so that only the trial is left
        monkeypatch.setattr(fused, "_EDGE_CONVS", (EdgeConv.message, Reversed.message))
    torch.manual_seed(3)
    plain, x = layer(), torch.randn(NODES, C)
    blocked = edge_blocks(copy.deepcopy(plain), 70)
    torch.testing.assert_close(blocked(x, DRAWN), plain(x, DRAWN))


def test_activation_memory_does_not_grow_with_density() -> None:
    """With 32 times the edges, none's peak grows about as much, and the peak of edge_blocks by less than a tenth.

    At 8 edges per node the graph is one block of 8 N edges, at 256 it is 32 blocks of the same size.
    """
    given = lambda: GATv2Conv(16, 8, heads=2, add_self_loops=False), torch.randn(2048, 16), (8, 256)
    assert growth("none", *given) > 20
    assert growth("edge_blocks", *given) < 1.1


@pytest.mark.parametrize(("edges", "bytes_an_edge"), [(SORTED, 4), (DRAWN, 8)], ids=["sorted", "as drawn"])
def test_tables_are_counted_once_for_all_layers(edges: Tensor, bytes_an_edge: int) -> None:
    """A copy of the sources (int32) and a pointer per node (int64); for unsorted edges also their order (int32)."""
    edge_index = edges.clone()
    model = apply(GraphSAGE(C, C, num_layers=3), "edge_blocks")
    model(torch.randn(NODES, C), edge_index)
    added = resident_bytes([edge_index, *policy_tensors(model)]) - resident_bytes([edge_index])
    assert added == bytes_an_edge * EDGES + 8 * (NODES + 1)


def test_blocks_applied_twice_are_applied_once() -> None:
    layer = edge_blocks(edge_blocks(SAGEConv(4, 4), 10), 20)
    assert policy_of(layer) == "edge_blocks(20)"
    remove(layer)
    assert not {"forward", "propagate"} & set(vars(layer))


both_blocks = pytest.mark.parametrize("policy", ["edge_blocks(8)", "layers+edge_blocks(8)"])


def two_blocks() -> nn.Module:
    return built(lambda: TwoBlocks(LAYERS["SAGE"], 0.5)).eval()


@both_blocks
def test_gradients_in_a_batch_are_refused_in_the_backward_pass(policy: str) -> None:
    x = X.clone().requires_grad_()
    out = apply(two_blocks(), policy)(x, SMALL).sum(0)
    with pytest.raises(Refusal, match=r"edge blocks of SAGEConv give no gradients in a batch .*; ask for one"):
        torch.autograd.grad(out, x, torch.eye(C), is_grads_batched=True)


@both_blocks
def test_a_tensor_that_is_read_by_node_and_by_edge_has_the_gradients_of_both(policy: str) -> None:
    x = torch.rand(SMALL.size(1), C, requires_grad=True)
    layer = GINEConv(nn.Linear(C, C))

    def gradient() -> Tensor:
        return torch.autograd.grad(layer(x, SMALL, x).square().sum(), x)[0]

    plain = gradient()
    apply(layer, policy)
    torch.testing.assert_close(gradient(), plain)


@both_blocks
def test_edges_of_four_bytes_have_the_gradients_of_edges_of_eight(policy: str) -> None:
    """Plain PyG has other gradients: its own scatter is wrong with int32 indices."""
    model = apply(two_blocks(), policy)
    alike(trained(model, edges=SMALL.int()), trained(model), 1.0)


# --- layers that build their own graphs

IMAGES = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))


def vig(k: int = 3, **options: object) -> Vig:
    return build_vig("ti", VigOptions(classes=5, image=64, k=k, task="patches", **options), seed=1)  # type: ignore[arg-type]


def stepped(model: Vig, images: Tensor = IMAGES) -> StepResult:
    return result_of(model, lambda: model(images).square().mean(), seed=3)


@pytest.mark.parametrize(
    "policy", ["edge_blocks", "edge_blocks(20)", "layers+edge_blocks(20)", "fused_edge_blocks(20)"]
)
def test_drawn_graphs_give_the_same(policy: str, compiler: None) -> None:
    """Includes dropout, and a constant image, in which all neighbours tie."""
    plain = vig(dropout=0.2)
    images = torch.cat([IMAGES, torch.ones(1, 3, 64, 64)])
    blocked = apply(copy.deepcopy(plain), policy)
    same = assert_same(stepped(blocked, images), stepped(plain, images), 1e-6)
    assert same.loss_error == same.buffer_error == 0
    reached = [[parameter.grad is None for parameter in model.parameters()] for model in (plain, blocked)]
    assert reached[0] == reached[1]


def test_a_block_of_a_drawn_graph_is_as_large_as_asked() -> None:
    """Two images, 3 to 6 neighbours: a block of at most 24 edges has 2 x 4 x 3 or fewer."""
    model = apply(vig(), "edge_blocks(24)")
    assert largest_block_edges(model) is None
    stepped(model)
    assert largest_block_edges(model) == 24


@cache
def kept_differences(policy: str, k: int) -> int:
    """Bytes kept for the backward pass by a model with `k` neighbours in the first block, minus those with one."""
    models = [apply(vig(neighbours), policy) for neighbours in (k, 1)]
    more, least = (bytes_of_second(model, lambda m=model: m(IMAGES).square().mean()).saved for model in models)
    return more - least


def test_what_is_kept_no_longer_grows_with_neighbours() -> None:
    """Twelve blocks of 192 channels on 2 x 16 patches, from k to 2 k neighbours, of which every `dilation`-th is used.

    A difference has 4 bytes per channel, an index 8. Without blocks the index is a view, which also keeps the
    neighbours that dilation leaves out.
    """
    shapes = {k: neighbours_by_block(k, 12, 16) for k in (1, 4)}
    taken, drawn = (
        sum(k * (dilation if wide else 1) for k, dilation in shapes[4])
        - sum(k * (dilation if wide else 1) for k, dilation in shapes[1])
        for wide in (False, True)
    )
    assert (taken, drawn) == (54, 90)
    assert kept_differences("edge_blocks", 4) == 32 * taken * 8
    assert kept_differences("none", 4) == 32 * (taken * 4 * 192 + drawn * 8)


def test_fused_blocks_are_edge_blocks_where_a_layer_draws_its_graph(compiler: None) -> None:
    """No kernel builds graphs, so both policies keep the same bytes."""
    assert kept_differences("fused_edge_blocks", 4) == kept_differences("edge_blocks", 4)
