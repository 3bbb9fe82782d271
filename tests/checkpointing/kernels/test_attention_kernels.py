"""Attention kernels equal PyG's softmax and sums on any graph, with any number of threads, with or without dropout."""

import ctypes
import subprocess
from types import SimpleNamespace

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from gnn_checkpointing.checkpointing.block_plan import kernel_edges
from gnn_checkpointing.checkpointing.kernels import attention, build, operators

from . import plain

KINDS = ("gatv2", "gat", "transformer")
each_kind = pytest.mark.parametrize("kind", KINDS)
SMALL = (12, 7, 150)
"""One destination has no edges; edges are unsorted, and some are duplicates."""
# Whole vectors, a remainder, one channel, long rows; no edges, a self-loop, several chunks of edges, no nodes.
SHAPES = [
    (SMALL, head, edged, dtype)
    for head in ((4, 16), (2, 7), (3, 1), (1, 136))
    for edged in (False, True)
    for dtype in (torch.float32, torch.float64)
]
GRAPHS = [(1, 1, 0), (1, 1, 1), (3, 2, 5000), (5, 1, 513), (0, 0, 0), (2, 0, 0)]
SHAPES += [(sizes, (2, 8), True, torch.float64) for sizes in GRAPHS]


def passes(kind, edge_index, sizes, inputs, gradient, **dropout):
    """Aggregates and all gradients."""
    tables = kernel_edges(edge_index, *sizes[:2])
    with torch.no_grad():
        out, kept = attention.forward(kind, tables, *inputs, negative_slope=plain.SLOPE, **dropout)
        found = attention.backward(kind, tables, gradient, kept, *inputs, negative_slope=plain.SLOPE, **dropout)
    return [out, *(part for part in found if part is not None)]


@pytest.mark.parametrize(("sizes", "head", "edged", "dtype"), SHAPES, ids=str)
@each_kind
def test_values_and_gradients_are_plain_ones(kind, sizes, head, edged, dtype):
    edge_index = plain.edges(*sizes)
    inputs = plain.attention_inputs(kind, sizes, head, edged, dtype)
    gradient = torch.randn(sizes[1], *head, dtype=dtype)
    found = passes(kind, edge_index, sizes, inputs, gradient)
    plain.assert_passes(found, plain.attention(kind, edge_index, sizes[1], *inputs), inputs, gradient)
    assert sizes != SMALL or not found[0][-1].any(), "a node without edges has zeros"


@each_kind
def test_gradcheck(kind):
    sizes = (5, 4, 20)
    tables = kernel_edges(plain.edges(*sizes), *sizes[:2])
    inputs = plain.attention_inputs(kind, sizes, (2, 3), edged=True, dtype=torch.float64)

    options = {"dropout": 0.4, "seed": 3}
    assert plain.gradcheck(
        lambda *given: attention.forward(kind, tables, *given, **options),
        lambda gradient, kept, *given: attention.backward(kind, tables, gradient, kept, *given, **options),
        inputs,
    )


@pytest.mark.parametrize("edged", [False, True])
@pytest.mark.parametrize("heads", [1, 4])
@each_kind
def test_bits_do_not_depend_on_threads(kind, heads, edged):
    """Threads share heads, or take turns on groups of nodes: the sum of a source always has the same order."""
    sizes = (200, 150, 30000)
    edge_index = plain.edges(*sizes)
    inputs = plain.attention_inputs(kind, sizes, (heads, 16), edged, torch.float32)
    gradient = torch.randn(150, heads, 16)
    plain.assert_bits_of_any_threads(lambda: passes(kind, edge_index, sizes, inputs, gradient, dropout=0.3, seed=7))


@each_kind
def test_nothing_is_read_that_nothing_wrote(kind, tmp_path, monkeypatch):
    """Vectors reach past a node's last edge, where dropout's factors were once uninitialised stack memory."""
    source = tmp_path / "spoil.c"
    source.write_text("void spoil() { volatile char b[1 << 18]; for (int i = 0; i < 1 << 18; ++i) b[i] = 255; }")
    subprocess.run([build._compiler(), "-x", "c", "-shared", "-fPIC", source, "-o", f"{source}.so"], check=True)
    spoil = ctypes.CDLL(f"{source}.so").spoil

    def on_a_spoilt_stack(*family, **constants):
        library = build.load(*family, **constants)
        forward, backward = library.forward, library.backward
        return SimpleNamespace(forward=lambda a: (spoil(), forward(a)), backward=lambda a: (spoil(), backward(a)))

    monkeypatch.setattr(operators, "load", on_a_spoilt_stack)
    sizes = (20, 8, 21)  # one to four edges per node
    inputs = plain.attention_inputs(kind, sizes, (4, 16), False, torch.float32)
    torch.set_num_threads(1)
    found = passes(kind, plain.edges(*sizes), sizes, inputs, torch.randn(8, 4, 16), dropout=0.3, seed=7)
    assert all(part.isfinite().all() for part in found)


