"""From records to `measurements.csv`, one row a cell and policy, and to `traces.json` (torch-free)."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median

from gnn_checkpointing.graph_facts import GraphFacts
from gnn_checkpointing.measurement.byte_trace import ByteTrace, thinned
from gnn_checkpointing.measurement.drift import sentinel_drift
from gnn_checkpointing.measurement.ratios import paired_ratio
from gnn_checkpointing.measurements_table import Value
from gnn_checkpointing.records import CellRecord, PolicyRecord, Trace
from gnn_checkpointing.study import Analysis


def cell_rows(record: CellRecord, analysis: Analysis) -> list[dict[str, Value]]:
    """Return the rows of one cell, in the order of its policies."""
    reference = next((found for found in record.policies if found.policy == "none"), None)
    return [_row(record, found, reference, analysis) for found in record.policies]


def traced_cells(records: Iterable[CellRecord], reference_allocator: str) -> list[CellRecord]:
    """Return the cell of each convolution and aggregation whose byte traces are shown.

    The densest timed generated graph, of these the largest, in its first draw; of a study of real graphs alone the one
    with most edges. Under the reference allocator, where any policy completed.
    """
    chosen: dict[tuple[str, str], CellRecord] = {}
    for record in records:
        if record.allocator != reference_allocator or not any(found.memory for found in record.policies):
            continue
        place = (record.convolution, record.aggregation)
        if place not in chosen or _shown_before(record) > _shown_before(chosen[place]):
            chosen[place] = record
    return list(chosen.values())


def _shown_before(record: CellRecord) -> tuple[bool, bool, float, int, int]:
    graph = record.graph
    degree = graph.requested_average_degree
    if degree is None:
        return (record.timed, False, graph.num_edges, graph.num_nodes, 0)
    return (record.timed, True, degree, graph.num_nodes, -graph.replicate)


def cell_traces(record: CellRecord, traces: dict[str, ByteTrace]) -> list[Trace]:
    """Return the traces of one cell, thinned, in the order of its policies."""
    graph = record.graph
    shown = []
    for found in record.policies:
        if found.memory is None or found.policy not in traces:
            continue
        trace = traces[found.policy]
        seconds, live_bytes = thinned(trace)
        shown.append(
            Trace(
                graph=graph.id,
                graph_label=graph.label,
                num_nodes=graph.num_nodes,
                num_edges=graph.num_edges,
                average_degree=graph.average_degree,
                convolution=record.convolution,
                aggregation=record.aggregation,
                policy=found.policy,
                events=len(trace.seconds),
                forward_ended_seconds=trace.forward_ended_seconds,
                resident_bytes=found.memory.resident_bytes,
                saved_activation_bytes=found.memory.saved_activation_bytes,
                peak_bytes=found.memory.peak_memory_bytes - found.memory.resident_bytes,
                seconds=seconds,
                live_bytes=live_bytes,
            )
        )
    return shown


def _row(
    record: CellRecord, found: PolicyRecord, reference: PolicyRecord | None, analysis: Analysis
) -> dict[str, Value]:
    graph = record.graph
    return {
        "hardware": record.hardware,
        "study": record.study,
        "cell": record.cell,
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
        "sentinel_drift": sentinel_drift(record.sentinel_seconds),
        "measured_seconds": record.measured_seconds,
        "started": record.started,
        "ended": record.ended,
        "warnings": "; ".join(record.warnings),
        "memory_limit_bytes": record.memory_limit_bytes,
        "edges_at_once": _edges_at_once(found, graph),
        **_memory(found, reference),
        **_readings(found),
        **_time(record, found, reference, analysis),
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
    record: CellRecord, found: PolicyRecord, reference: PolicyRecord | None, analysis: Analysis
) -> dict[str, Value]:
    steps = found.steps
    if steps is None:
        return {}
    values: dict[str, Value] = {
        "step_time_seconds": median(steps.wall_seconds),
        "cpu_time_seconds": median(steps.cpu_seconds),
        "forward_time_seconds": median(steps.forward_seconds),
        "backward_time_seconds": median(
            wall - forward for wall, forward in zip(steps.wall_seconds, steps.forward_seconds, strict=True)
        ),
        "involuntary_switches": float(median(steps.involuntary_switches)),
        "system_time_seconds": median(steps.system_seconds),
        "page_faults": float(median(steps.page_faults)),
        "warm_up_seconds": found.warm_up_seconds,
        "rounds": len(steps.wall_seconds),
    }
    base = reference.steps if reference else None
    if base is not None:
        ratio = paired_ratio(
            steps.wall_seconds, base.wall_seconds, analysis.confidence, analysis.resamples, record.seed % 2**32
        )
        values |= {"time_ratio": ratio.median, "time_ratio_low": ratio.low, "time_ratio_high": ratio.high}
    return values
