"""What the trial of a layer finds, and that it leaves no trace."""

import pytest
import torch
from situations import trained
from small_inputs import COUNT, EDGES, TYPE, C, X
from small_layers import Sending, built
from torch import Tensor

from gnn_checkpointing.checkpointing import apply
from gnn_checkpointing.refusal import Refusal

POLICIES = ("edge_blocks(4)", "edge_blocks(1000)", "fused_edge_blocks", "layers", "selective", "layers+edge_blocks(4)")


class Writing(Sending):
    """A message that writes into what it is given: numbers, or kinds, of edges or of all."""

    def forward(self, x: Tensor, edge_index: Tensor, given: Tensor) -> Tensor:
        return self.propagate(edge_index, x=self.lin(x), given=given)

    def message(self, x_j: Tensor, given: Tensor) -> Tensor:
        return x_j * given.add_(1).view(-1, 1 if len(given) == len(x_j) else C)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("given", [torch.ones(COUNT), TYPE, torch.ones(C)], ids=["numbers", "kinds", "of all"])
def test_a_message_that_writes_into_an_argument_is_refused(given: Tensor, policy: str) -> None:
    reason = "in place" if "blocks" in policy else "writes into an argument in place"
    with pytest.raises(Refusal, match=reason):
        apply(built(Writing), policy)(X, EDGES, given.clone())


def test_the_trial_leaves_what_a_layer_keeps_as_it_was() -> None:
    layer = built(Sending)
    layer.register_buffer("kept", torch.arange(5.0))
    layer.numbers = numbers = torch.arange(3.0)
    kept = layer.kept
    trained(apply(layer, "edge_blocks(8)"))
    assert layer.kept is kept
    assert layer.numbers is numbers
    assert kept.tolist() == [0, 1, 2, 3, 4]
    assert numbers.tolist() == [0, 1, 2]