@pytest.mark.parametrize("dropout", [0.0, 0.3])
@pytest.mark.parametrize("heads", [1, 2])
@each_kind
def test_shares_of_large_scores_keep_their_digits(kind, heads, dropout, monkeypatch):
    """Large scores have few decimals left; these are whole numbers, which float32 represents exactly."""
    monkeypatch.setattr(plain, "SLOPE", 0.25)
    sizes = (20, 6, 60)
    inputs = plain.attention_inputs(kind, sizes, (heads, 16), False, torch.float32)
    with torch.no_grad():
        for part in (*inputs[:2], inputs[3]):
            if part is not None:
                part.copy_(part.sign() * 1024)
    edge_index, gradient = plain.edges(*sizes), torch.randn(6, heads, 16)
    torch.set_num_threads(2)
    single = passes(kind, edge_index, sizes, inputs, gradient, dropout=dropout, seed=7)
    doubled = [None if part is None else part.double() for part in inputs]
    exact = passes(kind, edge_index, sizes, doubled, gradient.double(), dropout=dropout, seed=7)
    largest = max(wanted.abs().max() for wanted in exact)  # some gradients are zero up to rounding
    for found, wanted in zip(single, exact, strict=True):
        assert (found - wanted).abs().max() <= 1e-4 * largest


@pytest.mark.parametrize("edged", [False, True])
@each_kind
def test_a_drawn_mask_is_one_mask_in_both_passes(kind, edged):
    """The mask is read from each edge's share, found with values of one, and then used in plain torch."""
    sizes, p = (300, 50, 300), 0.4
    edge_index = torch.stack([torch.arange(300), torch.randint(50, (300,))])  # one edge per source
    inputs = plain.attention_inputs(kind, sizes, (2, 8), edged, torch.float64)
    tables = kernel_edges(edge_index, *sizes[:2])
    # The gradient of a source's values is its only share times the output's gradient: zero if the mask drops it.
    ones = torch.ones(50, 2, 8, dtype=torch.float64)
    inner = [inputs[0], inputs[1], torch.zeros(300, 2, 8, dtype=torch.float64), inputs[3], None]
    masked = "transformer" if kind == "gatv2" else kind
    if kind == "gatv2":
        inner[3] = None
    _, kept = attention.forward(masked, tables, *inner, dropout=p, seed=11)
    of_values = attention.backward(masked, tables, ones, kept, *inner, dropout=p, seed=11).values
    factors = (of_values[..., :1] != 0).double() / (1 - p)
    gradient = torch.randn(50, 2, 8, dtype=torch.float64)
    wanted = plain.attention(kind, edge_index, 50, *inputs, factors=factors)
    plain.assert_passes(passes(kind, edge_index, sizes, inputs, gradient, dropout=p, seed=11), wanted, inputs, gradient)


def test_the_masks_law_is_dropouts():
    """Kept shares of 40,000 become 1 / (1 - p); their number is within four standard deviations of 40,000 (1 - p)."""
    nodes, heads, p = 10000, 4, 0.3
    tables = kernel_edges(torch.arange(nodes).repeat(2, 1), nodes)
    scores, values = torch.zeros(nodes, heads), torch.ones(nodes, heads, 1)

    def draws(seed):
        return attention.forward("gat", tables, scores, scores, values, dropout=p, seed=seed)[0].squeeze(-1)

    first, again, other = draws(1), draws(1), draws(2)
    assert torch.equal(first, again) and not torch.equal(first, other)
    kept = first != 0
    torch.testing.assert_close(first[kept], torch.full_like(first[kept], 1 / (1 - p)))
    deviation = (nodes * heads * p * (1 - p)) ** 0.5
    assert abs(int(kept.sum()) - nodes * heads * (1 - p)) < 4 * deviation
    # Heads, neighbouring edges and seeds are uncorrelated.
    for one, two in ((kept[:, 0], kept[:, 1]), (kept[:-1], kept[1:]), (kept, other != 0)):
        assert abs(float(torch.corrcoef(torch.stack([one.flatten(), two.flatten()]).float())[0, 1])) < 0.05


