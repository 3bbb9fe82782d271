"""Does a policy compute what `none` computes? Loss, every gradient and every buffer after one step are compared."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gnn_checkpointing.records.policy import Sameness


@dataclass(frozen=True)
class StepResult:
    """What one step leaves: the loss, and gradients and buffers by position (a policy may rename nothing)."""

    loss: float
    gradients: tuple[Tensor, ...]
    buffers: tuple[Tensor, ...]


def step_result(model: nn.Module, loss: Tensor) -> StepResult:
    """Copies of what a finished step left in `model`."""
    gradients = tuple(
        torch.zeros_like(parameter) if parameter.grad is None else parameter.grad.detach().clone()
        for parameter in model.parameters()
    )
    return StepResult(float(loss.detach()), gradients, tuple(buffer.detach().clone() for buffer in model.buffers()))


def compared(result: StepResult, reference: StepResult, tolerance: float) -> Sameness:
    """The differences relative to the reference.

    A parameter's gradient difference is taken relative to the norm of *all* gradients: some gradients are zero in
    exact arithmetic (a softmax does not see a shift of its scores), and their rounding noise would say nothing.
    """
    loss = abs(result.loss - reference.loss) / max(abs(reference.loss), 1e-30)
    gradient = _largest(result.gradients, reference.gradients)
    buffer = _largest(result.buffers, reference.buffers)
    return Sameness(
        loss_error=loss,
        gradient_error=gradient,
        buffer_error=buffer,
        same_loss=loss <= tolerance,
        same_gradients=gradient <= tolerance,
        same_buffers=buffer <= tolerance,
    )


def _largest(values: tuple[Tensor, ...], references: tuple[Tensor, ...]) -> float:
    """The largest norm of a difference, relative to the norm of all references."""
    if not references:
        return 0.0
    doubles = [reference.double() for reference in references]
    scale = max(float(torch.stack([double.norm() for double in doubles]).norm()), 1e-30)
    return max(float((value.double() - double).norm()) for value, double in zip(values, doubles, strict=True)) / scale
