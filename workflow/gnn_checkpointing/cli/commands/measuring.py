"""Commands that run on the machine and gather what was run: cells, training jobs, the demonstrated step."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from gnn_checkpointing.refusal import Refusal

if TYPE_CHECKING:
    from gnn_checkpointing.records.cell import CellRecord
    from gnn_checkpointing.records.graph_facts import GraphFacts
    from gnn_checkpointing.records.measurements_table import Value
    from gnn_checkpointing.study.graph_design import GraphSpec
    from gnn_checkpointing.study.study import Study


def measure(options: argparse.Namespace) -> None:
    """Measure every cell of one graph: all policies side by side, alone on the machine."""
    from gnn_checkpointing.measurement.exclusive import Asker
    from gnn_checkpointing.measurement.hardware import hardware_slug
    from gnn_checkpointing.measurement.host import refuse_another_type, this_host
    from gnn_checkpointing.measurement.progress import Progress
    from gnn_checkpointing.measurement.supervise import COMPLETE, measure_graph
    from gnn_checkpointing.study.graph_design import graph_spec
    from gnn_checkpointing.study.reading import read_study_to_measure

    asker = Asker()
    study = read_study_to_measure(options.study)
    graph_spec(study, options.graph)
    if options.output.name != COMPLETE:
        raise Refusal(f"--output {options.output}: the file must be called {COMPLETE}; records are written beside it")
    if options.hardware_file is not None:
        refuse_another_type(this_host(study), options.hardware_file, study.measurement.device)
    log = options.log or Path("/dev/null")
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as stream:
        measure_graph(
            study,
            options.graph,
            options.graph_file,
            options.output.parent,
            hardware_slug(study),
            stream,
            still_wanted=lambda: options.detached or asker.is_there(),
            progress=Progress(study, options.output.parent.parent, options.output.parent.name),
        )


def train(options: argparse.Namespace) -> None:
    """Train one convolution on one graph under each policy, and once more with the edges in another order."""
    from gnn_checkpointing.artefacts import seal, write_json
    from gnn_checkpointing.graphs.storage import load_graph
    from gnn_checkpointing.measurement.exclusive import Asker, machine
    from gnn_checkpointing.records.training import REORDERED
    from gnn_checkpointing.study.design import training_cell
    from gnn_checkpointing.study.graph_design import graph_spec
    from gnn_checkpointing.study.reading import read_study_to_measure
    from gnn_checkpointing.training.job import Job
    from gnn_checkpointing.training.job import train as trained
    from gnn_checkpointing.training.state import state_name

    asker = Asker()
    study = read_study_to_measure(options.study)
    graph_spec(study, options.graph)
    convolution = next((name for name in study.architecture.convolutions if name == options.convolution), None)
    if convolution is None:
        raise Refusal(
            f"--convolution {options.convolution}: the study has {', '.join(study.architecture.convolutions)}"
        )
    cell = training_cell(study, options.graph, convolution)

    def tell(epoch: int, loss: float) -> None:
        if not asker.is_there():
            raise SystemExit(1)
        if epoch % study.training.save_every == 0:
            print(f"epoch {epoch} of {study.training.epochs}, loss {loss:.4f}", flush=True)

    loaded = load_graph(options.graph_file, options.graph)
    records = []
    with machine(shared=True):
        for policy in (*study.policies, REORDERED):
            print(f"{options.convolution} under {policy}", flush=True)
            state = options.output.parent / "states" / state_name(options.output.stem, policy)
            try:
                record = trained(Job(study, cell, loaded, policy), state, tell)
            except Refusal as refusal:
                print(f"not trained: {refusal}", flush=True)
                continue
            records.append(record.model_dump(mode="json"))
    write_json(options.output, records)
    seal(options.output)


def demonstrate(options: argparse.Namespace) -> None:
    """Run one step of known peak memory and write what right and wrong instruments say of it."""
    from gnn_checkpointing.artefacts import seal, write_json
    from gnn_checkpointing.measurement.demonstrate import step_demonstration
    from gnn_checkpointing.measurement.exclusive import machine

    with machine(shared=True):
        write_json(options.output, step_demonstration().model_dump(mode="json"))
    seal(options.output)


def demonstration(options: argparse.Namespace) -> None:
    """Join what `demonstrate` found with Snakemake's benchmark of it."""
    from gnn_checkpointing.artefacts import seal, write_json
    from gnn_checkpointing.measurement.demonstrate import with_benchmark
    from gnn_checkpointing.records.demonstration import read_step_demonstration

    joined = with_benchmark(read_step_demonstration(options.step), options.benchmark)
    write_json(options.output, joined.model_dump(mode="json"))
    seal(options.output)


