"""What is written down of a measurement: whole records, byte traces, training jobs, the instruments' demonstration."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import Field, TypeAdapter, ValidationError

from gnn_checkpointing.artefacts import read_json, sealed_bytes, whole_file
from gnn_checkpointing.graph_facts import GraphFacts, Record
from gnn_checkpointing.refusal import Refusal

SCHEMA_VERSION = 2

Outcome = Literal["completed", "out_of_memory", "timed_out", "failed", "refused", "unavailable"]


class Memory(Record):
    """Bytes of one training step, from the allocator's own events; on CUDA from its count of bytes it was asked for."""

    resident_bytes: int
    policy_resident_bytes: int
    saved_activation_bytes: int
    transient_bytes: int
    peak_memory_bytes: int


class Readings(Record):
    """The activation peak by two more instruments; `agrees` is None where there is no reading, and `notes` say why.

    `high_water_bytes`: the process's resident high-water mark over the step, in a process that gives freed memory
    back at once. `fake_tensor_bytes`: tensors of the same step on fake tensors, which allocate nothing; workspace
    inside an operator is not seen. `measurement/readings.py` has the tolerances.

    Of CUDA alone, the whole peak by wider accounts, resident bytes included, those of other policies' models not:
    `allocated_bytes` are the caching allocator's blocks, `reserved_bytes` its segments, `driver_bytes` the device's
    memory in use when the step had ended, CUDA's context and other processes included. `driver_agrees`: over the step
    the driver's account grew as the segments did (`measurement/device_memory.py`).
    """

    high_water_bytes: int | None = None
    high_water_agrees: bool | None = None
    fake_tensor_bytes: int | None = None
    fake_tensor_agrees: bool | None = None
    allocated_bytes: int | None = None
    reserved_bytes: int | None = None
    driver_bytes: int | None = None
    driver_agrees: bool | None = None
    notes: list[str] = Field([])


class Sameness(Record):
    """Largest relative difference from policy none, and whether it is within tolerance."""

    loss_error: float
    gradient_error: float
    buffer_error: float
    same_loss: bool
    same_gradients: bool
    same_buffers: bool


class Steps(Record):
    """One value per round, in the order of the rounds; `device_*` on CUDA alone.

    `device_seconds` are the whole step by events on the device; `forward_seconds` are by such events there, too.
    `device_allocations`: how often the caching allocator asked the driver for memory.
    """

    wall_seconds: list[float]
    forward_seconds: list[float]
    cpu_seconds: list[float]
    system_seconds: list[float]
    page_faults: list[int]
    voluntary_switches: list[int]
    involuntary_switches: list[int]
    device_seconds: list[float] | None = None
    device_allocations: list[int] | None = None


class PolicyRecord(Record):
    """What one policy did in one cell."""

    policy: str
    outcome: Outcome
    message: str = ""
    other_model: bool = False
    memory: Memory | None = None
    readings: Readings | None = None
    sameness: Sameness | None = None
    # Edges, self-loops included, of the largest block that a policy of edge blocks works on; None without blocks.
    largest_block_edges: int | None = None
    warm_up_seconds: float | None = None
    steps: Steps | None = None


class Accelerator(Record):
    """The CUDA device that a cell ran on, and how PyTorch was set there.

    `cuda` is the version that PyTorch was built for; `allocator` the caching allocator's backend and settings; `tf32`
    tells whether products may round their factors to 10 bits of mantissa.
    """

    name: str
    memory_bytes: int
    compute_capability: str
    cuda: str
    allocator: str
    tf32: bool


class Host(Record):
    """The machine that a process ran on, in the words of `hardware.json`; `id` tells machines apart without a name."""

    id: str
    processor: str
    cores: str
    memory: str
    accelerator: str


class ProcessRun(Record):
    """What the measured process says of its own time with a cell.

    `others_on_device`: who else held memory of the CUDA device when it was done with the cell. `host` is None in
    records from before it was kept.
    """

    started: str
    ended: str
    load_before: float
    load_after: float
    clock_mhz_before: float | None
    clock_mhz_after: float | None
    sentinel_seconds: list[float]
    measured_seconds: float
    round_orders: list[list[str]]
    others_on_device: list[str] = Field([])
    host: Host | None = None


