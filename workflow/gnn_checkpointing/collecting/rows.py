"""From records to `measurements.csv`, one row a cell and policy (torch-free)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

from gnn_checkpointing.measurement.drift import worst_drift
from gnn_checkpointing.measurement.ratios import ProcessSpread, Rounds, paired_ratio, process_spread
from gnn_checkpointing.records.cell import CellRecord
from gnn_checkpointing.records.graph_facts import GraphFacts
from gnn_checkpointing.records.measurements_table import HOSTS, SEPARATOR, Value, throughput
from gnn_checkpointing.records.policy import PolicyRecord, Steps
from gnn_checkpointing.study.settings import Analysis


def cell_rows(record: CellRecord, analysis: Analysis, spread: ProcessSpread | None = None) -> list[dict[str, Value]]:
    """Return the rows of one cell, in the order of its policies; `spread` is that of its allocator."""
    reference = next((found for found in record.policies if found.policy == "none"), None)
    rows = [_row(record, found, reference, analysis, spread) for found in record.policies]
    return [row | throughput(row) for row in rows]


def with_hosts(rows: Iterable[dict[str, Value]], records: Sequence[CellRecord]) -> list[dict[str, Value]]:
    """Return the rows, with their machines where the records are from more than one."""
    ids = {(record.cell, record.visit): [run.host.id if run.host else "" for run in record.runs] for record in records}
    several = len({host for hosts in ids.values() for host in hosts}) > 1
    if not several:
        return list(rows)
    return [row | {HOSTS.name: SEPARATOR.join(ids[str(row["cell"]), int(row["visit"] or 0)])} for row in rows]


def process_spreads(records: Iterable[CellRecord]) -> dict[str, ProcessSpread]:
    """Return by allocator how far time ratios differ from process to process, pooled over the cells."""
    cells: dict[str, list[Sequence[tuple[Rounds, Rounds]]]] = {}
    for record in records:
        base = _seconds(record.steps_of("none"))
        timed = [found.policy for found in record.policies if found.steps and found.policy != "none"]
        pairs = [(_seconds(record.steps_of(policy)), base) for policy in timed] if base else []
        cells.setdefault(record.allocator, []).append(pairs)
    return {allocator: process_spread(found) for allocator, found in cells.items()}


def _seconds(steps: Iterable[Steps]) -> list[list[float]]:
    return [found.wall_seconds for found in steps]


def _row(
    record: CellRecord,
    found: PolicyRecord,
    reference: PolicyRecord | None,
    analysis: Analysis,
    spread: ProcessSpread | None,
) -> dict[str, Value]:
    graph = record.graph
    return {
        "hardware": record.hardware,
        "study": record.study,
        "cell": record.cell,
        "visit": record.visit,
        "graph": graph.id,
        "graph_label": graph.label,
        "family": graph.family,
        "num_nodes": graph.num_nodes,
        "num_edges": graph.num_edges,
        "requested_average_degree": graph.requested_average_degree,
        "average_degree": graph.average_degree,
        "density": graph.density,
        "num_features": graph.num_features,
        "replicate": graph.replicate,
        "training_nodes": graph.training_nodes,
        **_derivation(graph),
        **_structure(graph),
        "convolution": record.convolution,
        "aggregation": record.aggregation,
        "model": record.model,
        "parameters": record.parameters,
        "num_layers": record.architecture["num_layers"],
        "hidden_channels": record.architecture["hidden_channels"],
        "policy": found.policy,
        "heads": record.architecture["heads"],
        "allocator": record.allocator,
        "device": record.device,
        "threads": record.threads,
        "outcome": found.outcome,
        "other_model": found.other_model,
        "message": found.message,
        "sentinel_drift": worst_drift(record),
        "measured_seconds": sum(run.measured_seconds for run in record.runs),
        "started": record.started,
        "ended": record.ended,
        "again_started": SEPARATOR.join(run.started for run in record.again),
        "again_ended": SEPARATOR.join(run.ended for run in record.again),
        "warnings": "; ".join(record.warnings),
        "memory_limit_bytes": record.memory_limit_bytes,
        "edges_at_once": _edges_at_once(found, graph),
        **_memory(found, reference),
        **_readings(found),
        **_time(record, found, analysis, spread),
        **({} if found.sameness is None else found.sameness.model_dump()),
    }


def _edges_at_once(found: PolicyRecord, graph: GraphFacts) -> int | None:
    """Return the edges of a policy's largest block; without blocks, all; None where the record does not say."""
    if "edge_blocks" not in found.policy:
        return graph.num_edges
    return found.largest_block_edges


