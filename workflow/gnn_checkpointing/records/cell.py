"""The record of a cell: the processes that measured it, the machine, and every policy side by side."""

from collections.abc import Iterable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    StringConstraints,
    ValidationError,
    model_validator,
)

from gnn_checkpointing.artefacts import MOST_VALUES, parsed_json, sealed_bytes, write_text
from gnn_checkpointing.records.graph_facts import GraphFacts
from gnn_checkpointing.records.policy import PolicyRecord, Steps
from gnn_checkpointing.records.record import Record, checked, complaint
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.vocabulary import Checksum


class Accelerator(Record):
    """The CUDA device that a cell ran on, and PyTorch's settings there.

    `cuda` is the version that PyTorch was built for, `allocator` the caching allocator's backend and settings; `tf32`
    says whether matrix products may round their factors to 10 bits of mantissa.
    """

    name: str
    memory_bytes: int
    compute_capability: str
    cuda: str
    allocator: str
    tf32: bool


class Host(Record):
    """The machine that a process ran on, with the facts of `hardware.json`; `id` identifies it without its name."""

    id: str
    processor: str
    cores: str
    memory: str
    accelerator: str


def _moment(stamp: str) -> str:
    if datetime.fromisoformat(stamp).tzinfo is None:
        raise ValueError(f"{stamp!r} has no time zone")
    return stamp


def _sized(architecture: dict[str, Any]) -> dict[str, Any]:
    for name in ("num_layers", "hidden_channels"):
        if not isinstance(value := architecture.get(name), int) or not 0 < value < 2**31:
            raise ValueError(f"{name} is {str(value)[:20]}, not a whole number from 1")
    return architecture


Moment = Annotated[str, AfterValidator(_moment)]
"""An ISO 8601 time with its zone."""


class ProcessRun(Record):
    """One measured process's report on its turn at a cell.

    `others_on_device` lists other holders of the CUDA device's memory at the end of the turn. `host` is None in older
    records, which did not have it.
    """

    started: Moment
    ended: Moment
    load_before: NonNegativeFloat
    load_after: NonNegativeFloat
    clock_mhz_before: NonNegativeFloat | None
    clock_mhz_after: NonNegativeFloat | None
    sentinel_seconds: list[PositiveFloat]
    sentinel_by_round: bool = Field(False, description="once a round, as a step of the same kind; else another work")
    measured_seconds: NonNegativeFloat
    round_orders: list[list[str]]
    others_on_device: list[str] = Field([])
    host: Host | None = None


class AnotherProcess(ProcessRun):
    """Rounds of a cell in one more fresh process, which times only the policies that completed in the first.

    `steps` is keyed by policy.
    """

    steps: dict[str, Steps]


class CellRecord(ProcessRun):
    """One cell: every policy measured side by side, with everything needed to check the measurement.

    All fields except `again` are from the first process; `again` has the further processes that timed the cell.
    """

    schema_version: Literal[2]
    study: str
    hardware: str
    cell: str
    visit: NonNegativeInt = Field(0, description="1, 2 ... where the study measured the cell again later")
    graph: GraphFacts
    convolution: str
    model: str = Field("", description="what tells the model from the study's others of the same convolution")
    architecture: Annotated[dict[str, Any], AfterValidator(_sized)]
    parameters: NonNegativeInt | None = Field(None, description="None in records from before they were counted")
    aggregation: str
    fingerprint: str
    seed: int
    device: str
    accelerator: Accelerator | None = None
    threads: PositiveInt
    allocator: str
    memory_limit_bytes: NonNegativeInt = Field(description="0 where no process was started")
    timed: bool
    governor: str | None
    restarts: NonNegativeInt
    policies: list[PolicyRecord]
    warnings: list[str]
    again: list[AnotherProcess] = Field([])

    @model_validator(mode="after")
    def _every_policy_once_and_timed_in_each_process(self) -> Self:
        names = [found.policy for found in self.policies]
        if len(set(names)) < len(names):
            raise ValueError(f"{next(one for one in names if names.count(one) > 1)} is there twice")
        for found in self.policies:
            if found.steps and not all(found.policy in other.steps for other in self.again):
                raise ValueError(f"{found.policy} was timed in the first process and not in each further one")
        return self

    @property
    def runs(self) -> list[ProcessRun]:
        """Processes that had a turn at the cell, in order."""
        return [self, *self.again]

    def steps_of(self, policy: str) -> list[Steps]:
        """Timed steps of `policy`, process by process; empty if it was not timed."""
        first = next((found.steps for found in self.policies if found.policy == policy), None)
        return [] if first is None else [first, *(other.steps[policy] for other in self.again)]

    def seconds_of(self, policy: str) -> list[list[float]]:
        """Wall time of each timed step of `policy`, process by process."""
        return [steps.wall_seconds for steps in self.steps_of(policy)]


def read_cell(path: Path) -> CellRecord:
    """Read one cell's record; a refusal names the file and the field."""
    return checked(path, CellRecord, "delete the file and measure again")


def write_records(path: Path, records: Iterable[CellRecord]) -> None:
    """Write records, one line of JSON each."""
    write_text(path, "".join(record.model_dump_json() + "\n" for record in records))


def read_records(path: Path) -> list[CellRecord]:
    """Read what `write_records` wrote; a refusal names the file, the record's number and the field."""
    remedy = "make it again with `collect`"
    try:
        text = sealed_bytes(path).decode()
    except FileNotFoundError:
        raise Refusal(f"{path}: no such file; {remedy}") from None
    except ValueError as error:
        raise Refusal(f"{path}: not readable as records ({error}); {remedy}") from None
    if text.count(",") > MOST_VALUES:
        raise Refusal(f"{path}: more than {MOST_VALUES} values; it is not a file of this project")
    *lines, rest = text.split("\n")
    if rest:
        raise Refusal(f"{path}: ends within a record; {remedy}")
    found = []
    for number, line in enumerate(lines, start=1):
        try:
            found.append(CellRecord.model_validate(parsed_json(line)))
        except (ValueError, RecursionError) as error:
            why = complaint(error) if isinstance(error, ValidationError) else f"not readable ({error})"
            raise Refusal(f"{path}, record {number}: {why}; {remedy}") from None
    return found


FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*\.(json|npz)$", max_length=255)]


class Complete(Record):
    """`complete.json`: records and byte traces of a graph's cells by their files, each with its SHA-256."""

    graph: str
    settings: str
    seconds: NonNegativeFloat
    cells: dict[FileName, Checksum]
    traces: dict[FileName, Checksum]


read_complete = partial(checked, kind=Complete, remedy="delete its folder and measure again")
"""Read the content of a `complete.json`; a refusal names the file and the field."""
