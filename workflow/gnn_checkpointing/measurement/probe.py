"""A policy's first steps: does it run, what does it compute, how many bytes does it hold."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from gnn_checkpointing.checkpointing import largest_block_edges
from gnn_checkpointing.measurement.device import finish
from gnn_checkpointing.measurement.peak_memory import step_bytes
from gnn_checkpointing.measurement.readings import DeviceBytes
from gnn_checkpointing.measurement.sameness import StepResult, compared, step_result
from gnn_checkpointing.measurement.workload import Contestant, Task, contestant, twin
from gnn_checkpointing.records.policy import Memory, PolicyRecord, Readings
from gnn_checkpointing.records.traces import ByteTrace
from gnn_checkpointing.study.design import Cell
from gnn_checkpointing.study.policy_names import COMPILED, EAGER, OTHER_MODELS, parse_policy

Announce = Callable[[str, str], None]
"""Called with the policy and the phase before each of its steps: of a process that dies, the last call names them."""


@dataclass
class Probed:
    """One policy before it is timed: its record so far, the seconds inside measured steps, and its other readings."""

    contest: Contestant
    memory: Memory
    record: PolicyRecord
    trace: ByteTrace | None
    seconds: float
    device_bytes: DeviceBytes | None
    readings: Readings | None = None


def is_other_model(policy: str) -> bool:
    """Whether `policy` trains another model than `none` does."""
    return parse_policy(policy).kind in OTHER_MODELS


def probed(
    policy: str, cell: Cell, task: Task, reference: StepResult | None, tolerance: float, announce: Announce
) -> tuple[Probed, StepResult]:
    """A policy's first step and its byte count, and what the first step left.

    `reference` is what the same step of `none` left, if it ran; another model is compared with its own twin. Raises
    `Refusal` where the policy, made or at its first step, refuses.
    """
    announce(policy, "preparation")  # a policy's own compiler runs here
    contest = contestant(cell, task, policy)
    if is_other_model(policy):
        announce(policy, "first step of the same model without the policy")
        reference, _ = _first_step(twin(cell, task, policy), cell)
    announce(policy, "first step")
    result, warm_up = _first_step(contest, cell)
    _second_step(contest, announce)
    total, added = contest.resident()
    start = time.perf_counter()
    found = step_bytes(contest.forward, contest.device, _blocks(contest))
    seconds = warm_up + time.perf_counter() - start
    contest.drop_gradients()
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
        largest_block_edges=largest_block_edges(contest.model),
        warm_up_seconds=warm_up,
    )
    return Probed(contest, memory, record, found.trace, seconds, found.device), result


def _blocks(contest: Contestant) -> list[nn.Module]:
    """The model's blocks where a mark at their ends changes nothing; inside a generated kernel there is none."""
    blocks = getattr(contest.model, "blocks", None)
    eager = parse_policy(contest.policy).kind in EAGER
    return list(blocks) if eager and isinstance(blocks, nn.ModuleList) else []


def warmed_up(contest: Contestant, cell: Cell, announce: Announce) -> float:
    """Run the steps that come before a policy's counted and timed ones; their seconds."""
    announce(contest.policy, "first step")
    _, seconds = _first_step(contest, cell)
    return seconds + _second_step(contest, announce)


def _second_step(contest: Contestant, announce: Announce) -> float:
    """Run a compiled policy once more, for what compiling left behind must not be counted; the seconds."""
    if parse_policy(contest.policy).kind not in COMPILED:
        return 0.0
    announce(contest.policy, "second step")
    start = time.perf_counter()
    contest.step()
    finish(contest.device)
    seconds = time.perf_counter() - start
    contest.drop_gradients()
    return seconds


def _first_step(contest: Contestant, cell: Cell) -> tuple[StepResult, float]:
    """What a step from the cell's random state leaves, and its seconds; gradients are dropped."""
    finish(contest.device)
    start = time.perf_counter()
    loss = contest.seeded_forward(cell.seed)
    loss.backward()  # type: ignore[no-untyped-call] # torch annotates it partly
    finish(contest.device)
    seconds = time.perf_counter() - start
    result = step_result(contest.model, loss)
    contest.drop_gradients()
    return result, seconds