class AnotherProcess(ProcessRun):
    """The rounds of a cell in one more fresh process, which times what completed in the first and nothing else.

    `steps` by policy.
    """

    steps: dict[str, Steps]


class CellRecord(ProcessRun):
    """One cell: every policy measured side by side, with all that is needed to disbelieve it.

    All fields but `again` are of the first process; `again` has the further ones that timed the cell.
    """

    schema_version: int
    study: str
    hardware: str
    cell: str
    graph: GraphFacts
    convolution: str
    model: str = Field("", description="what tells the model from the study's others of the same convolution")
    architecture: dict[str, Any]
    parameters: int | None = Field(None, description="None in records from before they were counted")
    aggregation: str
    fingerprint: str
    seed: int
    device: str
    accelerator: Accelerator | None = None
    threads: int
    allocator: str
    memory_limit_bytes: int
    timed: bool
    governor: str | None
    restarts: int
    policies: list[PolicyRecord]
    warnings: list[str]
    again: list[AnotherProcess] = Field([])

    @property
    def runs(self) -> list[ProcessRun]:
        """The processes that had a turn at the cell, in order."""
        return [self, *self.again]

    def steps_of(self, policy: str) -> list[Steps]:
        """Return the timed steps of `policy`, process by process; empty where it was not timed."""
        first = next((found.steps for found in self.policies if found.policy == policy), None)
        if first is None:
            return []
        return [first, *(other.steps[policy] for other in self.again)]


def read_cell(path: Path) -> CellRecord:
    """Read one cell's record, or refuse naming the file and the field."""
    try:
        record = CellRecord.model_validate_json(sealed_bytes(path))
    except FileNotFoundError:
        raise Refusal(f"{path}: no such file; measure again") from None
    except OSError as error:
        raise Refusal(f"{path}: not readable ({error}); delete the file and measure again") from None
    except ValidationError as error:
        raise Refusal(f"{path}: {_complaint(error)}; delete the file and measure again") from None
    _refuse_other_schema(str(path), record.schema_version)
    return record


def _refuse_other_schema(place: str, found: int) -> None:
    if found != SCHEMA_VERSION:
        raise Refusal(f"{place}: schema version {found}, this version reads {SCHEMA_VERSION}; measure again")


class Trace(Record):
    """Live bytes over one training step of one policy: a point an allocator event, thinned with its extremes kept.

    `live_bytes` and `peak_bytes` are above `resident_bytes`; `seconds` count from the start of the forward pass, under
    the profiler, which slows small steps. `events` is the number of points before thinning. Of a model
    whose blocks were marked, and else empty: `block_numbers` count from 1; `block_bytes` are live where the first block
    begins and where each one ends in the forward pass, `block_peaks` the most that were live inside each;
    `block_degrees` are the neighbours of a node that each block reads.
    """

    graph: str
    graph_label: str
    num_nodes: int
    num_edges: int
    average_degree: float
    convolution: str
    aggregation: str
    policy: str
    events: int
    forward_ended_seconds: float
    resident_bytes: int
    saved_activation_bytes: int
    peak_bytes: int
    seconds: list[float]
    live_bytes: list[int]
    model: str = ""
    block_numbers: list[int] = Field([])
    block_bytes: list[int] = Field([])
    block_peaks: list[int] = Field([])
    block_degrees: list[float] = Field([])


class Traces(Record):
    """The content of `traces.json`: every policy of one cell per convolution and aggregation."""

    traces: list[Trace]


class StepDemonstration(Record):
    """One training step seen by instruments that are right and by one that is not, in bytes.

    `exact_bytes` (allocator events) and `high_water_bytes` (high-water mark reset around the step) are the step's own;
    `process_high_water_bytes` is the measured process's over its whole life, interpreter and libraries included, and
    `child_maxrss_bytes` what the operating system told its parent about it (`ru_maxrss`), after that parent had for a
    moment held `held_bytes` itself.
    """

    workload: str
    held_bytes: int
    step_seconds: float
    exact_bytes: int
    high_water_bytes: int
    process_high_water_bytes: int
    child_maxrss_bytes: int


