"""Weighted sums, means and extrema equal PyG's scatter in values, gradients and ties, at any number of threads."""

from itertools import pairwise

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch_geometric.utils._scatter import scatter

from gnn_checkpointing.checkpointing.block_plan import kernel_edges
from gnn_checkpointing.checkpointing.kernels import rows

from . import plain

SIZES = [(12, 7, 150), (1, 1, 0), (1, 1, 1), (3, 2, 700), (2, 0, 0), (40, 40, 90)]
CHANNELS = [16, 64, 7, 1, 136]


def drawn(sizes, channels, dtype=torch.float64):
    """Edges, rows of sources, a gradient of destinations."""
    edge_index = plain.edges(*sizes) if sizes[2] else torch.zeros(2, 0, dtype=torch.long)
    x = torch.randn(sizes[0], channels, dtype=dtype).requires_grad_()
    return edge_index, x, torch.randn(sizes[1], channels, dtype=dtype)


def sums(edge_index, sizes, x, weight, edge, gradient, reduce):
    """The aggregates and all gradients."""
    tables = kernel_edges(edge_index, *sizes[:2])
    with torch.no_grad():
        out = rows.forward(tables, x, weight, edge, reduce=reduce)
        found = rows.backward(tables, gradient, x, weight, edge, reduce=reduce, of_weight=weight is not None)
    return [out, *(part for part in found if part is not None)]


def messages(x, edge_index, weight, edge):
    """What PyG's layers send along each edge."""
    sent = x[edge_index[0]]
    if weight is not None:
        return sent * weight.unsqueeze(-1)
    return sent if edge is None else (sent + edge).relu()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("reduce", ["sum", "mean"])
@pytest.mark.parametrize("message", ["rows", "weight", "edge"])
@pytest.mark.parametrize(("sizes", "channels"), [(SIZES[0], c) for c in CHANNELS] + [(s, 16) for s in SIZES[1:]])
def test_sums_are_scatters(sizes, channels, message, reduce, dtype):
    edge_index, x, gradient = drawn(sizes, channels, dtype)
    weight = torch.randn(sizes[2], dtype=dtype).requires_grad_() if message == "weight" else None
    edge = torch.randn(sizes[2], channels, dtype=dtype).requires_grad_() if message == "edge" else None
    wanted = scatter(messages(x, edge_index, weight, edge), edge_index[1], 0, sizes[1], reduce)
    out, *found = sums(edge_index, sizes, x, weight, edge, gradient, reduce)
    plain.assert_same(out, wanted.detach())
    for mine, autograds in zip(found, plain.gradients(lambda: wanted, [x, weight, edge], gradient), strict=True):
        plain.assert_same(mine, autograds)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("reduce", ["max", "min"])
@pytest.mark.parametrize(("sizes", "channels"), [(SIZES[0], c) for c in CHANNELS] + [(s, 16) for s in SIZES[1:]])
def test_extrema_and_their_ties_are_scatters(sizes, channels, reduce, ties, dtype):
    """Rounded values tie often, and in zero, which torch counts once more: it held the output before."""
    edge_index, x, gradient = drawn(sizes, channels, dtype)
    if ties:
        x = (2 * x.detach()).round().relu().mul(1 if reduce == "max" else -1).requires_grad_()
    wanted = scatter(x[edge_index[0]], edge_index[1], 0, sizes[1], reduce)
    tables = kernel_edges(edge_index, *sizes[:2])
    with torch.no_grad():
        assert torch.equal(rows.forward(tables, x, reduce=reduce), wanted)
        plain.assert_same(
            rows.backward(tables, gradient, x, reduce=reduce).x, *plain.gradients(lambda: wanted, [x], gradient)
        )


def test_nan_wins_and_spoils_its_columns_gradient_as_in_torch():
    edge_index, x, gradient = drawn((4, 3, 12), 8)
    with torch.no_grad():
        x[1, 2] = float("nan")
    wanted = scatter(x[edge_index[0]], edge_index[1], 0, 3, "max")
    tables = kernel_edges(edge_index, 4, 3)
    torch.testing.assert_close(rows.forward(tables, x.detach(), reduce="max"), wanted.detach(), equal_nan=True)
    (of_x,) = plain.gradients(lambda: wanted, [x], gradient)
    torch.testing.assert_close(rows.backward(tables, gradient, x.detach(), reduce="max").x, of_x, equal_nan=True)


