"""How the cells of a study are measured."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from gnn_checkpointing.study.convolutions import Convolution
from gnn_checkpointing.study.vocabulary import Allocator, Amount, Part


class Rounds(Part):
    """How often each policy's step is timed."""

    at_least: Annotated[int, Field(ge=3, le=10**6)] = Field(
        10, description="rounds of a cell that are run whatever they cost"
    )
    at_most: Annotated[int, Field(ge=3, le=10**6)] = Field(200, description="rounds of a cell after which timing stops")

    @model_validator(mode="after")
    def _ordered(self) -> Rounds:
        if self.at_most < self.at_least:
            raise ValueError(f"at_most {self.at_most} is below at_least {self.at_least}")
        return self


class Measuring(Part):
    """How each cell is measured."""

    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto takes CUDA where there is one")
    threads: Annotated[int, Field(ge=1, le=4096)] = Field(1, description="compute threads of the measured process")
    allocators: tuple[Allocator, ...] = Field(
        ("retaining",),
        min_length=1,
        description="retaining keeps freed memory, default is the platform's, jemalloc where it is installed; "
        "the first is the reference",
    )
    allocator_convolutions: tuple[Convolution, ...] | None = Field(
        None, description="convolutions that are measured under the other allocators, too; null: all of them"
    )
    processes: Annotated[int, Field(ge=1, le=1000)] = Field(
        2,
        description="fresh processes in which each cell is timed, one after the other; rounds and time budget are "
        "shared out among them, and what the processes differ by is in every interval",
    )
    repeats: Annotated[int, Field(ge=0, le=1000)] = Field(
        0,
        description="graphs, the first in the order of measurement, whose cells are all measured again at the study's "
        "middle and at its end: what differs between hours is in every interval of time",
    )
    rounds: Rounds = Rounds()
    ratio_half_width: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.03, description="timing stops when every time ratio's interval is within +- this share of it"
    )
    seconds_per_cell: Amount = Field(2.5, description="time budget of a cell's rounds, once at_least rounds are done")
    memory_limit_gib: Amount | None = Field(
        None,
        description="peak memory of a step, in exact bytes, above which it counts as out of memory; null: 90 % of the "
        "machine's",
    )
    timeout_seconds: Amount = Field(300, description="a policy that is silent for longer is recorded as timed_out")
    gradient_tolerance: Annotated[float, Field(gt=0, le=1)] = Field(
        1e-5, description="largest relative difference of loss, gradients and buffers that still counts as the same"
    )
    fake_tensor_reading: bool = Field(
        True,
        description="also read eager policies' memory by fake tensors: Python time only, about 0.1 s a policy, "
        "for edge_blocks more the denser the graph",
    )
