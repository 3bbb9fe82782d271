"""From records and byte traces to `traces.json`: which cells are shown, thinned for a figure (torch-free)."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from gnn_checkpointing.measurement.byte_trace import ByteTrace
from gnn_checkpointing.records.cell import CellRecord
from gnn_checkpointing.records.traces import Trace
from gnn_checkpointing.study.graph_design import large_graphs
from gnn_checkpointing.study.settings import PRACTICE
from gnn_checkpointing.study.study import Study
from gnn_checkpointing.study.vision_shapes import neighbours_by_block


def traced_cells(records: Iterable[CellRecord], study: Study) -> list[CellRecord]:
    """Return the cell of each convolution, aggregation and model whose byte traces are shown.

    The densest timed generated graph, of these the largest, in its first draw; of a study of real graphs alone the one
    with most edges. Under the reference allocator, where any policy completed. Graphs beyond the grids and stacks in
    practice are left out.
    """
    reference, large = study.measurement.allocators[0], large_graphs(study)
    chosen: dict[tuple[str, str, str], CellRecord] = {}
    for record in records:
        if record.allocator != reference or not any(found.memory for found in record.policies):
            continue
        if record.graph.id in large or record.model == PRACTICE:
            continue
        place = (record.convolution, record.aggregation, record.model)
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
                model=record.model,
                block_numbers=list(range(1, len(trace.block_events))),
                block_bytes=trace.at_blocks(),
                block_peaks=trace.within_blocks(),
                block_degrees=_block_degrees(record) if len(trace.block_events) else [],
            )
        )
    return shown


def _block_degrees(record: CellRecord) -> list[float]:
    """Return how many neighbours of a node each block reads: a Vision GNN's own, else the graph's."""
    layers: int = record.architecture["num_layers"]
    if record.graph.family == "images":
        return [float(k) for k, _ in neighbours_by_block(round(record.graph.average_degree), layers)]
    return [record.graph.average_degree] * layers


def thinned(trace: ByteTrace, most: int = 400) -> tuple[list[float], list[int]]:
    """Return at most `most` points of the trace; forward and backward keep their ends and each bucket's extremes."""
    cut = trace.forward_events
    kept = [*_extremes(trace.live_bytes[:cut], most // 2), *(cut + _extremes(trace.live_bytes[cut:], most // 2))]
    return trace.seconds[kept].tolist(), trace.live_bytes[kept].tolist()


def _extremes(values: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Return positions of first, last, and of the lowest and highest value of each of `most / 2 - 1` buckets."""
    if len(values) <= most:
        return np.arange(len(values))
    edges = np.linspace(0, len(values), most // 2, dtype=np.int64)
    buckets = [(start, values[start:stop]) for start, stop in pairwise(edges)]
    found = [start + position(bucket) for start, bucket in buckets for position in (np.argmin, np.argmax)]
    return np.unique(np.array([0, *found, len(values) - 1], dtype=np.int64))
