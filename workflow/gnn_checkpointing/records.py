"""What is written down of a measurement, and the data dictionary of `measurements.csv`."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from gnn_checkpointing.artefacts import read_json, whole_file, write_text
from gnn_checkpointing.refusal import Refusal

SCHEMA_VERSION = 2

Outcome = Literal["completed", "out_of_memory", "timed_out", "failed", "refused", "unavailable"]


class Record(BaseModel):
    """A part of a record: frozen, closed to unknown fields, finite numbers only."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class GraphFacts(Record):
    """The graph as realised, read from its file."""

    id: str
    label: str
    family: str
    sha256: str
    num_nodes: int
    num_edges: int
    num_features: int
    num_classes: int
    requested_average_degree: float | None
    average_degree: float
    density: float
    replicate: int


class Memory(Record):
    """Bytes of one training step, from the allocator's own events."""

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
    """

    high_water_bytes: int | None = None
    high_water_agrees: bool | None = None
    fake_tensor_bytes: int | None = None
    fake_tensor_agrees: bool | None = None
    notes: list[str] = []


class Sameness(Record):
    """Largest relative difference from policy none, and whether it is within tolerance."""

    loss_error: float
    gradient_error: float
    buffer_error: float
    same_loss: bool
    same_gradients: bool
    same_buffers: bool


class Steps(Record):
    """One value per round, in the order of the rounds."""

    wall_seconds: list[float]
    forward_seconds: list[float]
    cpu_seconds: list[float]
    system_seconds: list[float]
    page_faults: list[int]
    voluntary_switches: list[int]
    involuntary_switches: list[int]


class PolicyRecord(Record):
    """What one policy did in one cell."""

    policy: str
    outcome: Outcome
    message: str = ""
    other_model: bool = False
    memory: Memory | None = None
    readings: Readings | None = None
    sameness: Sameness | None = None
    warm_up_seconds: float | None = None
    steps: Steps | None = None


class CellRecord(Record):
    """One cell: every policy measured side by side, with all that is needed to disbelieve it."""

    schema_version: int
    study: str
    hardware: str
    cell: str
    graph: GraphFacts
    convolution: str
    architecture: dict[str, Any]
    aggregation: str
    fingerprint: str
    seed: int
    device: str
    threads: int
    allocator: str
    memory_limit_bytes: int
    started: str
    ended: str
    timed: bool
    load_before: float
    load_after: float
    clock_mhz_before: float | None
    clock_mhz_after: float | None
    governor: str | None
    sentinel_seconds: list[float]
    measured_seconds: float
    restarts: int
    round_orders: list[list[str]]
    policies: list[PolicyRecord]
    warnings: list[str]


def read_cell(path: Path) -> CellRecord:
    """Read one cell's record, or refuse naming the file and the field."""
    values = read_json(path)
    try:
        record = CellRecord.model_validate(values)
    except ValidationError as error:
        raise Refusal(f"{path}: {_complaint(error)}; delete the file and measure again") from None
    if record.schema_version != SCHEMA_VERSION:
        raise Refusal(
            f"{path}: schema version {record.schema_version}, this version reads {SCHEMA_VERSION}; measure again"
        )
    return record


class Trace(Record):
    """Live bytes over one training step of one policy: a point an allocator event, thinned with its extremes kept.

    `live_bytes` and `peak_bytes` are above `resident_bytes`; `seconds` count from the start of the forward pass, under
    the profiler, which slows small steps. `events` is the number of points before thinning.
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
    """The same with what Snakemake's `benchmark:` said of the job; None where no poll of it saw the job."""

    benchmark_max_rss_bytes: int | None
    benchmark_seconds: float


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
    lines = "".join(json.dumps(record.model_dump(mode="json"), separators=(",", ":")) + "\n" for record in records)
    with whole_file(path) as stream:
        stream.write(gzip.compress(lines.encode(), mtime=0))


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


@dataclass(frozen=True)
class Column:
    """A column of `measurements.csv`."""

    name: str
    kind: Literal["text", "integer", "number", "truth"]
    unit: str
    meaning: str


