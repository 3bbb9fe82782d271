"""Is each thing there once, and do the files that no other file decides fit the records?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator

from gnn_checkpointing.collecting.traces import traced_cells
from gnn_checkpointing.records.cell import CellRecord
from gnn_checkpointing.records.policy import Memory
from gnn_checkpointing.records.traces import Trace
from gnn_checkpointing.study.graph_design import LoadedGraph, study_graphs
from gnn_checkpointing.validation.published import Measured


def doubles(found: Measured) -> Iterator[str]:
    """Yield rows, graphs, traces and training jobs that are there more than once."""
    rows = ((row["cell"], row["policy"], row.get("visit") or 0) for row in found.rows)
    yield from _twice("measurements.csv: cell {}, policy {}", rows)
    yield from _twice("graphs.json: graph {}", ((graph.id,) for graph in found.graphs))
    yield from _twice("traces.json: {}, {}, policy {}", map(_place, found.traces))
    jobs = ((job.graph, job.convolution, job.policy) for job in found.trainings)
    yield from _twice("trainings.json: graph {}, {}, policy {}", jobs)


def unmeasured_graphs(found: Measured) -> Iterator[str]:
    """Yield graphs that are listed and that no record is of."""
    measured = {record.graph.id for record in found.records}
    yield from (
        f"graphs.json: graph {graph.id}: listed, and not measured" for graph in found.graphs if graph.id not in measured
    )


def other_files(found: Measured) -> Iterator[str]:
    """Yield real graphs that were read from other files than those that the study lists."""
    listed = {graph.id: graph for graph in found.graphs}
    for spec in study_graphs(found.study):
        graph = listed.get(spec.id)
        if not isinstance(spec, LoadedGraph) or graph is None or graph.provenance is None:
            continue
        for name, sha256 in graph.provenance.files.items():
            if spec.source.files and spec.source.files.get(name) != sha256:
                yield (
                    f"graphs.json: graph {spec.id} was read from {name} with SHA-256 {sha256}, but study.json lists "
                    f"{spec.source.files.get(name, 'no such file')}"
                )


def traces(found: Measured) -> Iterator[str]:
    """Yield traces that lack, that no measured cell has, and those that the records contradict."""
    asked = {
        (record.cell, policy.policy): (record, policy.memory)
        for record in traced_cells(found.records, found.study)
        for policy in record.policies
        # On CUDA the allocator's events are not read.
        if policy.memory is not None and record.device == "cpu"
    }
    given = {_place(trace): trace for trace in found.traces}
    places = {
        (record.graph.id, _model(record.convolution, record.aggregation, record.model), policy): (record, memory)
        for (_, policy), (record, memory) in asked.items()
    }
    for place in sorted(places.keys() - given.keys()):
        yield f"traces.json: no trace of {place[0]}, {place[1]}, policy {place[2]}"
    for place in sorted(given.keys() - places.keys()):
        yield f"traces.json: {place[0]}, {place[1]}, policy {place[2]}: no such trace is shown of these records"
    for place in sorted(given.keys() & places.keys()):
        wrong = _contradiction(given[place], *places[place])
        if wrong:
            yield f"traces.json: {place[0]}, {place[1]}, policy {place[2]}: {wrong}"


def _contradiction(trace: Trace, record: CellRecord, memory: Memory) -> str:
    told = (trace.num_nodes, trace.num_edges, trace.resident_bytes, trace.saved_activation_bytes, trace.peak_bytes)
    graph, above = record.graph, memory.peak_memory_bytes - memory.resident_bytes
    known = (graph.num_nodes, graph.num_edges, memory.resident_bytes, memory.saved_activation_bytes, above)
    if told != known:
        return f"nodes, edges, resident, saved and peak bytes are {told}, the record says {known}"
    if len(trace.seconds) != len(trace.live_bytes) or trace.seconds != sorted(trace.seconds):
        return "its times do not go with its bytes"
    if max(trace.live_bytes, default=0) != trace.peak_bytes:
        return f"its bytes reach {max(trace.live_bytes, default=0)}, its peak is {trace.peak_bytes}"
    return ""


def _place(trace: Trace) -> tuple[str, str, str]:
    return trace.graph, _model(trace.convolution, trace.aggregation, trace.model), trace.policy


def _model(convolution: str, aggregation: str, model: str) -> str:
    return " ".join(filter(None, (convolution, aggregation, model)))


def _twice(words: str, places: Iterable[tuple[Hashable, ...]]) -> Iterator[str]:
    for place, count in Counter(places).items():
        if count > 1:
            yield f"{words.format(*place)}: there {count} times"
