"""From records to `measurements.csv`: one row a cell and policy (torch-free)."""

from __future__ import annotations

from statistics import median

from gnn_checkpointing.measurement.ratios import paired_ratio
from gnn_checkpointing.records import CellRecord, PolicyRecord, Value
from gnn_checkpointing.study import Analysis


def cell_rows(record: CellRecord, analysis: Analysis) -> list[dict[str, Value]]:
    """Return the rows of one cell, in the order of its policies."""
    reference = next((found for found in record.policies if found.policy == "none"), None)
    return [_row(record, found, reference, analysis) for found in record.policies]


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
        "convolution": record.convolution,
        "aggregation": record.aggregation,
        "num_layers": record.architecture["num_layers"],
        "hidden_channels": record.architecture["hidden_channels"],
        "policy": found.policy,
        "allocator": record.allocator,
        "device": record.device,
        "threads": record.threads,
        "outcome": found.outcome,
        "other_model": found.other_model,
        "message": found.message,
        "sentinel_drift": None,
        "measured_seconds": record.measured_seconds,
        "started": record.started,
        "ended": record.ended,
        "warnings": "; ".join(record.warnings),
        **_memory(found, reference),
        **_time(record, found, reference, analysis),
        **({} if found.sameness is None else found.sameness.model_dump()),
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
