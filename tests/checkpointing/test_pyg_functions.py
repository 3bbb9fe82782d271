"""Functions of PyG rewritten with fewer passes: the same values, gradients and second gradients."""

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck
from torch_geometric.nn import GATv2Conv, SAGEConv, SimpleConv
from torch_geometric.utils import softmax as softmax_of_pyg

from gnn_checkpointing.checkpointing.pyg_functions import aggregate_unread, method_of, softmax

INDEX = torch.tensor([0, 0, 2, 2, 2, 3])
"""Node 1 has no edge."""


@pytest.mark.parametrize("shape", [(6,), (6, 3)])
def test_the_softmax_is_that_of_pyg(shape: tuple[int, ...]) -> None:
    scores = (10 * torch.randn(shape, dtype=torch.float64)).requires_grad_()
    torch.testing.assert_close(softmax(scores, INDEX, None, 4), softmax_of_pyg(scores, INDEX, None, 4))
    assert gradcheck(lambda s: softmax(s, INDEX, None, 4), scores)
    assert gradgradcheck(lambda s: softmax(s, INDEX, None, 4), scores)


def test_the_softmax_of_pointers_is_left_to_pyg() -> None:
    scores, pointer = torch.randn(6, 3), torch.tensor([0, 2, 2, 5, 6])
    torch.testing.assert_close(softmax(scores, ptr=pointer), softmax_of_pyg(scores, INDEX, None, 4))


def test_layers_that_call_the_softmax_get_it_and_others_keep_their_method() -> None:
    attention, plain = GATv2Conv(3, 2), SAGEConv(3, 2)
    assert method_of(attention, "edge_update").__func__.__globals__["softmax"] is softmax
    assert method_of(plain, "message") == plain.message


@pytest.mark.parametrize("reduce", ["sum", "mean", "max", "min"])
def test_an_unread_aggregate_has_the_gradient_of_a_read_one(reduce: str) -> None:
    conv = SimpleConv(aggr=reduce)
    # Whole numbers, so that several messages share an extremum, and some extrema are zero.
    messages, gradient = torch.randint(-1, 2, (6, 3)).float().requires_grad_(), torch.randn(4, 3)
    read = conv.aggregate(messages, INDEX, None, 4)
    unread = aggregate_unread(conv, messages, INDEX, 4)
    assert unread is not None and unread.shape == read.shape
    found, wanted = (torch.autograd.grad(out, messages, gradient)[0] for out in (unread, read))
    torch.testing.assert_close(found, wanted, rtol=0, atol=0)


def test_an_aggregate_without_a_faster_way_is_computed() -> None:
    assert aggregate_unread(SimpleConv(aggr="std"), torch.randn(6, 3), INDEX, 4) is None


def test_an_aggregation_that_is_hooked_is_computed() -> None:
    conv = SimpleConv(aggr="sum")
    conv.aggr_module.register_forward_hook(lambda *_: None)
    assert aggregate_unread(conv, torch.randn(6, 3), INDEX, 4) is None