def test_nan_and_infinities_pass_a_relu_as_in_torch():
    edge_index, x, gradient = drawn((4, 3, 12), 8)
    edge = torch.randn(12, 8, dtype=x.dtype).requires_grad_()
    with torch.no_grad():
        x[1, 2], x[2, 3], x[3, 4] = float("nan"), float("-inf"), float("inf")
    wanted = scatter((x[edge_index[0]] + edge).relu(), edge_index[1], 0, 3, "sum")
    tables, given = kernel_edges(edge_index, 4, 3), (x.detach(), None, edge.detach())
    torch.testing.assert_close(rows.forward(tables, *given), wanted.detach(), equal_nan=True)
    of_x, of_edge = plain.gradients(lambda: wanted, [x, edge], gradient)
    found = rows.backward(tables, gradient, *given)
    torch.testing.assert_close(found.x, of_x, equal_nan=True)
    torch.testing.assert_close(found.edge, of_edge, equal_nan=True)


def test_gradcheck():
    edge_index, x, _ = drawn((5, 4, 20), 3)
    tables = kernel_edges(edge_index, 5, 4)
    weight = torch.randn(20, dtype=torch.float64).requires_grad_()

    class Mean(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, weight):
            ctx.save_for_backward(x, weight)
            return rows.forward(tables, x, weight, reduce="mean")

        @staticmethod
        def backward(ctx, gradient):
            x, weight = ctx.saved_tensors
            return rows.backward(tables, gradient, x, weight, reduce="mean", of_weight=True)[:2]

    class Largest(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return rows.forward(tables, x, reduce="max")

        @staticmethod
        def backward(ctx, gradient):
            return rows.backward(tables, gradient, *ctx.saved_tensors, reduce="max").x

    assert torch.autograd.gradcheck(Mean.apply, (x, weight)) and torch.autograd.gradcheck(Largest.apply, (x,))


@pytest.mark.parametrize("message", ["rows", "weight", "edge"])
def test_bits_do_not_depend_on_threads(message):
    sizes = (300, 200, 9000)
    edge_index, x, gradient = drawn(sizes, 64, torch.float32)
    weight = torch.randn(9000) if message == "weight" else None
    edge = torch.randn(9000, 64) if message == "edge" else None
    tables = kernel_edges(edge_index, *sizes[:2])
    runs = []
    for threads in (1, 2, 3):
        torch.set_num_threads(threads)
        extrema = [
            rows.forward(tables, x.detach(), reduce="max"),
            rows.backward(tables, gradient, x.detach(), reduce="max").x,
        ]
        runs.append([*sums(edge_index, sizes, x, weight, edge, gradient, "mean"), *extrema])
    for one, other in pairwise(runs):
        assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_the_gradient_of_a_sum_needs_no_rows():
    edge_index, x, gradient = drawn((12, 7, 150), 16)
    tables = kernel_edges(edge_index, 12, 7)
    with torch.no_grad():
        assert torch.equal(rows.backward(tables, gradient).x, rows.backward(tables, gradient, x).x)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"x": torch.zeros(4, 8, dtype=torch.int64)}, "float32 and float64"),
        ({"x": torch.zeros(5, 8)}, "x has shape"),
        ({"x": torch.zeros(4, 2, 8)}, r"expected \[nodes, channels\]"),
        ({"weight": torch.zeros(9)}, "weight has shape"),
        ({"weight": torch.zeros(10), "edge": torch.zeros(10, 8)}, "not both"),
        ({"reduce": "std"}, "sum, mean, max or min, not 'std'"),
        ({"reduce": "max", "weight": torch.zeros(10)}, "by max takes neither weights nor edge vectors"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(change, said):
    tables = kernel_edges(plain.edges(4, 4, 10), 4)
    with pytest.raises(ValueError, match=said):
        rows.forward(**{"graph": tables, "x": torch.zeros(4, 8), **change})


def test_what_a_gradient_needs_is_asked_for():
    tables = kernel_edges(plain.edges(4, 4, 10), 4)
    with pytest.raises(ValueError, match="need x"):
        rows.backward(tables, torch.zeros(4, 8), weight=torch.zeros(10), of_weight=True)
    with pytest.raises(ValueError, match="without weights"):
        rows.backward(tables, torch.zeros(4, 8), torch.zeros(4, 8), of_weight=True)
    with pytest.raises(ValueError, match="need x"):
        rows.backward(tables, torch.zeros(4, 8), reduce="max")
    with pytest.raises(ValueError, match="gradient has shape"):
        rows.backward(tables, torch.zeros(5, 8), torch.zeros(4, 8), reduce="max")


def test_fake_tensors_have_the_real_ones_shapes():
    with FakeTensorMode():
        tables = kernel_edges(torch.zeros(2, 30, dtype=torch.long), 6, 5)
        x, weight = torch.empty(6, 8), torch.empty(30)
        out = rows.forward(tables, x, weight)
        found = rows.backward(tables, out, x, weight, of_weight=True)
        assert out.shape == (5, 8) and found.x.shape == (6, 8) and found.weight.shape == (30,)
        assert rows.forward(tables, x, reduce="max").shape == (5, 8)
        assert rows.backward(tables, out, x, reduce="min").x.shape == (6, 8)