def encode(options: argparse.Namespace) -> None:
    """Measure what counting the ego networks of a study's graphs takes, alone on the machine."""
    from gnn_checkpointing.artefacts import seal, write_json
    from gnn_checkpointing.graphs.storage import load_graph
    from gnn_checkpointing.measurement.encoding_cost import encoding_cost
    from gnn_checkpointing.measurement.exclusive import machine
    from gnn_checkpointing.measurement.host import refuse_another_type, this_host
    from gnn_checkpointing.study.graph_design import EgoGraph, study_graphs
    from gnn_checkpointing.study.reading import read_study

    study = read_study(options.study)
    specs = [spec for spec in study_graphs(study) if isinstance(spec, EgoGraph) and spec.form == "encodings"]
    if not specs:
        raise Refusal(f"{options.study}: no encodings in graphs.ego; name them there, or leave this command out")
    if options.hardware_file is not None:
        refuse_another_type(this_host(study), options.hardware_file, study.measurement.device)
    found = []
    with machine(shared=False):
        for number, spec in enumerate(specs, start=1):
            graph = load_graph(_made_of(spec.base, options.graph_files, ".npz"), spec.base.id)
            cost = encoding_cost(graph, spec.radius)
            print(f"{number} of {len(specs)}: {graph.label}, radius {spec.radius}: {cost.seconds:.2f} s", flush=True)
            found.append(cost.model_dump(mode="json"))
    write_json(options.output, found)
    seal(options.output)


def collect(options: argparse.Namespace) -> None:
    """Gather all records of a study: measurements.csv, records.jsonl.gz, graphs.json, traces.json, trainings.json."""
    from gnn_checkpointing.artefacts import read_json, seal, write_json
    from gnn_checkpointing.collecting.rows import cell_rows, process_spreads, with_hosts
    from gnn_checkpointing.collecting.traces import cell_traces, traced_cells
    from gnn_checkpointing.measurement.byte_trace import read_byte_traces
    from gnn_checkpointing.measurement.supervise import COMPLETE, completed_records, traces_file
    from gnn_checkpointing.records.cell import write_records
    from gnn_checkpointing.records.graph_facts import GraphList
    from gnn_checkpointing.records.measurements_table import write_table
    from gnn_checkpointing.records.traces import Traces
    from gnn_checkpointing.study.graph_design import study_graphs
    from gnn_checkpointing.study.reading import read_study
    from gnn_checkpointing.two_processes import both

    study = read_study(options.study)
    files = [_made_of(spec, options.measurements) / COMPLETE for spec in study_graphs(study)]
    read = [(file.parent, record) for file in files for record in completed_records(file)]
    _refuse_strangers(study, read)
    folders, records = {record.cell: folder for folder, record in read}, [record for _, record in read]
    shown = []
    for record in traced_cells(records, study.measurement.allocators[0]):
        path = traces_file(folders[record.cell], record.cell)
        shown += cell_traces(record, read_byte_traces(path)) if path.exists() else []
    graphs = list({record.graph.id: record.graph for record in records}.values())
    write_json(options.graphs, GraphList(graphs=graphs).model_dump(mode="json"))
    write_json(options.traces, Traces(traces=shown).model_dump(mode="json"))
    write_json(options.trainings, [job for file in options.training for job in read_json(file)])
    spreads, _ = both(lambda: process_spreads(records), lambda: write_records(options.records, records))

    def rows_of(those: list[CellRecord]) -> list[dict[str, Value]]:
        return [row for record in those for row in cell_rows(record, study.analysis, spreads[record.allocator])]

    half = len(records) // 2
    first, second = both(lambda: rows_of(records[:half]), lambda: rows_of(records[half:]))
    rows = first + second
    write_table(options.output, with_hosts(rows, records))
    seal(options.output, options.traces, options.graphs, options.records, options.trainings)


def freeze(options: argparse.Namespace) -> None:
    """Lay out what was measured by hand as the folder that `rebuild` and `make report-from` take."""
    from gnn_checkpointing.artefacts import read_json, write_json
    from gnn_checkpointing.report import inputs as published
    from gnn_checkpointing.study.reading import read_study

    folder: Path = options.output_folder
    study = read_study(options.study)
    write_json(folder / published.STUDY, study.model_dump(mode="json", by_alias=True, exclude_none=True))
    write_json(folder / published.HARDWARE, read_json(options.hardware_file))
    for option, name in published.GIVEN.items():
        if file := getattr(options, option):
            write_json(folder / name, read_json(file))
    demonstration(argparse.Namespace(step=options.step, benchmark=None, output=folder / published.DEMONSTRATION))
    written = {
        "output": published.MEASUREMENTS,
        "traces": published.TRACES,
        "graphs": published.GRAPHS,
        "records": published.RECORDS,
        "trainings": published.TRAININGS,
    }
    places = {option: folder / name for option, name in written.items()}
    collect(argparse.Namespace(**{**vars(options), **places}))


def _made_of(spec: GraphSpec, folder: Path, ending: str = "") -> Path:
    """Return where what is made of a graph lies: by its place, or by its id as in a folder that was filled by hand."""
    from gnn_checkpointing.study.graph_design import place

    found = folder / f"{place(spec)}{ending}"
    return found if found.exists() else folder / f"{spec.id}{ending}"


def _refuse_strangers(study: Study, read: list[tuple[Path, CellRecord]]) -> None:
    """Refuse records of another study, another machine or another graph, however they came among these."""
    graphs: dict[str, GraphFacts] = {}
    for folder, record in read:
        path = folder / f"{record.cell}.json"
        if record.study != study.name:
            raise Refusal(
                f"{path}: measured for the study {record.study}, not {study.name}; delete its folder and measure again"
            )
        if record.hardware != read[0][1].hardware:
            raise Refusal(
                f"{path}: measured on {record.hardware}, others on {read[0][1].hardware}; delete its folder "
                "and measure again"
            )
        if graphs.setdefault(record.graph.id, record.graph) != record.graph:
            raise Refusal(f"{path}: its graph is not that of the other records; delete its folder and measure again")
