"""The record of one policy in one cell: bytes, further readings of them, sameness of its results, times."""

from typing import Literal, Self

from pydantic import Field, NonNegativeFloat, NonNegativeInt, model_validator

from gnn_checkpointing.records.record import Record

Outcome = Literal["completed", "out_of_memory", "timed_out", "failed", "refused", "unavailable"]


class Memory(Record):
    """Bytes of one training step, from the allocator's own events; on CUDA, from its count of requested bytes."""

    resident_bytes: NonNegativeInt
    policy_resident_bytes: NonNegativeInt
    saved_activation_bytes: NonNegativeInt
    transient_bytes: NonNegativeInt
    peak_memory_bytes: NonNegativeInt

    @model_validator(mode="after")
    def _peak_holds_what_lives(self) -> Self:
        if self.resident_bytes >= self.peak_memory_bytes:
            raise ValueError(f"a peak of {self.peak_memory_bytes} bytes, {self.resident_bytes} of them resident")
        return self

    @property
    def activation_bytes(self) -> int:
        """Peak above the resident bytes."""
        return self.peak_memory_bytes - self.resident_bytes


class Readings(Record):
    """The activation peak by two more instruments; `*_agrees` is None without a reading, and `notes` say why.

    `high_water_bytes`: the process's resident high-water mark over the step, in a process that returns freed memory at
    once. `fake_tensor_bytes`: the same step on fake tensors, which allocate nothing; workspace inside an operator is
    not counted. `measurement/readings.py` has the tolerances.

    On CUDA only, the whole peak in wider counts, which include the resident bytes but not other policies' models:
    `allocated_bytes` are the caching allocator's blocks, `reserved_bytes` its segments, `driver_bytes` the device's
    memory in use at the end of the step, including CUDA's context and other processes. `driver_agrees`: over the step
    the driver's count grew as the segments did.
    """

    high_water_bytes: NonNegativeInt | None = None
    high_water_agrees: bool | None = None
    fake_tensor_bytes: NonNegativeInt | None = None
    fake_tensor_agrees: bool | None = None
    allocated_bytes: NonNegativeInt | None = None
    reserved_bytes: NonNegativeInt | None = None
    driver_bytes: NonNegativeInt | None = None
    driver_agrees: bool | None = None
    notes: list[str] = Field([])


class Sameness(Record):
    """Largest relative difference from policy none, and whether it is within tolerance."""

    loss_error: NonNegativeFloat
    gradient_error: NonNegativeFloat
    buffer_error: NonNegativeFloat
    same_loss: bool
    same_gradients: bool
    same_buffers: bool


class Steps(Record):
    """One value per round, in the order of the rounds; `device_*` on CUDA only.

    `device_seconds` is the time of the whole step by events on the device; on CUDA `forward_seconds` is by events too.
    `device_allocations`: how often the caching allocator asked the driver for memory.
    """

    wall_seconds: list[NonNegativeFloat]
    forward_seconds: list[NonNegativeFloat]
    cpu_seconds: list[NonNegativeFloat]
    system_seconds: list[NonNegativeFloat]
    page_faults: list[NonNegativeInt]
    voluntary_switches: list[NonNegativeInt]
    involuntary_switches: list[NonNegativeInt]
    device_seconds: list[NonNegativeFloat] | None = None
    device_allocations: list[NonNegativeInt] | None = None

    @model_validator(mode="after")
    def _one_for_each_round(self) -> Self:
        lengths = {len(values) for values in vars(self).values() if values is not None}
        if len(lengths) > 1 or 0 in lengths:
            raise ValueError(f"{sorted(lengths)} values of as many rounds")
        return self


class PolicyRecord(Record):
    """The outcome of one policy in one cell, and its measurements."""

    policy: str
    outcome: Outcome
    message: str = ""
    other_model: bool = False
    memory: Memory | None = None
    readings: Readings | None = None
    sameness: Sameness | None = None
    # Edges, including self-loops, of the largest block that an edge-block policy works on; None without blocks.
    largest_block_edges: NonNegativeInt | None = None
    warm_up_seconds: NonNegativeFloat | None = None
    steps: Steps | None = None
