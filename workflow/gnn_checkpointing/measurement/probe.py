"""A policy's first steps: whether it runs, whether it computes the same as `none`, and how many bytes it holds."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gnn_checkpointing.checkpointing import largest_block_edges
from gnn_checkpointing.measurement.device import finish
from gnn_checkpointing.measurement.peak_memory import step_bytes
from gnn_checkpointing.measurement.readings import DeviceBytes
from gnn_checkpointing.measurement.workload import Subject, Task, subject_of, twin
from gnn_checkpointing.records.policy import Memory, PolicyRecord, Readings, Sameness
from gnn_checkpointing.records.traces import ByteTrace
from gnn_checkpointing.study.design import Cell
from gnn_checkpointing.study.policy_names import COMPILED, EAGER, OTHER_MODELS, parse_policy

Announce = Callable[[str, str], None]
"""Called with the policy and the phase before each of its steps; if the process dies, the last call says where."""


@dataclass(frozen=True)
class StepResult:
    """Results of one step: the loss, and gradients and buffers by position (a policy must not rename any)."""

    loss: float
    gradients: tuple[Tensor, ...]
    buffers: tuple[Tensor, ...]


@dataclass
class Probed:
    """One policy before timing: its record so far, the seconds spent in measured steps, and its other readings."""

    subject: Subject
    memory: Memory
    record: PolicyRecord
    trace: ByteTrace | None
    seconds: float
    device_bytes: DeviceBytes | None
    readings: Readings | None = None


def is_other_model(policy: str) -> bool:
    """Whether `policy` trains a different model from that of `none`."""
    return parse_policy(policy).kind in OTHER_MODELS


def probed(
    policy: str, cell: Cell, task: Task, reference: StepResult | None, tolerance: float, announce: Announce
) -> tuple[Probed, StepResult]:
    """Run a policy's first step and count the bytes of another; returns both findings and the first step's result.

    `reference` is the result of the same step under `none`, if that ran; a different model is compared with its own
    twin. Raises `Refusal` if the policy refuses when it is made or at its first step.
    """
    announce(policy, "preparation")  # policies with their own compiler run it here
    subject = subject_of(cell, task, policy)
    if is_other_model(policy):
        announce(policy, "first step of the same model without the policy")
        reference, _ = _first_step(twin(cell, task, policy), cell)
    announce(policy, "first step")
    result, warm_up = _first_step(subject, cell)
    _second_step(subject, announce)
    total, added = subject.resident()
    start = time.perf_counter()
    found = step_bytes(subject.forward, subject.device, _blocks(subject))
    seconds = warm_up + time.perf_counter() - start
    subject.drop_gradients()
    memory = Memory(
        resident_bytes=total,
        policy_resident_bytes=added,
        saved_activation_bytes=found.saved,
        transient_bytes=found.peak - found.saved,
        peak_memory_bytes=total + found.peak,
    )
    if policy == "none":
        reference = result
    record = PolicyRecord(
        policy=policy,
        outcome="completed",
        other_model=is_other_model(policy),
        memory=memory,
        sameness=None if reference is None else compared(result, reference, tolerance),
        largest_block_edges=largest_block_edges(subject.model),
        warm_up_seconds=warm_up,
    )
    return Probed(subject, memory, record, found.trace, seconds, found.device), result


def _blocks(subject: Subject) -> list[nn.Module]:
    """The model's blocks if they can be marked without changing anything; none for policies that are not eager."""
    blocks = getattr(subject.model, "blocks", None)
    eager = parse_policy(subject.policy).kind in EAGER
    return list(blocks) if eager and isinstance(blocks, nn.ModuleList) else []


def warmed_up(subject: Subject, cell: Cell, announce: Announce) -> float:
    """Run the steps that precede a policy's counted and timed ones; returns their seconds."""
    announce(subject.policy, "first step")
    _, seconds = _first_step(subject, cell)
    return seconds + _second_step(subject, announce)


def _second_step(subject: Subject, announce: Announce) -> float:
    """Run a compiled policy a second time, so that memory left by compilation is not counted; returns the seconds."""
    if parse_policy(subject.policy).kind not in COMPILED:
        return 0.0
    announce(subject.policy, "second step")
    start = time.perf_counter()
    subject.step()
    finish(subject.device)
    seconds = time.perf_counter() - start
    subject.drop_gradients()
    return seconds


def _first_step(subject: Subject, cell: Cell) -> tuple[StepResult, float]:
    """Run a step from the cell's random state; returns its result and its seconds, and drops the gradients."""
    finish(subject.device)
    start = time.perf_counter()
    loss = subject.seeded_forward(cell.seed)
    loss.backward()  # type: ignore[no-untyped-call] # torch annotates it partly
    finish(subject.device)
    seconds = time.perf_counter() - start
    result = step_result(subject.model, loss)
    subject.drop_gradients()
    return result, seconds


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
