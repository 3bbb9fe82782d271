"""A policy that computes something else is seen: in the loss, in one gradient, in one buffer."""

import pytest
import torch

from gnn_checkpointing.measurement.sameness import StepResult, compared

REFERENCE = StepResult(2.0, (torch.tensor([3.0, 0.0]), torch.tensor([4.0])), (torch.tensor([1.0]),))


def test_equal_results_have_no_error() -> None:
    same = compared(REFERENCE, REFERENCE, 1e-5)
    assert (same.loss_error, same.gradient_error, same.buffer_error) == (0.0, 0.0, 0.0)
    assert same.same_loss and same.same_gradients and same.same_buffers


@pytest.mark.parametrize(
    ("changed", "field", "error"),
    [
        (StepResult(2.002, REFERENCE.gradients, REFERENCE.buffers), "loss", 0.001),
        # All gradients together have norm 5: a difference of 0.5 in one is a tenth.
        (StepResult(2.0, (torch.tensor([3.0, 0.5]), torch.tensor([4.0])), REFERENCE.buffers), "gradient", 0.1),
        (StepResult(2.0, REFERENCE.gradients, (torch.tensor([1.25]),)), "buffer", 0.25),
    ],
)
def test_a_difference_is_found_and_sized(changed: StepResult, field: str, error: float) -> None:
    same = compared(changed, REFERENCE, 1e-5)
    assert getattr(same, f"{field}_error") == pytest.approx(error, rel=1e-5)
    assert not getattr(same, {"loss": "same_loss", "gradient": "same_gradients", "buffer": "same_buffers"}[field])
