"""`measurements.csv`: its data dictionary, written and read by the types that it gives each column."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gnn_checkpointing.artefacts import (
    cell_text,
    real_number,
    sealed_bytes,
    text_cell,
    whole_number,
    without_addresses,
    write_text,
)
from gnn_checkpointing.refusal import Refusal, shown


@dataclass(frozen=True)
class Column:
    """A column of `measurements.csv`."""

    name: str
    kind: Literal["text", "integer", "number", "truth"]
    unit: str
    meaning: str
    new: bool = False
    """Whether tables from before it was there are read all the same, as if it were empty."""
    cuda: bool = False
    """Whether only what ran on CUDA fills it; tables without such rows leave it out."""


COLUMNS = (
    Column("hardware", "text", "", "slug of the machine"),
    Column("study", "text", "", "name of the study"),
    Column("cell", "text", "", "graph x architecture; all policies of a cell ran side by side"),
    Column("visit", "integer", "", "0 in the cell's own turn; 1, 2 ... where the study measured it again", new=True),
    Column("graph", "text", "", "id of the graph"),
    Column("graph_label", "text", "", "name of the graph for reading"),
    Column("family", "text", "", "generator of the graph, or real; of a batch, of the graph it is from"),
    Column("num_nodes", "integer", "nodes", "nodes of the graph"),
    Column("num_edges", "integer", "edges", "directed edges: both directions of each undirected edge"),
    Column(
        "requested_average_degree",
        "number",
        "edges per node",
        "degree asked for; of whole generated graphs, else empty",
    ),
    Column("average_degree", "number", "edges per node", "num_edges / num_nodes, as realised"),
    Column("density", "number", "", "num_edges / (num_nodes (num_nodes - 1))"),
    Column("num_features", "integer", "", "input features per node"),
    Column("replicate", "integer", "", "number of the independent draw of the same size and degree"),
    Column(
        "derivation",
        "text",
        "",
        "thinned, capped, two_hop (of a real graph), neighbours or clusters (batches), encodings or ego_networks",
    ),
    Column("base", "text", "", "id of the graph that it was made from, where it was"),
    Column("base_label", "text", "", "name of that graph for reading"),
    Column("derivation_size", "number", "", "degree, largest degree, fan-out, number of clusters or radius asked for"),
    Column("training_nodes", "integer", "nodes", "nodes whose loss is computed"),
    Column("degree_p5", "integer", "", "5 % of the nodes have at most this in-degree"),
    Column("median_degree", "integer", "", "half of the nodes have at most this in-degree"),
    Column("degree_p95", "integer", "", "95 % of the nodes have at most this in-degree"),
    Column("maximum_degree", "integer", "", "largest in-degree"),
    Column("clustering", "number", "", "average local clustering coefficient, sampled"),
    Column("homophily", "number", "", "share of edges between labelled nodes that join equal labels"),
    Column("convolution", "text", "", "graph convolution"),
    Column("aggregation", "text", "", "gather_scatter (one message an edge) or spmm (sparse matrix product)"),
    Column(
        "model",
        "text",
        "",
        "what tells the model from the study's others of that convolution; mostly nothing",
        new=True,
    ),
    Column("parameters", "integer", "", "parameters of the model", new=True),
    Column("num_layers", "integer", "", "convolution blocks in the stack"),
    Column("hidden_channels", "integer", "", "channels of each block"),
    Column("heads", "integer", "", "attention heads of GAT and GATv2"),
    Column("policy", "text", "", "what is recomputed in the backward pass"),
    Column("allocator", "text", "", "retaining (freed memory is kept), default (the platform's) or jemalloc"),
    Column("device", "text", "", "cpu or cuda"),
    Column("threads", "integer", "", "compute threads"),
    Column("outcome", "text", "", "completed, out_of_memory, timed_out, failed, refused or unavailable"),
    Column("message", "text", "", "what went wrong, where something did"),
    Column("other_model", "truth", "", "the policy trains another model than none does"),
    Column("memory_limit_bytes", "integer", "bytes", "peak memory above which a policy counts as out of memory"),
    Column("edges_at_once", "integer", "edges", "edges whose messages a layer holds at a time: all, or a block's"),
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
    Column("allocated_bytes", "integer", "bytes", "peak in the caching allocator's blocks, with resident", cuda=True),
    Column("reserved_bytes", "integer", "bytes", "peak in the caching allocator's segments, likewise", cuda=True),
    Column(
        "driver_bytes",
        "integer",
        "bytes",
        "the same by the driver: the device's memory in use, CUDA's context and all processes included",
        cuda=True,
    ),
    Column("driver_agrees", "truth", "", "driver's account and segments grew alike over the step", cuda=True),
    Column("step_time_seconds", "number", "seconds", "median wall time of forward, loss and backward"),
    Column("nodes_per_second", "number", "per second", "throughput: num_nodes / step_time_seconds", new=True),
    Column("edges_per_second", "number", "per second", "throughput: num_edges / step_time_seconds", new=True),
    Column("forward_time_seconds", "number", "seconds", "median wall time of forward and loss"),
    Column("backward_time_seconds", "number", "seconds", "median wall time of backward, recomputation included"),
    Column("device_time_seconds", "number", "seconds", "median time of such steps by the device's events", cuda=True),
    Column("cpu_time_seconds", "number", "seconds", "median CPU time of the same steps"),
    Column("system_time_seconds", "number", "seconds", "median time in the operating system, part of CPU time"),
    Column("page_faults", "number", "faults per step", "median minor page faults of a step"),
    Column("device_allocations", "number", "per step", "median requests to the driver for memory", cuda=True),
    Column("involuntary_switches", "number", "per step", "median times that the system took the processor away"),
    Column("warm_up_seconds", "number", "seconds", "first step, compilation included; not part of the timed rounds"),
    Column("rounds", "integer", "", "timed steps, of all processes together"),
    Column("processes", "integer", "", "fresh processes that timed the cell, one after the other"),
    Column("memory_ratio", "number", "", "peak_memory_bytes of the policy / of none"),
    Column("activation_ratio", "number", "", "activation_bytes of the policy / of none"),
    Column("time_ratio", "number", "", "median over rounds of policy's / none's time in the same round, all processes"),
    Column("time_ratio_low", "number", "", "lower end of its interval: bootstrap of rounds, and process_spread"),
    Column("time_ratio_high", "number", "", "upper end of its interval"),
    Column("process_spread", "number", "", "standard deviation of log ratios between processes, pooled over cells"),
    Column("loss_error", "number", "", "relative difference of the loss from none's"),
    Column("gradient_error", "number", "", "relative difference of the gradients from none's, largest parameter"),
    Column("buffer_error", "number", "", "relative difference of the buffers from none's"),
    Column("same_loss", "truth", "", "loss_error within tolerance"),
    Column("same_gradients", "truth", "", "gradient_error within tolerance"),
    Column("same_buffers", "truth", "", "buffer_error within tolerance"),
    Column("sentinel_drift", "number", "", "fixed workload in the cell: slowest / fastest median third, minus 1"),
    Column("sentinel_seconds", "number", "seconds", "median of the fixed step that is timed once a round", new=True),
    Column("measured_seconds", "number", "seconds", "time of the cell spent inside measured steps, all policies"),
    Column("started", "text", "UTC", "when the cell's measurement began, in its first process"),
    Column("ended", "text", "UTC", "when it ended"),
    Column("again_started", "text", "UTC", "when each further process began with the cell"),
    Column("again_ended", "text", "UTC", "when each ended"),
    Column("warnings", "text", "", "what the record says against itself"),
)

HOSTS = Column("hosts", "text", "", "which machine each process of the cell ran on", new=True)
"""Only in tables from more than one machine: the nodes of a cluster. Its values are ids, not names."""

_LONGEST_TEXT = 10_000
"""Of a text field: the longest message of a compiler is shorter."""

Value = str | int | float | bool | None


def columns_of(rows: Sequence[Mapping[str, Value]]) -> tuple[Column, ...]:
    """Return the data dictionary of a table: columns of CUDA where something ran there, HOSTS where a row has it."""
    on_cuda = any(row.get("device") == "cuda" for row in rows)
    kept = tuple(column for column in COLUMNS if on_cuda or not column.cuda)
    return (*kept, HOSTS) if any(row.get(HOSTS.name) for row in rows) else kept


def write_table(path: Path, rows: Sequence[Mapping[str, Value]]) -> None:
    """Write rows as CSV with every column of their data dictionary; None is an empty field."""
    stream = io.StringIO()
    names = [column.name for column in columns_of(rows)]
    left_out = {column.name for column in (*COLUMNS, HOSTS)} - set(names)
    writer = csv.DictWriter(stream, names, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _as_text(value) for name, value in row.items() if name not in left_out})
    write_text(path, stream.getvalue())


def read_table(path: Path) -> list[dict[str, Value]]:
    """Read `measurements.csv` with each column as the type that the data dictionary gives it."""
    try:
        text = sealed_bytes(path).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise Refusal(f"{path}: not readable ({error}); make it with `collect`") from None
    reader = csv.DictReader(io.StringIO(text), strict=True)
    needed = [column.name for column in COLUMNS if not (column.new or column.cuda)]
    try:
        names = list(reader.fieldnames or [])
    except csv.Error as error:
        raise Refusal(f"{path}: not readable as CSV ({error}); make it with `collect`") from None
    missing = [name for name in needed if name not in names]
    if missing:
        raise Refusal(f"{path}: column {missing[0]} is missing ({len(missing)} in all); make it with `collect`")
    rows = []
    try:
        for row in reader:
            line = reader.line_num
            rows.append(
                {column.name: _as_value(path, line, column, row.get(column.name)) for column in (*COLUMNS, HOSTS)}
            )
    except csv.Error as error:
        raise Refusal(
            f"{path}, line {reader.line_num}: not readable as CSV ({error}); make it with `collect`"
        ) from None
    if not rows:
        raise Refusal(f"{path}: no rows; measure something first")
    return [row | {"visit": row["visit"] or 0} | throughput(row) for row in rows]


def per_second(count: float, step_time_seconds: float | None) -> float | None:
    """Throughput: nodes or edges that a step works through in a second; None where no time was taken."""
    return count / step_time_seconds if step_time_seconds else None


def throughput(row: Mapping[str, Value]) -> dict[str, Value]:
    """The columns of a row's throughput; empty where it has no time."""
    counts = {"nodes_per_second": number(row, "num_nodes"), "edges_per_second": number(row, "num_edges")}
    seconds = number(row, "step_time_seconds") if "step_time_seconds" in row else None
    return {name: per_second(count, seconds) if count else None for name, count in counts.items()}