COLUMNS = (
    Column("hardware", "text", "", "slug of the machine"),
    Column("study", "text", "", "name of the study"),
    Column("cell", "text", "", "graph x architecture; all policies of a cell ran side by side in one process"),
    Column("graph", "text", "", "id of the graph"),
    Column("graph_label", "text", "", "name of the graph for reading"),
    Column("family", "text", "", "generator of the graph, or real"),
    Column("num_nodes", "integer", "nodes", "nodes of the graph"),
    Column("num_edges", "integer", "edges", "directed edges: both directions of each undirected edge"),
    Column("requested_average_degree", "number", "edges per node", "degree asked for; empty for real graphs"),
    Column("average_degree", "number", "edges per node", "num_edges / num_nodes, as realised"),
    Column("density", "number", "", "num_edges / (num_nodes (num_nodes - 1))"),
    Column("num_features", "integer", "", "input features per node"),
    Column("replicate", "integer", "", "number of the independent draw of the same size and degree"),
    Column("convolution", "text", "", "graph convolution"),
    Column("aggregation", "text", "", "gather_scatter (one message an edge) or spmm (sparse matrix product)"),
    Column("num_layers", "integer", "", "convolution blocks in the stack"),
    Column("hidden_channels", "integer", "", "channels of each block"),
    Column("policy", "text", "", "what is recomputed in the backward pass"),
    Column("allocator", "text", "", "retaining (freed memory is kept), default (the platform's) or jemalloc"),
    Column("device", "text", "", "cpu or cuda"),
    Column("threads", "integer", "", "compute threads"),
    Column("outcome", "text", "", "completed, out_of_memory, timed_out, failed, refused or unavailable"),
    Column("message", "text", "", "what went wrong, where something did"),
    Column("other_model", "truth", "", "the policy trains another model than none does"),
    Column("resident_bytes", "integer", "bytes", "live before the step: parameters, features, graph, policy tables"),
    Column("policy_resident_bytes", "integer", "bytes", "part of resident_bytes that the policy adds"),
    Column("saved_activation_bytes", "integer", "bytes", "held for backward at the end of forward"),
    Column("transient_bytes", "integer", "bytes", "peak minus resident minus saved"),
    Column("peak_memory_bytes", "integer", "bytes", "highest sum of live bytes during one step, resident included"),
    Column("activation_bytes", "integer", "bytes", "peak minus resident"),
    Column("high_water_bytes", "integer", "bytes", "activation peak by the process's high-water mark"),
    Column("high_water_agrees", "truth", "", "high_water_bytes within tolerance of activation_bytes"),
    Column("fake_tensor_bytes", "integer", "bytes", "activation peak of tensors alone, by fake tensors"),
    Column("fake_tensor_agrees", "truth", "", "fake_tensor_bytes within tolerance of activation_bytes"),
    Column("step_time_seconds", "number", "seconds", "median wall time of forward, loss and backward"),
    Column("forward_time_seconds", "number", "seconds", "median wall time of forward and loss"),
    Column("backward_time_seconds", "number", "seconds", "median wall time of backward, recomputation included"),
    Column("cpu_time_seconds", "number", "seconds", "median CPU time of the same steps"),
    Column("system_time_seconds", "number", "seconds", "median time in the operating system, part of CPU time"),
    Column("page_faults", "number", "faults per step", "median minor page faults of a step"),
    Column("involuntary_switches", "number", "per step", "median times that the system took the processor away"),
    Column("warm_up_seconds", "number", "seconds", "first step, compilation included; not part of the timed rounds"),
    Column("rounds", "integer", "", "timed steps"),
    Column("memory_ratio", "number", "", "peak_memory_bytes of the policy / of none"),
    Column("activation_ratio", "number", "", "activation_bytes of the policy / of none"),
    Column("time_ratio", "number", "", "median over rounds of policy's time / none's time in the same round"),
    Column("time_ratio_low", "number", "", "lower end of the bootstrap interval of time_ratio"),
    Column("time_ratio_high", "number", "", "upper end of the bootstrap interval of time_ratio"),
    Column("loss_error", "number", "", "relative difference of the loss from none's"),
    Column("gradient_error", "number", "", "relative difference of the gradients from none's, largest parameter"),
    Column("buffer_error", "number", "", "relative difference of the buffers from none's"),
    Column("same_loss", "truth", "", "loss_error within tolerance"),
    Column("same_gradients", "truth", "", "gradient_error within tolerance"),
    Column("same_buffers", "truth", "", "buffer_error within tolerance"),
    Column("sentinel_drift", "number", "", "fixed workload in the cell: slowest / fastest median third, minus 1"),
    Column("measured_seconds", "number", "seconds", "time of the cell spent inside measured steps, all policies"),
    Column("started", "text", "UTC", "when the cell's measurement began"),
    Column("ended", "text", "UTC", "when it ended"),
    Column("warnings", "text", "", "what the record says against itself"),
)

Value = str | int | float | bool | None


def write_table(path: Path, rows: Iterable[dict[str, Value]]) -> None:
    """Write rows as CSV with every column of the data dictionary; None is an empty field."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, [column.name for column in COLUMNS], lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _as_text(value) for name, value in row.items()})
    write_text(path, stream.getvalue())


def read_table(path: Path) -> list[dict[str, Value]]:
    """Read `measurements.csv` with each column as the type that the data dictionary gives it."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Refusal(f"{path}: not readable ({error}); make it with `collect`") from None
    reader = csv.DictReader(io.StringIO(text))
    missing = [column.name for column in COLUMNS if column.name not in (reader.fieldnames or [])]
    if missing:
        raise Refusal(f"{path}: column {missing[0]} is missing ({len(missing)} in all); make it with `collect`")
    rows = []
    for number, row in enumerate(reader, start=2):
        rows.append({column.name: _as_value(path, number, column, row[column.name]) for column in COLUMNS})
    if not rows:
        raise Refusal(f"{path}: no rows; measure something first")
    return rows


def _as_text(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else str(value)


def _as_value(path: Path, line: int, column: Column, text: str | None) -> Value:
    if not text:
        return None if column.kind != "text" else ""
    try:
        match column.kind:
            case "integer":
                return int(text)
            case "number":
                return float(text)
            case "truth":
                return {"true": True, "false": False}[text]
            case "text":
                return text
    except (ValueError, KeyError):
        raise Refusal(f"{path}, line {line}: {column.name} is {text!r}, not a {column.kind}; collect again") from None
