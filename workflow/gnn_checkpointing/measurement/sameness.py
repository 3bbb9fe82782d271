"""Compare a policy's results with those of `none`: loss, every gradient and every buffer after one step."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gnn_checkpointing.records.policy import Sameness


@dataclass(frozen=True)
class StepResult:
    """Results of one step: the loss, and gradients and buffers by position (a policy must not rename any)."""

    loss: float
    gradients: tuple[Tensor, ...]
    buffers: tuple[Tensor, ...]


def step_result(model: nn.Module, loss: Tensor) -> StepResult:
    """Copy the results that a finished step left in `model`; a missing gradient counts as zero."""
    gradients = tuple(
        torch.zeros_like(parameter) if parameter.grad is None else parameter.grad.detach().clone()
        for parameter in model.parameters()
    )
    return StepResult(float(loss.detach()), gradients, tuple(buffer.detach().clone() for buffer in model.buffers()))


def compared(result: StepResult, reference: StepResult, tolerance: float) -> Sameness:
    """Differences relative to the reference.

    A parameter's gradient difference is taken relative to the norm of *all* gradients: some gradients are zero in
    exact arithmetic (a softmax ignores a shift of its scores), and their relative rounding noise means nothing.
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
    """Largest norm of a difference, relative to the norm of all references."""
    if not references:
        return 0.0
    doubles = [reference.double() for reference in references]
    scale = max(float(torch.stack([double.norm() for double in doubles]).norm()), 1e-30)
    return max(float((value.double() - double).norm()) for value, double in zip(values, doubles, strict=True)) / scale