SEPARATOR = "; "
"""Between the values of several processes in one text column."""


def turns(row: Mapping[str, Value]) -> list[tuple[str, str]]:
    """Return when the row's cell was begun and ended, process by process, as ISO 8601 times."""
    started, ended = (
        [str(row[first] or ""), *filter(None, str(row[again] or "").split(SEPARATOR))]
        for first, again in (("started", "again_started"), ("ended", "again_ended"))
    )
    if len(started) != len(ended):
        raise Refusal(f"cell {shown(row['cell'])}: {len(started)} beginnings and {len(ended)} ends; collect again")
    return list(zip(started, ended, strict=True))


def hosts(row: Mapping[str, Value]) -> list[str]:
    """Return the machine of each of the row's turns, as an id; "" for each where one machine measured all."""
    found = str(row.get(HOSTS.name) or "")
    return found.split(SEPARATOR) if found else [""] * len(turns(row))


def number(row: Mapping[str, Value], column: str) -> float | None:
    """Return a numeric field of a row, None where it is empty."""
    value = row[column]
    return value * 1.0 if isinstance(value, int | float) else None  # not float(value): that would forget its address


def _as_text(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return text_cell(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else str(value)


def _as_value(path: Path, line: int, column: Column, text: str | None) -> Value:
    if not text:
        return None if column.kind != "text" else ""
    try:
        match column.kind:
            case "integer":
                return whole_number(text)
            case "number":
                return real_number(text)
            case "truth":
                return {"true": True, "false": False}[text]
            case "text" if len(text) > _LONGEST_TEXT:
                raise ValueError
            case "text":
                return without_addresses(cell_text(text))
    except (ValueError, KeyError):
        raise Refusal(
            f"{path}, line {line}: {column.name} is {shown(repr(text))}, not a {column.kind}; collect again"
        ) from None
