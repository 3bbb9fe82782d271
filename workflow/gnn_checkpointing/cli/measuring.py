"""Commands that run on the machine and gather what was run: cells, training jobs, the demonstrated step."""

from pathlib import Path
from typing import Annotated

from gnn_checkpointing.artefacts import read_json, write_json, write_sealed
from gnn_checkpointing.cli import app as options
from gnn_checkpointing.cli.app import STUDY, says
from gnn_checkpointing.collecting import collect as gathered
from gnn_checkpointing.collecting import made_of, pack_cells
from gnn_checkpointing.graphs.storage import load_graph
from gnn_checkpointing.measurement.demonstrate import step_demonstration, with_benchmark
from gnn_checkpointing.measurement.exclusive import asker, machine
from gnn_checkpointing.measurement.forked import leave_to_server
from gnn_checkpointing.measurement.hardware import hardware_slug, refuse_another_type, this_host
from gnn_checkpointing.measurement.progress import Progress
from gnn_checkpointing.measurement.supervise import COMPLETE, measure_graph
from gnn_checkpointing.records.graph_facts import read_encodings
from gnn_checkpointing.records.jobs import read_explained, read_step_demonstration
from gnn_checkpointing.records.record import machine_of
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.contents import refuse_other_contents
from gnn_checkpointing.study.graph_design import encoded_graphs, graph_spec
from gnn_checkpointing.study.reading import read_study, read_study_to_measure


def measure(
    *,
    study: options.Study = STUDY,
    graph: options.GraphId,
    graph_file: options.GraphFile,
    hardware_file: options.TypeOfMachine = None,
    output: options.Output,
    log: Annotated[Path, says("what the measured process prints")] = Path("/dev/null"),
    visit: options.Visit = 0,
    detached: Annotated[bool, says("go on when whoever started this command is gone (default: stop)")] = False,
) -> None:
    is_wanted, read = asker(), read_study_to_measure(study)
    graph_spec(read, graph)
    if output.name != COMPLETE:
        raise Refusal(f"--output {output}: the file must be called {COMPLETE}; records are written beside it")
    if hardware_file is not None:
        refuse_another_type(this_host(read), hardware_file, read.measurement.device)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as stream:
        measure_graph(
            read,
            graph,
            graph_file,
            output.parent,
            hardware_slug(read),
            stream,
            still_wanted=lambda: detached or is_wanted(),
            progress=Progress(read, output.parent.parent, output.parent.name),
            visit=visit,
        )
    pack_cells(output)


def train(
    *,
    study: options.Study = STUDY,
    graph: options.GraphId,
    convolution: Annotated[str, says("one of the study's convolutions")],
    graph_file: options.GraphFile,
    output: options.Output,
) -> None:
    is_wanted, read = asker(), read_study_to_measure(study)
    leave_to_server(read)
    from gnn_checkpointing.training import train_under_every_policy

    with machine(shared=True):
        records = train_under_every_policy(read, graph, convolution, graph_file, output, is_wanted)
    write_sealed(output, records)


def demonstrate(*, output: options.Output) -> None:
    with machine(shared=True):
        write_sealed(output, step_demonstration().model_dump(mode="json"))


def demonstration(
    *,
    step: options.Step,
    benchmark: Annotated[
        Path | None, says("Snakemake's benchmark of `demonstrate` (default: it was run by hand)")
    ] = None,
    output: options.Output,
) -> None:
    write_sealed(output, with_benchmark(read_step_demonstration(step), benchmark).model_dump(mode="json"))


def encode(
    *,
    study: options.Study = STUDY,
    graph_files: Annotated[Path, says("folder of the graphs' .npz")],
    hardware_file: options.TypeOfMachine = None,
    output: options.Output,
) -> None:
    from gnn_checkpointing.measurement.encoding_cost import encoding_cost

    read, found = read_study(study), []
    specs = encoded_graphs(read)
    if not specs:
        raise Refusal(f"{study}: no encodings in graphs.ego; name them there, or leave this command out")
    if hardware_file is not None:
        refuse_another_type(this_host(read), hardware_file, read.measurement.device)
    with machine(shared=False):
        for number, spec in enumerate(specs, start=1):
            graph = load_graph(made_of(spec.base, graph_files, ".npz"), spec.base.id)
            cost = encoding_cost(graph, int(spec.size))
            print(f"{number} of {len(specs)}: {graph.label}, radius {spec.size}: {cost.seconds:.2f} s", flush=True)
            found.append(cost.model_dump(mode="json"))
    write_sealed(output, found)


def explanations(*, study: options.Study = STUDY, output: options.Output) -> None:
    read = read_study(study)
    if read.explained is None:
        raise Refusal(f"{study}: no key explained; name weights and images there, or leave this command out")
    leave_to_server(read)
    import torch

    from gnn_checkpointing.explaining import explanations as explained

    refuse_other_contents(read)
    torch.set_num_threads(read.measurement.threads)
    write_sealed(output, explained(read.explained, options.progress).model_dump(mode="json"))


def collect(
    *,
    study: options.Study = STUDY,
    measurements: options.Measurements,
    training: options.Training = None,
    output_folder: options.OutputFolder,
) -> None:
    gathered(read_study(study), measurements, training or [], output_folder)


def freeze(
    *,
    study: options.Study = STUDY,
    hardware_file: options.HardwareFile,
    measurements: options.Measurements,
    training: options.Training = None,
    step: options.Step,
    explanations: options.Explanations = None,
    encodings: options.Encodings = None,
    output_folder: options.OutputFolder,
) -> None:
    from gnn_checkpointing.report import inputs as published

    # What can be refused is read before anything is written.
    shown = read_study(study).model_dump(mode="json", by_alias=True, exclude_none=True)
    machine_of(read_json(hardware_file), hardware_file)
    read_step_demonstration(step)
    for file, read in ((explanations, read_explained), (encodings, read_encodings)):
        if file is not None:
            read(file)
    collect(study=study, measurements=measurements, training=training, output_folder=output_folder)
    demonstration(step=step, benchmark=None, output=output_folder / published.DEMONSTRATION)
    write_json(output_folder / published.STUDY, shown)
    write_json(output_folder / published.HARDWARE, read_json(hardware_file))
    for file, name in ((explanations, published.EXPLAINED), (encodings, published.ENCODINGS)):
        if file is not None:
            write_json(output_folder / name, read_json(file))
