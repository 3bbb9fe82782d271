"""A policy's first steps: does it run, what does it compute, how many bytes does it hold."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from gnn_checkpointing.checkpointing import largest_block_edges
from gnn_checkpointing.measurement.byte_trace import ByteTrace
from gnn_checkpointing.measurement.device import finish
from gnn_checkpointing.measurement.peak_memory import step_bytes
from gnn_checkpointing.measurement.readings import DeviceBytes
from gnn_checkpointing.measurement.sameness import StepResult, compared, step_result
from gnn_checkpointing.measurement.workload import Contestant, Task, contestant, seeded, twin
from gnn_checkpointing.records.policy import Memory, PolicyRecord, Readings, Sameness, Steps
from gnn_checkpointing.study.design import Cell
from gnn_checkpointing.study.policy_names import COMPILED, EAGER, OTHER_MODELS, parse_policy

Announce = Callable[[str, str], None]
"""Told the policy and the phase before each of its steps; a policy that dies is known by its last announcement."""


@dataclass
class Probed:
    """What has been found out about one policy before it is timed."""

    contest: Contestant
    memory: Memory
    trace: ByteTrace | None
    sameness: Sameness | None
    warm_up_seconds: float
    counted_seconds: float
    largest_block_edges: int | None = None
    device_bytes: DeviceBytes | None = None
    readings: Readings | None = None
    high_water_seconds: float = 0.0

    @property
    def seconds(self) -> float:
        """Time inside measured steps: the first one and those whose bytes are read."""
        return self.warm_up_seconds + self.counted_seconds + self.high_water_seconds

    @property
    def activation_bytes(self) -> int:
        """The peak above what is resident."""
        return self.memory.peak_memory_bytes - self.memory.resident_bytes

    def record(self, steps: Steps | None) -> PolicyRecord:
        """Return what is written down of it, with its timed steps."""
        return PolicyRecord(
            policy=self.contest.policy,
            outcome="completed",
            other_model=is_other_model(self.contest.policy),
            memory=self.memory,
            readings=self.readings,
            sameness=self.sameness,
            largest_block_edges=self.largest_block_edges,
            warm_up_seconds=self.warm_up_seconds,
            steps=steps,
        )


def is_other_model(policy: str) -> bool:
    """Tell whether `policy` trains another model than `none` does."""
    return parse_policy(policy).kind in OTHER_MODELS


def probed(
    policy: str, cell: Cell, task: Task, reference: StepResult | None, tolerance: float, announce: Announce
) -> tuple[Probed, StepResult]:
    """Run a policy's first step and its byte count; return them with what the first step left.

    `reference` is what the same step of `none` left, if it ran; another model is compared with its own twin. Raises
    `Refusal` where the policy, made or at its first step, refuses.
    """
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
    counted = time.perf_counter() - start
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
    sameness = None if reference is None else compared(result, reference, tolerance)
    blocks = largest_block_edges(contest.model)
    return Probed(contest, memory, found.trace, sameness, warm_up, counted, blocks, found.device), result


def _blocks(contest: Contestant) -> list[nn.Module]:
    """Return the model's blocks where a mark at their ends changes nothing; inside a generated kernel there is none."""
    blocks = getattr(contest.model, "blocks", None)
    if parse_policy(contest.policy).kind not in EAGER or not isinstance(blocks, nn.ModuleList):
        return []
    return list(blocks)


def warmed_up(contest: Contestant, cell: Cell, announce: Announce) -> float:
    """Run the steps that come before a policy's counted and timed ones; return their seconds."""
    announce(contest.policy, "first step")
    _, seconds = _first_step(contest, cell)
    return seconds + _second_step(contest, announce)


def _second_step(contest: Contestant, announce: Announce) -> float:
    """Run a compiled policy once more, for what compiling left behind must not be counted; return the seconds."""
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
    """Return what a step from the cell's random state leaves, and its seconds; gradients are dropped."""
    finish(contest.device)
    start = time.perf_counter()
    loss = seeded(contest, cell.seed, contest.forward)
    loss.backward()  # type: ignore[no-untyped-call] # torch annotates it partly
    finish(contest.device)
    seconds = time.perf_counter() - start
    result = step_result(contest.model, loss)
    contest.drop_gradients()
    return result, seconds
