"""Everything that was measured of a study, gathered into the files that the analysis and the report read."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gnn_checkpointing.artefacts import read_json, seal, whole_file, write_json
from gnn_checkpointing.collecting.rows import cell_rows, process_spreads, with_hosts
from gnn_checkpointing.collecting.traces import cell_traces, traced_cells
from gnn_checkpointing.measurement.supervise import COMPLETE, completed_records
from gnn_checkpointing.records.cell import CellRecord, write_records
from gnn_checkpointing.records.graph_facts import GraphFacts, GraphList
from gnn_checkpointing.records.measurements_table import write_table
from gnn_checkpointing.records.traces import Traces, byte_traces_file, read_byte_traces
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.graph_design import GraphSpec, place
from gnn_checkpointing.study.order import visits

if TYPE_CHECKING:
    from gnn_checkpointing.study.study import Study

PACKED = "cells.zip"
"""A graph's records and traces in one file, which a workflow can hand from one machine to another."""


def pack_cells(complete: Path) -> None:
    """Write `cells.zip` beside a `complete.json`, with the files that it lists."""
    folder = complete.parent
    with whole_file(folder / PACKED) as stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in _listed(complete):
            archive.write(folder / name, name)


def unpack_cells(complete: Path) -> None:
    """Take from `cells.zip` the listed files that are not there; whoever reads them checks what they hold."""
    folder = complete.parent
    if not (folder / PACKED).exists():
        return
    missing = [name for name in _listed(complete) if not (folder / name).exists()]
    try:
        with zipfile.ZipFile(folder / PACKED) as archive:
            for name in missing:
                archive.extract(name, folder)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise Refusal(f"{folder / PACKED}: not readable ({error}); delete {folder} and measure again") from None


def _listed(complete: Path) -> list[str]:
    listed = read_json(complete)
    return [*listed["cells"], *listed["traces"]]


def collect(study: Study, measurements: Path, training: Sequence[Path], to: Path) -> None:
    """Write into the folder `to` what the records below `measurements` and those of training jobs hold."""
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
    graphs = list({record.graph.id: record.graph for record in records}.values())
    write_json(to / "graphs.json", GraphList(graphs=graphs).model_dump(mode="json"))
    write_json(to / "traces.json", Traces(traces=shown).model_dump(mode="json"))
    write_json(to / "trainings.json", [job for file in training for job in read_json(file)])
    write_records(to / "records.jsonl", records)
    spreads = process_spreads(records)
    rows = [row for record in records for row in cell_rows(record, study.analysis, spreads[record.allocator])]
    write_table(to / "measurements.csv", with_hosts(rows, records))
    seal(*(to / name for name in ("measurements.csv", "traces.json", "graphs.json", "records.jsonl", "trainings.json")))


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
