"""Weighted sums, means and extrema equal PyG's scatter in values, gradients and ties, with any number of threads."""

from itertools import product

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch_geometric.utils._scatter import scatter

from gnn_checkpointing.checkpointing.block_plan import kernel_edges
from gnn_checkpointing.checkpointing.kernels import rows

from . import plain

SIZES = [(12, 7, 150), (1, 1, 0), (1, 1, 1), (3, 2, 700), (2, 0, 0), (40, 40, 90)]
SHAPES = [(SIZES[0], c) for c in (16, 64, 7, 1, 136)] + [(s, 16) for s in SIZES[1:]]


def drawn(sizes, channels, dtype=torch.float64):
    """Random edges, rows of sources, and a gradient of destinations."""
    x = torch.randn(sizes[0], channels, dtype=dtype).requires_grad_()
    return plain.edges(*sizes), x, torch.randn(sizes[1], channels, dtype=dtype)


def sums(edge_index, sizes, x, weight, edge, gradient, reduce):
    """The aggregates and all gradients."""
    tables = kernel_edges(edge_index, *sizes[:2])
    with torch.no_grad():
        out = rows.forward(tables, x, weight, edge, reduce=reduce)
        found = rows.backward(tables, gradient, x, weight, edge, reduce=reduce, of_weight=weight is not None)
    return [out, *(part for part in found if part is not None)]


def messages(x, edge_index, weight, edge):
    """Messages of PyG's layers along each edge."""
    sent = x[edge_index[0]]
    if weight is not None:
        return sent * weight.unsqueeze(-1)
    return sent if edge is None else (sent + edge).relu()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    ("message", "reduce"),
    [*product(("rows", "weight", "edge"), ("sum", "mean")), *product(("rows", "ties"), ("max", "min"))],
)
@pytest.mark.parametrize(("sizes", "channels"), SHAPES)
def test_reductions_and_their_ties_are_scatters(sizes, channels, message, reduce, dtype):
    """Rounded values tie often; at zero torch counts one tie more, for the output's initial value."""
    edge_index, x, gradient = drawn(sizes, channels, dtype)
    weight, edge = plain.along(message, sizes[2], channels, dtype=dtype, requires_grad=True)
    if message == "ties":
        x = (2 * x.detach()).round().relu().mul(1 if reduce == "max" else -1).requires_grad_()
    wanted = scatter(messages(x, edge_index, weight, edge), edge_index[1], 0, sizes[1], reduce)
    found = sums(edge_index, sizes, x, weight, edge, gradient, reduce)
    plain.assert_passes(found, wanted, [x, weight, edge], gradient)
    if reduce in ("max", "min"):
        assert torch.equal(found[0], wanted)
    elif message == "rows":  # the gradient of a sum needs no rows
        assert torch.equal(rows.backward(kernel_edges(edge_index, *sizes[:2]), gradient, reduce=reduce).x, found[1])


@pytest.mark.parametrize("reduce", ["sum", "mean"])
def test_ordered_weights_give_the_same_digits(reduce):
    edge_index, x, gradient = drawn((12, 7, 150), 16)
    tables, weight, x = kernel_edges(edge_index, 12, 7), torch.rand(150, dtype=x.dtype), x.detach()
    by_destination, by_source = (weight[order] for order in (tables.order, tables.by_source[2]))
    plain_way, ordered = ({"reduce": reduce, "ordered": how} for how in (False, True))
    assert torch.equal(rows.forward(tables, x, weight, **plain_way), rows.forward(tables, x, by_destination, **ordered))
    assert torch.equal(
        rows.backward(tables, gradient, weight=weight, **plain_way).x,
        rows.backward(tables, gradient, weight=by_source, **ordered).x,
    )


@pytest.mark.parametrize("reduce", ["max", "sum"])
def test_nan_and_infinities_are_torchs(reduce):
    """NaN wins over a maximum and makes its column's gradient NaN; it passes through a ReLU."""
    edge_index, x, gradient = drawn((4, 3, 12), 8)
    edge = None if reduce == "max" else torch.randn(12, 8, dtype=x.dtype).requires_grad_()
    with torch.no_grad():
        x[1, 2], x[2, 3], x[3, 4] = float("nan"), float("-inf"), float("inf")
    wanted = scatter(messages(x, edge_index, None, edge), edge_index[1], 0, 3, reduce)
    tables, given = kernel_edges(edge_index, 4, 3), (x.detach(), None, None if edge is None else edge.detach())
    torch.testing.assert_close(rows.forward(tables, *given, reduce=reduce), wanted.detach(), equal_nan=True)
    found = [part for part in rows.backward(tables, gradient, *given, reduce=reduce) if part is not None]
    for mine, autograds in zip(found, plain.gradients(wanted, [x, edge], gradient), strict=True):
        torch.testing.assert_close(mine, autograds, equal_nan=True)


def test_gradcheck():
    edge_index, x, _ = drawn((5, 4, 20), 3)
    tables = kernel_edges(edge_index, 5, 4)
    weight = torch.randn(20, dtype=torch.float64).requires_grad_()

    for reduce, given in (("mean", [x, weight]), ("max", [x])):
        assert plain.gradcheck(
            lambda *given, reduce=reduce: (rows.forward(tables, *given, reduce=reduce), None),
            lambda gradient, _, *given, reduce=reduce: rows.backward(
                tables, gradient, *given, reduce=reduce, of_weight=len(given) > 1
            ),
            given,
        )


@pytest.mark.parametrize("message", ["rows", "weight", "edge"])
def test_bits_do_not_depend_on_threads(message):
    sizes = (300, 200, 9000)
    edge_index, x, gradient = drawn(sizes, 64, torch.float32)
    weight, edge = plain.along(message, 9000, 64)
    plain.assert_bits_of_any_threads(
        lambda: [
            *sums(edge_index, sizes, x, weight, edge, gradient, "mean"),
            *sums(edge_index, sizes, x.detach(), None, None, gradient, "max"),
        ]
    )


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
        ({"x": None, "weight": torch.zeros(10), "of_weight": True}, "need x"),
        ({"of_weight": True}, "without weights"),
        ({"x": None, "reduce": "max"}, "need x"),
        ({"gradient": torch.zeros(5, 8), "reduce": "max"}, "gradient has shape"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(change, said):
    given = {"graph": kernel_edges(plain.edges(4, 4, 10), 4), "x": torch.zeros(4, 8), **change}
    backward = {"gradient", "of_weight"} & change.keys() or given["x"] is None
    with pytest.raises(ValueError, match=said):
        rows.backward(**{"gradient": torch.zeros(4, 8), **given}) if backward else rows.forward(**given)


def test_fake_tensors_have_the_real_ones_shapes():
    with FakeTensorMode():
        tables = kernel_edges(torch.zeros(2, 30, dtype=torch.long), 6, 5)
        x, weight = torch.empty(6, 8), torch.empty(30)
        out = rows.forward(tables, x, weight)
        found = rows.backward(tables, out, x, weight, of_weight=True)
        assert out.shape == (5, 8) and found.x.shape == (6, 8) and found.weight.shape == (30,)
        assert rows.forward(tables, x, reduce="max").shape == (5, 8)
        assert rows.backward(tables, out, x, reduce="min").x.shape == (6, 8)