def _derivation(graph: GraphFacts) -> dict[str, Value]:
    made = graph.derivation
    if made is None:
        return {}
    return {
        "derivation": made.method,
        "base": made.base,
        "base_label": made.base_label,
        "derivation_size": made.size,
    }


def _structure(graph: GraphFacts) -> dict[str, Value]:
    found = graph.structure
    if found is None:
        return {}
    low, _, middle, _, high = found.degree_quantiles
    return {
        "degree_p5": low,
        "median_degree": middle,
        "degree_p95": high,
        "maximum_degree": found.maximum_degree,
        "clustering": found.clustering,
        "homophily": found.homophily,
    }


def _memory(found: PolicyRecord, reference: PolicyRecord | None) -> dict[str, Value]:
    memory = found.memory
    if memory is None:
        return {}
    activation = memory.peak_memory_bytes - memory.resident_bytes
    values: dict[str, Value] = {**memory.model_dump(), "activation_bytes": activation}
    base = reference.memory if reference else None
    if base is not None:
        values["memory_ratio"] = memory.peak_memory_bytes / base.peak_memory_bytes
        values["activation_ratio"] = activation / (base.peak_memory_bytes - base.resident_bytes)
    return values


def _readings(found: PolicyRecord) -> dict[str, Value]:
    return {} if found.readings is None else found.readings.model_dump(exclude={"notes"})


def _time(
    record: CellRecord, found: PolicyRecord, analysis: Analysis, spread: ProcessSpread | None
) -> dict[str, Value]:
    timed = record.steps_of(found.policy)
    if not timed:
        return {}

    def middle(name: str) -> float:
        return float(median(value for steps in timed for value in getattr(steps, name)))

    seconds = _seconds(timed)
    values: dict[str, Value] = {
        "step_time_seconds": middle("wall_seconds"),
        "cpu_time_seconds": middle("cpu_seconds"),
        "forward_time_seconds": middle("forward_seconds"),
        "backward_time_seconds": median(
            wall - forward
            for steps in timed
            for wall, forward in zip(steps.wall_seconds, steps.forward_seconds, strict=True)
        ),
        "involuntary_switches": middle("involuntary_switches"),
        "system_time_seconds": middle("system_seconds"),
        "page_faults": middle("page_faults"),
        **_on_device(timed),
        "warm_up_seconds": found.warm_up_seconds,
        "rounds": sum(len(rounds) for rounds in seconds),
        "processes": len(seconds),
        "sentinel_seconds": _sentinel(record),
        "process_spread": spread.deviation if spread and spread.degrees_of_freedom else None,
    }
    base = _seconds(record.steps_of("none"))
    if base:
        ratio = paired_ratio(seconds, base, analysis.confidence, analysis.resamples, record.seed % 2**32, spread)
        values |= {"time_ratio": ratio.median, "time_ratio_low": ratio.low, "time_ratio_high": ratio.high}
    return values


def _sentinel(record: CellRecord) -> float | None:
    """The median of the readings that were taken once a round; None in records from before they were."""
    by_round = all(run.sentinel_by_round for run in record.runs)
    readings = [seconds for run in record.runs for seconds in run.sentinel_seconds]
    return median(readings) if by_round and readings else None


def _on_device(timed: list[Steps]) -> dict[str, Value]:
    """Return the medians of what only a CUDA device tells; nothing on the CPU."""
    names = {"device_time_seconds": "device_seconds", "device_allocations": "device_allocations"}
    told = {
        column: [value for steps in timed for value in getattr(steps, name) or []] for column, name in names.items()
    }
    return {column: float(median(values)) for column, values in told.items() if values}
