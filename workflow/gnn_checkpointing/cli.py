"""The command line: `python -m gnn_checkpointing <command>`; each command is one rule and works by hand too."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from gnn_checkpointing import __version__
from gnn_checkpointing.refusal import Refusal

# Heavy imports stay inside the commands: planning a study must not wait for torch, nor rendering for statistics.


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; bad input is one sentence on standard error and exit code 2."""
    parsed = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], None] = parsed.run
    try:
        command(parsed)
    except Refusal as refusal:
        print(f"error: {refusal}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m gnn_checkpointing",
        description="What gradient checkpointing does to memory and throughput of GNNs, measured across densities.",
        epilog="example: python -m gnn_checkpointing design --study config.yaml",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for run, options in (
        (design, ("study",)),
        (schema, ()),
        (hardware, ("study", "output")),
        (graph, ("study", "graph", "output")),
        (describe, ("csv",)),
        (measure, ("study", "graph", "graph_file", "output", "log", "detached")),
        (train, ("study", "graph", "convolution", "graph_file", "output")),
        (demonstrate, ("output",)),
        (demonstration, ("step", "benchmark", "output")),
        (collect, ("study", "measurements", "output", "traces", "graphs", "records")),
        (analyse, ("study", "table", "training", "output_folder")),
        (judge, ("study", "analysis", "output")),
        (
            report,
            (
                "study",
                "hardware_file",
                "table",
                "analysis",
                "claims",
                "graphs",
                "traces",
                "demonstration",
                "records",
                "templates",
                "output_folder",
            ),
        ),
        (index, ("reports", "templates", "output")),
    ):
        summary = (run.__doc__ or "").splitlines()[0]
        command = commands.add_parser(run.__name__, help=summary, description=summary)
        for option in options:
            _OPTIONS[option](command)
        command.set_defaults(run=run)
    return parser


def _path(name: str, text: str) -> Callable[[argparse.ArgumentParser], None]:
    def add(parser: argparse.ArgumentParser) -> None:
        parser.add_argument(f"--{name}", type=Path, required=True, metavar="PATH", help=text)

    return add


def _add_study(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--study", type=Path, default=Path("config.yaml"), metavar="FILE", help="study file (default: %(default)s)"
    )


def _add_graph(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--graph", required=True, metavar="ID", help="a graph's id; `design` lists them")


def _add_convolution(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--convolution", required=True, help="one of the study's convolutions")


def _add_measurements(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--measurements", type=Path, required=True, metavar="FOLDER", help="folder with a folder of records per graph"
    )


def _add_training(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--training", type=Path, nargs="*", default=[], metavar="FILE", help="records of training jobs")


def _add_log(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--log", type=Path, metavar="FILE", help="what the measured process prints (default: nowhere)")


def _add_detached(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--detached", action="store_true", help="go on when whoever started this command is gone (default: stop)"
    )


_OPTIONS: dict[str, Callable[[argparse.ArgumentParser], None]] = {
    "study": _add_study,
    "graph": _add_graph,
    "convolution": _add_convolution,
    "measurements": _add_measurements,
    "training": _add_training,
    "log": _add_log,
    "detached": _add_detached,
    "csv": _path("csv", "folder with edges.csv, features.csv and labels.csv"),
    "graph_file": _path("graph-file", "the graph's .npz"),
    "hardware_file": _path("hardware-file", "hardware.json of the measurements"),
    "table": _path("table", "measurements.csv"),
    "analysis": _path("analysis", "folder that `analyse` wrote"),
    "step": _path("step", "what `demonstrate` wrote"),
    "benchmark": _path("benchmark", "benchmark file that Snakemake wrote of `demonstrate`"),
    "claims": _path("claims", "claims.json"),
    "graphs": _path("graphs", "graphs.json: what every graph looks like and where it is from"),
    "traces": _path("traces", "traces.json: live bytes over one step"),
    "demonstration": _path("demonstration", "demonstration.json: what other instruments say of one run"),
    "records": _path("records", "records.jsonl.gz: every record whole, one a line"),
    "templates": _path("templates", "folder of templates"),
    "reports": _path("reports", "folder of all reports, <hardware>/<study>/ below it"),
    "output": _path("output", "file to be written"),
    "output_folder": _path("output-folder", "folder to be written"),
}


def design(options: argparse.Namespace) -> None:
    """Print the study's cells in the order they are measured, one line each."""
    from gnn_checkpointing.design import graph_cells, measuring_priority
    from gnn_checkpointing.graph_design import study_graphs
    from gnn_checkpointing.study import read_study

    study = read_study(options.study)
    specs = sorted(study_graphs(study), key=lambda spec: -measuring_priority(study, spec.id))
    print("cell\tgraph\tconvolution\tpolicies")
    for spec in specs:
        for cell in graph_cells(study, spec.id):
            print(cell.id, spec.id, cell.convolution, ", ".join(study.policies), sep="\t")


def schema(options: argparse.Namespace) -> None:  # noqa: ARG001 - takes no options
    """Print the JSON schema of a study file."""
    from gnn_checkpointing.study import study_schema

    print(json.dumps(study_schema(), indent=2))


def hardware(options: argparse.Namespace) -> None:
    """Write what this machine is: slug, label, processor, memory, versions."""
    from gnn_checkpointing.artefacts import write_json
    from gnn_checkpointing.measurement.hardware import hardware_record
    from gnn_checkpointing.study import read_study

    write_json(options.output, hardware_record(read_study(options.study)))


def graph(options: argparse.Namespace) -> None:
    """Draw or load one graph of the study and write it as .npz."""
    from gnn_checkpointing.graph_design import graph_spec
    from gnn_checkpointing.graphs.make import make_graph
    from gnn_checkpointing.graphs.storage import save_graph
    from gnn_checkpointing.measurement.exclusive import machine
    from gnn_checkpointing.study import read_study

    spec = graph_spec(read_study(options.study), options.graph)
    with machine(shared=True):
        save_graph(options.output, make_graph(spec))


def describe(options: argparse.Namespace) -> None:
    """Print what a folder of three CSV files holds, or which line of them is wrong."""
    from gnn_checkpointing.graphs.description import described

    print("\n".join(described(options.csv)))


def measure(options: argparse.Namespace) -> None:
    """Measure every cell of one graph: all policies side by side, alone on the machine."""
    from gnn_checkpointing.graph_design import graph_spec
    from gnn_checkpointing.measurement.exclusive import Asker
    from gnn_checkpointing.measurement.hardware import hardware_slug
    from gnn_checkpointing.measurement.progress import Progress
    from gnn_checkpointing.measurement.supervise import COMPLETE, measure_graph
    from gnn_checkpointing.study import read_study

    asker = Asker()
    study = read_study(options.study)
    graph_spec(study, options.graph)
    if options.output.name != COMPLETE:
        raise Refusal(f"--output {options.output}: the file must be called {COMPLETE}; records are written beside it")
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
    from gnn_checkpointing.artefacts import write_json
    from gnn_checkpointing.design import training_cell
    from gnn_checkpointing.graph_design import graph_spec
    from gnn_checkpointing.graphs.storage import load_graph
    from gnn_checkpointing.measurement.exclusive import Asker, machine
    from gnn_checkpointing.records import REORDERED
    from gnn_checkpointing.study import read_study
    from gnn_checkpointing.training.job import Job
    from gnn_checkpointing.training.job import train as trained
    from gnn_checkpointing.training.state import state_name

    asker = Asker()
    study = read_study(options.study)
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

    loaded = load_graph(options.graph_file)
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


def demonstrate(options: argparse.Namespace) -> None:
    """Run one step of known peak memory and write what right and wrong instruments say of it."""
    from gnn_checkpointing.artefacts import write_json
    from gnn_checkpointing.measurement.demonstrate import step_demonstration
    from gnn_checkpointing.measurement.exclusive import machine

    with machine(shared=True):
        write_json(options.output, step_demonstration().model_dump(mode="json"))


def demonstration(options: argparse.Namespace) -> None:
    """Join what `demonstrate` found with Snakemake's benchmark of it."""
    from gnn_checkpointing.artefacts import write_json
    from gnn_checkpointing.measurement.demonstrate import with_benchmark
    from gnn_checkpointing.records import read_step_demonstration

    joined = with_benchmark(read_step_demonstration(options.step), options.benchmark)
    write_json(options.output, joined.model_dump(mode="json"))


def collect(options: argparse.Namespace) -> None:
    """Gather all records of a study into measurements.csv, records.jsonl.gz, graphs.json and traces.json."""
    from gnn_checkpointing.artefacts import write_json
    from gnn_checkpointing.graph_design import study_graphs
    from gnn_checkpointing.graph_facts import GraphList
    from gnn_checkpointing.measurement.byte_trace import read_byte_traces
    from gnn_checkpointing.measurement.collect import cell_rows, cell_traces, traced_cells
    from gnn_checkpointing.measurement.supervise import COMPLETE, completed_records, traces_file
    from gnn_checkpointing.measurements_table import write_table
    from gnn_checkpointing.records import Traces, write_records
    from gnn_checkpointing.study import read_study

    study = read_study(options.study)
    files = [options.measurements / spec.id / COMPLETE for spec in study_graphs(study)]
    records = [record for file in files for record in completed_records(file)]
    shown = []
    for record in traced_cells(records, study.measurement.allocators[0]):
        path = traces_file(options.measurements / record.graph.id, record.cell)
        shown += cell_traces(record, read_byte_traces(path)) if path.exists() else []
    graphs = list({record.graph.id: record.graph for record in records}.values())
    write_json(options.graphs, GraphList(graphs=graphs).model_dump(mode="json"))
    write_json(options.traces, Traces(traces=shown).model_dump(mode="json"))
    write_records(options.records, records)
    write_table(options.output, [row for record in records for row in cell_rows(record, study.analysis)])


def analyse(options: argparse.Namespace) -> None:
    """Fit laws, pair effects, test interactions; write a JSON file each."""
    from gnn_checkpointing.analysis.analyse import analyse as analysed
    from gnn_checkpointing.analysis.analyse import write_analysis
    from gnn_checkpointing.artefacts import read_json
    from gnn_checkpointing.graph_design import derived_seed
    from gnn_checkpointing.measurements_table import read_table
    from gnn_checkpointing.records import TrainingRecord
    from gnn_checkpointing.study import read_study

    study = read_study(options.study)
    trainings = [TrainingRecord.model_validate(values) for file in options.training for values in read_json(file)]
    findings = analysed(
        read_table(options.table),
        trainings,
        reference_allocator=study.measurement.allocators[0],
        confidence=study.analysis.confidence,
        resamples=study.analysis.resamples,
        ratio_half_width=study.measurement.ratio_half_width,
        seed=derived_seed(study.seed, "analysis"),
    )
    write_analysis(options.output_folder, findings)


def judge(options: argparse.Namespace) -> None:
    """Judge every claim by its rule; write claims.json."""
    from gnn_checkpointing.analysis.analyse import read_analysis
    from gnn_checkpointing.artefacts import write_json
    from gnn_checkpointing.claims.judge import judge as judged
    from gnn_checkpointing.measurement.hardware import hardware_slug
    from gnn_checkpointing.study import read_study

    study = read_study(options.study)
    results = read_analysis(options.analysis)
    ledger = judged(results, study.name, hardware_slug(study))
    write_json(options.output, ledger.model_dump(mode="json"))


def report(options: argparse.Namespace) -> None:
    """Render report.html and report.pdf, with the data beside them."""
    from gnn_checkpointing.analysis.analyse import read_analysis
    from gnn_checkpointing.artefacts import read_json
    from gnn_checkpointing.claims.answer import answer
    from gnn_checkpointing.claims.ledger import read_ledger
    from gnn_checkpointing.graph_facts import read_graphs
    from gnn_checkpointing.measurements_table import read_table
    from gnn_checkpointing.records import read_demonstration, read_traces
    from gnn_checkpointing.report.inputs import report_inputs
    from gnn_checkpointing.report.render import Sources, render_report
    from gnn_checkpointing.study import read_study

    findings, ledger = read_analysis(options.analysis), read_ledger(options.claims)
    inputs = report_inputs(
        read_study(options.study),
        read_json(options.hardware_file),
        read_table(options.table),
        findings,
        ledger,
        answer(ledger, findings),
        read_graphs(options.graphs),
        read_traces(options.traces),
        read_demonstration(options.demonstration),
    )
    sources = Sources(
        measurements=options.table,
        claims=options.claims,
        graphs=options.graphs,
        traces=options.traces,
        demonstration=options.demonstration,
        records=options.records,
        hardware=options.hardware_file,
        study=options.study,
    )
    render_report(inputs, sources, options.templates, options.output_folder)


def index(options: argparse.Namespace) -> None:
    """Write the index of all machines and studies that have a report."""
    from gnn_checkpointing.report.index import render_index

    render_index(options.reports, options.templates, options.output)
