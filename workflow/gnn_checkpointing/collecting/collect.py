"""Everything that was measured of a study, gathered into the files that the analysis and the report read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gnn_checkpointing.artefacts import read_json, seal, write_json
from gnn_checkpointing.collecting.packed_cells import unpack_cells
from gnn_checkpointing.collecting.rows import cell_rows, process_spreads, with_hosts
from gnn_checkpointing.collecting.traces import cell_traces, traced_cells
from gnn_checkpointing.measurement.byte_trace import read_byte_traces
from gnn_checkpointing.measurement.supervise import COMPLETE, completed_records
from gnn_checkpointing.measurement.supervise import traces_file as byte_traces
from gnn_checkpointing.records.cell import CellRecord, write_records
from gnn_checkpointing.records.graph_facts import GraphFacts, GraphList
from gnn_checkpointing.records.measurements_table import write_table
from gnn_checkpointing.records.traces import Traces
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.graph_design import GraphSpec, place
from gnn_checkpointing.study.order import visits

if TYPE_CHECKING:
    from gnn_checkpointing.study.study import Study


def collect(study: Study, measurements: Path, training: Sequence[Path], to: Path) -> None:
    """Write into the folder `to` what the records below `measurements` and those of training jobs hold."""
    table, records_file = to / "measurements.csv", to / "records.jsonl"
    graphs_file, traces_file, trainings_file = to / "graphs.json", to / "traces.json", to / "trainings.json"
    files = [made_of(visit.graph, measurements, visit.ending) / COMPLETE for visit in visits(study)]
    for file in files:
        unpack_cells(file)
    read = [(file.parent, record) for file in files for record in completed_records(file)]
    _refuse_strangers(study, read)
    records = [record for _, record in read]
    folders = {record.cell: folder for folder, record in read if not record.visit}
    shown = []
    for record in traced_cells([record for record in records if not record.visit], study):
        path = byte_traces(folders[record.cell], record.cell)
        shown += cell_traces(record, read_byte_traces(path)) if path.exists() else []
    graphs = list({record.graph.id: record.graph for record in records}.values())
    write_json(graphs_file, GraphList(graphs=graphs).model_dump(mode="json"))
    write_json(traces_file, Traces(traces=shown).model_dump(mode="json"))
    write_json(trainings_file, [job for file in training for job in read_json(file)])
    write_records(records_file, records)
    spreads = process_spreads(records)

    rows = [row for record in records for row in cell_rows(record, study.analysis, spreads[record.allocator])]
    write_table(table, with_hosts(rows, records))
    seal(table, traces_file, graphs_file, records_file, trainings_file)


def made_of(spec: GraphSpec, folder: Path, ending: str = "") -> Path:
    """Where the results of a graph are: by its place, or by its id in a folder that was filled by hand."""
    found = folder / f"{place(spec)}{ending}"
    return found if found.exists() else folder / f"{spec.id}{ending}"


def _refuse_strangers(study: Study, read: list[tuple[Path, CellRecord]]) -> None:
    """Refuse records of another study, another machine or another graph, however they came among these."""
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