def test_all_dropped_is_zero():
    tables = kernel_edges(plain.edges(5, 5, 20), 5)
    scores, values = torch.randn(5, 2), torch.randn(5, 2, 4)
    assert not attention.forward("gat", tables, scores, scores, values, dropout=1.0)[0].any()


def test_a_mask_belongs_to_an_edge_and_not_to_its_place():
    """The same edges in another order, with the same random numbers, give the permuted mask."""
    nodes = 64
    loops = torch.arange(nodes).repeat(2, 1)
    order = torch.randperm(nodes)
    scores, values = torch.zeros(nodes, 1), torch.ones(nodes, 1, 1)
    straight = attention.forward("gat", kernel_edges(loops, nodes), scores, scores, values, dropout=0.5)[0]
    permuted = attention.forward("gat", kernel_edges(loops[:, order], nodes), scores, scores, values, dropout=0.5)[0]
    assert torch.equal(permuted[order], straight)


def test_nan_and_huge_scores_come_out_as_in_pyg():
    """NaN stays within its node; scores of 1e4 lose no share."""
    edge_index = torch.tensor([[0, 1, 2, 0], [0, 0, 1, 1]])
    keys, queries = torch.tensor([[1e4], [9.99e3], [float("nan")]]), torch.zeros(2, 1)
    values = torch.tensor([[[1.0]], [[5.0]], [[7.0]]])
    out, _ = attention.forward("gat", kernel_edges(edge_index, 3, 2), keys, queries, values)
    torch.testing.assert_close(
        out, plain.attention("gat", edge_index, 2, keys, queries, values, None, None), equal_nan=True
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"keys": torch.zeros(4, 2, 8, dtype=torch.float16)}, "float32 and float64"),
        ({"queries": torch.zeros(4, 2, 8, dtype=torch.float64)}, "queries is torch.float64"),
        ({"queries": torch.zeros(5, 2, 8)}, r"queries has shape \[5, 2, 8\]: expected \[4, 2, 8\]"),
        ({"attention": torch.zeros(3, 8)}, "attention has shape"),
        ({"attention": None}, "needs attention"),
        ({"values": torch.zeros(4, 2, 8)}, "takes no values"),
        ({"edge": torch.zeros(9, 2, 8)}, "edge has shape"),
        ({"dropout": 1.5}, "probability"),
        ({"kind": "mixed"}, "allowed are gatv2"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(change, said):
    tables = kernel_edges(plain.edges(4, 4, 10), 4)
    inputs = {"keys": torch.zeros(4, 2, 8), "queries": torch.zeros(4, 2, 8), "attention": torch.zeros(2, 8)}
    given = {"kind": "gatv2", **inputs, "dropout": 0.0, **change}
    names = ("keys", "queries", "values", "attention", "edge")
    with pytest.raises(ValueError, match=said):
        attention.forward(given["kind"], tables, *map(given.get, names), dropout=given["dropout"])


def test_rows_that_are_not_contiguous_are_read_as_they_are_meant():
    tables = kernel_edges(plain.edges(6, 6, 30), 6)
    keys, queries = torch.randn(6, 2), torch.randn(6, 2)
    values = torch.randn(2, 8, 6).permute(2, 0, 1)
    out, _ = attention.forward("gat", tables, keys, queries, values)
    assert torch.equal(out, attention.forward("gat", tables, keys, queries, values.contiguous())[0])


def test_fake_tensors_have_the_real_ones_shapes():
    with FakeTensorMode():
        tables = kernel_edges(torch.zeros(2, 30, dtype=torch.long), 6, 5)
        for kind in KINDS:
            shapes = plain.attention_shapes(kind, (6, 5, 30), (2, 8), edged=True)
            inputs = [shape and torch.empty(shape) for shape in shapes]
            out, kept = attention.forward(kind, tables, *inputs)
            assert out.shape == (5, 2, 8) and kept.shape == (5, 2)
            found = attention.backward(kind, tables, out, kept, *inputs)
            assert [part if part is None else tuple(part.shape) for part in found] == shapes
