"""Rows of `measurements.csv` from records, one per cell and policy (torch-free)."""

from collections.abc import Iterable, Sequence
from statistics import median

from gnn_checkpointing.measurement.ratios import ProcessSpread, Rounds, paired_ratio, process_spread
from gnn_checkpointing.measurement.readings import worst_drift
from gnn_checkpointing.records.cell import CellRecord
from gnn_checkpointing.records.graph_facts import GraphFacts
from gnn_checkpointing.records.measurements_table import COLUMNS, HOSTS, SEPARATOR, Value, throughput
from gnn_checkpointing.records.policy import PolicyRecord
from gnn_checkpointing.study.settings import Analysis

_COLUMNS = {column.name for column in COLUMNS}
_OF_GRAPH = _COLUMNS & GraphFacts.model_fields.keys() - {"derivation"}
_OF_CELL = _COLUMNS & CellRecord.model_fields.keys() - {"graph", "measured_seconds", "sentinel_seconds", "warnings"}
"""Fields that are copied unchanged into a column."""

_MEDIANS = {
    "step_time_seconds": "wall_seconds",
    "cpu_time_seconds": "cpu_seconds",
    "forward_time_seconds": "forward_seconds",
    "involuntary_switches": "involuntary_switches",
    "system_time_seconds": "system_seconds",
    "page_faults": "page_faults",
    "device_time_seconds": "device_seconds",
    "device_allocations": "device_allocations",
}
"""Columns that are medians over all rounds, and their fields; `device_*` columns are empty on the CPU."""


def cell_rows(record: CellRecord, analysis: Analysis, spread: ProcessSpread | None = None) -> list[dict[str, Value]]:
    """Rows of one cell, in the order of its policies; `spread` is the process spread of its allocator."""
    reference = next((found for found in record.policies if found.policy == "none"), None)
    cell: dict[str, Value] = {
        **record.model_dump(include=_OF_CELL),
        **_graph(record.graph),
        **{name: record.architecture[name] for name in ("num_layers", "hidden_channels", "heads")},
        "sentinel_drift": worst_drift(record),
        "measured_seconds": sum(run.measured_seconds for run in record.runs),
        "again_started": SEPARATOR.join(run.started for run in record.again),
        "again_ended": SEPARATOR.join(run.ended for run in record.again),
        "warnings": "; ".join(record.warnings),
    }
    rows = [
        cell
        | found.model_dump(include={"policy", "outcome", "other_model", "message"})
        | {"edges_at_once": found.largest_block_edges if "edge_blocks" in found.policy else record.graph.num_edges}
        | _memory(found, reference)
        | (found.readings.model_dump(exclude={"notes"}) if found.readings else {})
        | _time(record, found, analysis, spread)
        | (found.sameness.model_dump() if found.sameness else {})
        for found in record.policies
    ]
    return [row | throughput(row) for row in rows]


def table_rows(records: Sequence[CellRecord], analysis: Analysis) -> list[dict[str, Value]]:
    """Rows of all cells in their order, with their machines if the records are from more than one."""
    spreads = _process_spreads(records)
    hosts = [[run.host.id if run.host else "" for run in record.runs] for record in records]
    several = len({host for own in hosts for host in own}) > 1
    return [
        row | ({HOSTS.name: SEPARATOR.join(own)} if several else {})
        for record, own in zip(records, hosts, strict=True)
        for row in cell_rows(record, analysis, spreads[record.allocator])
    ]


def _process_spreads(records: Iterable[CellRecord]) -> dict[str, ProcessSpread]:
    """For each allocator, the spread of time ratios between processes, pooled over the cells."""
    cells: dict[str, list[Sequence[tuple[Rounds, Rounds]]]] = {}
    for record in records:
        base = record.seconds_of("none")
        timed = [found.policy for found in record.policies if found.steps and found.policy != "none"]
        pairs = [(record.seconds_of(policy), base) for policy in timed] if base else []
        cells.setdefault(record.allocator, []).append(pairs)
    return {allocator: process_spread(found) for allocator, found in cells.items()}


def _graph(graph: GraphFacts) -> dict[str, Value]:
    values: dict[str, Value] = {"graph": graph.id, "graph_label": graph.label, **graph.model_dump(include=_OF_GRAPH)}
    if graph.derivation is not None:
        values |= graph.derivation.model_dump(include={"base", "base_label"})
        values |= {"derivation": graph.derivation.method, "derivation_size": graph.derivation.size}
    if graph.structure is not None:
        low, _, middle, _, high = graph.structure.degree_quantiles
        values |= graph.structure.model_dump(include={"maximum_degree", "clustering", "homophily"})
        values |= {"degree_p5": low, "median_degree": middle, "degree_p95": high}
    return values


def _memory(found: PolicyRecord, reference: PolicyRecord | None) -> dict[str, Value]:
    memory, base = found.memory, reference.memory if reference else None
    if memory is None:
        return {}
    values: dict[str, Value] = {**memory.model_dump(), "activation_bytes": memory.activation_bytes}
    if base is not None:
        values["memory_ratio"] = memory.peak_memory_bytes / base.peak_memory_bytes
        values["activation_ratio"] = memory.activation_bytes / base.activation_bytes
    return values


def _time(
    record: CellRecord, found: PolicyRecord, analysis: Analysis, spread: ProcessSpread | None
) -> dict[str, Value]:
    timed = record.steps_of(found.policy)
    if not timed:
        return {}
    every = {
        column: [one for steps in timed for one in getattr(steps, name) or []] for column, name in _MEDIANS.items()
    }
    forward = every["forward_time_seconds"]
    every["backward_time_seconds"] = [
        wall - before for wall, before in zip(every["step_time_seconds"], forward, strict=True)
    ]
    # Older sentinels ran less often than once a round and did other work: no step time is divided by those.
    sentinel = [one for run in record.runs for one in run.sentinel_seconds]
    by_round = all(run.sentinel_by_round for run in record.runs)
    values: dict[str, Value] = {
        **{column: float(median(taken)) for column, taken in every.items() if taken},
        "warm_up_seconds": found.warm_up_seconds,
        "rounds": sum(len(steps.wall_seconds) for steps in timed),
        "processes": len(timed),
        "sentinel_seconds": median(sentinel) if by_round and sentinel else None,
        "process_spread": spread.deviation if spread and spread.degrees_of_freedom else None,
    }
    seconds, base = record.seconds_of(found.policy), record.seconds_of("none")
    if base:
        ratio = paired_ratio(seconds, base, analysis.confidence, analysis.resamples, record.seed % 2**32, spread)
        values |= {"time_ratio": ratio.median, "time_ratio_low": ratio.low, "time_ratio_high": ratio.high}
    return values
