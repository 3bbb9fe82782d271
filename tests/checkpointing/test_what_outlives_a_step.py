"""After a backward pass nothing of a step is held, though the loss is still there, as in most training loops."""

import gc
from typing import ClassVar

import pytest
import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch_geometric.nn import GAT, GCN, GraphSAGE, MessagePassing

from gnn_checkpointing import apply

NODES, CHANNELS = 64, 96


def rows_alive() -> int:
    """Tensors with a row per node and a column per channel that somebody holds."""
    gc.collect()
    tensors = (found for found in gc.get_objects() if isinstance(found, torch.Tensor))
    return len(
        {t.untyped_storage()._cdata for t in tensors if t.layout == torch.strided and t.numel() == NODES * CHANNELS}
    )


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["edge_blocks(100)", "fused_edge_blocks", "layers", "layers+edge_blocks(100)"])
@pytest.mark.parametrize("kind", [GCN, GraphSAGE, GAT])
def test_a_loss_that_is_kept_keeps_no_activations(kind: type, policy: str) -> None:
    x = torch.randn(NODES, 7)
    edge_index = torch.randint(0, NODES, (2, 500), generator=torch.Generator().manual_seed(0))
    model = apply(kind(7, CHANNELS, num_layers=3, out_channels=5), policy)
    model(x, edge_index).sum().backward()
    before = rows_alive()
    loss = model(x, edge_index).sum()
    loss.backward()
    assert rows_alive() == before
    assert loss.isfinite()


class _Exponential(MessagePassing):
    """A layer whose message saves its own output; `made` tells whether the memory of each is free."""

    made: ClassVar[list[StorageWeakRef]] = []

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        return self.propagate(edge_index, x=x)

    def message(self, x_j: Tensor) -> Tensor:
        messages = x_j.exp()
        self.made.append(StorageWeakRef(messages.untyped_storage()))
        return messages


def test_the_first_call_leaves_none_of_the_messages_that_it_tried() -> None:
    """A saved output that holds its own graph is never freed: 200 such layers held more than plain training needs."""
    layer = apply(_Exponential(), "edge_blocks(100)")
    edge_index = torch.randint(0, NODES, (2, 500), generator=torch.Generator().manual_seed(0))
    loss = layer(torch.randn(NODES, CHANNELS, requires_grad=True), edge_index).sum()
    blocks = len(layer.made) - 3  # the trial computes one block at once, and in two parts
    assert blocks > 3
    assert all(messages.expired() for messages in layer.made)
    loss.backward()
    assert len(layer.made) == 2 * blocks + 3
    assert all(messages.expired() for messages in layer.made)
