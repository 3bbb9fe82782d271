"""Gather all measurements of a study into the files that the analysis and the report read."""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gnn_checkpointing.artefacts import seal, whole_file, write_json
from gnn_checkpointing.collecting.rows import table_rows
from gnn_checkpointing.measurement.supervise import COMPLETE, completed_records
from gnn_checkpointing.packed import MOST_BYTES, bounded_bytes
from gnn_checkpointing.records.cell import CellRecord, read_complete, write_records
from gnn_checkpointing.records.graph_facts import GraphFacts, GraphList
from gnn_checkpointing.records.jobs import read_trainings
from gnn_checkpointing.records.measurements_table import write_table
from gnn_checkpointing.records.policy import Memory
from gnn_checkpointing.records.traces import ByteTrace, Trace, Traces, byte_traces_file, read_byte_traces
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.convolutions import neighbours_by_block
from gnn_checkpointing.study.design import visits
from gnn_checkpointing.study.graph_design import GraphSpec, large_graphs, place
from gnn_checkpointing.study.settings import PRACTICE

if TYPE_CHECKING:
    from gnn_checkpointing.study.study import Study

PACKED = "cells.zip"
"""Name of the file with all of a graph's records and traces, which a workflow can pass between machines."""


def pack_cells(complete: Path) -> None:
    """Write `cells.zip` beside a `complete.json`, with the files that it lists."""
    folder = complete.parent
    with whole_file(folder / PACKED) as stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in _listed(complete):
            archive.write(folder / name, name)


def unpack_cells(complete: Path) -> None:
    """Extract from `cells.zip` the listed files that are missing; their content is checked when they are read."""
    folder = complete.parent
    if not os.path.lexists(folder / PACKED):
        return
    missing = [name for name in _listed(complete) if not (folder / name).exists()]
    try:
        with zipfile.ZipFile(BytesIO(bounded_bytes(folder / PACKED))) as archive:
            if sum(archive.getinfo(name).file_size for name in missing) > MOST_BYTES:
                raise ValueError(f"its files have more than {MOST_BYTES} bytes")
            for name in missing:
                with whole_file(folder / name) as stream:
                    stream.write(archive.read(name))
    except (OSError, KeyError, ValueError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise Refusal(f"{folder / PACKED}: not readable ({error}); delete {folder} and measure again") from None


def _listed(complete: Path) -> list[str]:
    listed = read_complete(complete)
    return [*listed.cells, *listed.traces]


def collect(study: Study, measurements: Path, training: Sequence[Path], to: Path) -> None:
    """Write the content of the records below `measurements` and of the training records into the folder `to`."""
    files = [made_of(visit.graph, measurements, visit.ending) / COMPLETE for visit in visits(study)]
    for file in files:
        unpack_cells(file)
    read = [(file.parent, record) for file in files for record in completed_records(file)]
    _refuse_strangers(study, read)
    records = [record for _, record in read]
    folders = {record.cell: folder for folder, record in read if not record.visit}
    shown = []
    for record in traced_cells([record for record in records if not record.visit], study):
        path = byte_traces_file(folders[record.cell], record.cell)
        shown += cell_traces(record, read_byte_traces(path)) if path.exists() else []
    jobs = [job.model_dump(mode="json") for file in training for job in read_trainings(file)]
    graphs = list({record.graph.id: record.graph for record in records}.values())
    rows = table_rows(records, study.analysis)
    write_json(to / "graphs.json", GraphList(graphs=graphs).model_dump(mode="json"))
    write_json(to / "traces.json", Traces(traces=shown).model_dump(mode="json"))
    write_json(to / "trainings.json", jobs)
    write_records(to / "records.jsonl", records)
    write_table(to / "measurements.csv", rows)
    seal(*(to / name for name in ("measurements.csv", "traces.json", "graphs.json", "records.jsonl", "trainings.json")))


def made_of(spec: GraphSpec, folder: Path, ending: str = "") -> Path:
    """Path of a graph's results: named by its place, or by its id in a folder that was filled by hand."""
    found = folder / f"{place(spec)}{ending}"
    return found if found.exists() else folder / f"{spec.id}{ending}"


def _refuse_strangers(study: Study, read: list[tuple[Path, CellRecord]]) -> None:
    """Refuse records of another study, another machine or another graph."""
    graphs: dict[str, GraphFacts] = {}
    for folder, record in read:
        wrong = None
        if record.study != study.name:
            wrong = f"measured for the study {record.study}, not {study.name}"
        elif record.hardware != read[0][1].hardware:
            wrong = f"measured on {record.hardware}, others on {read[0][1].hardware}"
        elif graphs.setdefault(record.graph.id, record.graph) != record.graph:
            wrong = "its graph is not that of the other records"
        if wrong:
            raise Refusal(f"{folder / f'{record.cell}.json'}: {wrong}; delete its folder and measure again")


def traced_cells(records: Iterable[CellRecord], study: Study) -> list[CellRecord]:
    """Choose for each convolution, aggregation and model the cell whose byte traces are shown.

    It is the densest timed generated graph, the largest of equally dense ones, in its first draw; in a study of real
    graphs only, the graph with the most edges. The cell must be under the reference allocator, with a completed policy.
    Large graphs outside the grids and the stacks of model `PRACTICE` are left out.
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


def trace_facts(record: CellRecord, memory: Memory) -> dict[str, Any]:
    """Fields of a trace that describe its graph and the measured bytes."""
    names = ("num_nodes", "num_edges", "average_degree")
    return {
        "graph_label": record.graph.label,
        **{name: getattr(record.graph, name) for name in names},
        "resident_bytes": memory.resident_bytes,
        "saved_activation_bytes": memory.saved_activation_bytes,
        "peak_bytes": memory.activation_bytes,
    }


def cell_traces(record: CellRecord, traces: dict[str, ByteTrace]) -> list[Trace]:
    """Thinned traces of one cell, in the order of its policies."""
    shown = []
    for found in record.policies:
        if found.memory is None or found.policy not in traces:
            continue
        trace = traces[found.policy]
        seconds, live_bytes = thinned(trace)
        shown.append(
            Trace(
                **trace_facts(record, found.memory),
                graph=record.graph.id,
                convolution=record.convolution,
                aggregation=record.aggregation,
                policy=found.policy,
                events=len(trace.seconds),
                forward_ended_seconds=trace.forward_ended_seconds,
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
    """Number of neighbours of a node that each block reads: for a Vision GNN its own `k`, else the average degree."""
    layers: int = record.architecture["num_layers"]
    if record.graph.family == "images":
        return [float(k) for k, _ in neighbours_by_block(round(record.graph.average_degree), layers)]
    return [record.graph.average_degree] * layers


def thinned(trace: ByteTrace, most: int = 400) -> tuple[list[float], list[int]]:
    """At most `most` points of a trace: the ends of forward and backward, and the extremes of each bucket."""
    cut = trace.forward_events
    kept = [*_extremes(trace.live_bytes[:cut], most // 2), *(cut + _extremes(trace.live_bytes[cut:], most // 2))]
    return trace.seconds[kept].tolist(), trace.live_bytes[kept].tolist()


def _extremes(values: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Positions of the first and last value, and of the lowest and highest value of each of `most / 2 - 1` buckets."""
    if len(values) <= most:
        return np.arange(len(values))
    edges = np.linspace(0, len(values), most // 2, dtype=np.int64)
    buckets = [(start, values[start:stop]) for start, stop in pairwise(edges)]
    found = [start + position(bucket) for start, bucket in buckets for position in (np.argmin, np.argmax)]
    return np.unique(np.array([0, *found, len(values) - 1], dtype=np.int64))