class Demonstration(StepDemonstration):
    """The same with what Snakemake's `benchmark:` said of the job; None where no poll of it saw the job.

    Both are None where the job was not one of Snakemake's.
    """

    benchmark_max_rss_bytes: int | None
    benchmark_seconds: float | None


def read_traces(path: Path) -> list[Trace]:
    """Read `traces.json`, or refuse naming the file and the field."""
    return _checked(path, Traces).traces


def read_step_demonstration(path: Path) -> StepDemonstration:
    """Read what `demonstrate` wrote, or refuse naming the file and the field."""
    return _checked(path, StepDemonstration)


def read_demonstration(path: Path) -> Demonstration:
    """Read `demonstration.json`, or refuse naming the file and the field."""
    return _checked(path, Demonstration)


Kind = TypeVar("Kind", bound=Record)


def _checked(path: Path, kind: type[Kind]) -> Kind:
    try:
        return kind.model_validate(read_json(path))
    except ValidationError as error:
        raise Refusal(f"{path}: {_complaint(error)}; delete the file and make it again") from None


def _complaint(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    return f"field {'.'.join(str(part) for part in first['loc']) or 'record'}: {first['msg']}"


def write_records(path: Path, records: Iterable[CellRecord]) -> None:
    """Write records whole, one a line of JSON, compressed; the same records give the same bytes."""
    lines = "".join(record.model_dump_json() + "\n" for record in records)
    with whole_file(path) as stream:
        # The usual level: the highest takes three times as long for a fiftieth less.
        stream.write(gzip.compress(lines.encode(), compresslevel=6, mtime=0))


def read_records(path: Path) -> list[CellRecord]:
    """Read what `write_records` wrote, or refuse naming the file, the line and the field."""
    try:
        lines = gzip.decompress(sealed_bytes(path)).decode().splitlines()
    except FileNotFoundError:
        raise Refusal(f"{path}: no such file; make it with `collect`") from None
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise Refusal(f"{path}: not readable as compressed records ({error}); make it again with `collect`") from None
    records = []
    for number, line in enumerate(lines, start=1):
        try:
            records.append(CellRecord.model_validate_json(line))
        except ValidationError as error:
            raise Refusal(f"{path}, record {number}: {_complaint(error)}; make it again with `collect`") from None
        _refuse_other_schema(f"{path}, record {number}", records[-1].schema_version)
    return records


class EncodingCost(Record):
    """What it takes to count the encodings of one graph: the fastest of several times, and the most bytes at once.

    `node_kinds` and `edge_kinds` are how many different places, and pairs of places, occur; `node_counts` and
    `edge_counts` how many counts there are in all, which is what a sparse encoding holds.
    """

    graph: str
    label: str
    num_nodes: int
    num_edges: int
    average_degree: float
    radius: int
    seconds: float
    peak_bytes: int
    node_kinds: int
    edge_kinds: int
    node_counts: int
    edge_counts: int


def read_encodings(path: Path) -> list[EncodingCost]:
    """Read a study's `encodings.json`, or refuse naming the file and the field."""
    try:
        return TypeAdapter(list[EncodingCost]).validate_python(read_json(path))
    except ValidationError as error:
        raise Refusal(f"{path}: {_complaint(error)}; make it again with `encode`") from None


REORDERED = "none (edges reordered)"
"""A training job without checkpointing that reads the same edges in another order: the control that shows how far
rounding alone moves a loss curve."""


class TrainingRecord(Record):
    """One training job: the loss curve and the accuracy it reached."""

    schema_version: int
    study: str
    graph: str
    graph_label: str
    convolution: str
    policy: str
    seed: int
    epochs: int
    losses: list[float]
    train_accuracy: float
    test_accuracy: float
    seconds: float
    resumed_from_epoch: int


def read_trainings(path: Path) -> list[TrainingRecord]:
    """Read `trainings.json`, or refuse naming the file and the field."""
    try:
        found = TypeAdapter(list[TrainingRecord]).validate_python(read_json(path))
    except ValidationError as error:
        raise Refusal(f"{path}: {_complaint(error)}; make it again with `collect`") from None
    for number, record in enumerate(found, start=1):
        # A training job is written down as in the first version.
        if not 1 <= record.schema_version <= SCHEMA_VERSION:
            _refuse_other_schema(f"{path}, record {number}", record.schema_version)
    return found
