"""The options of all commands: a name means the same file or choice wherever it is taken."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path


def add_option(parser: argparse.ArgumentParser, name: str) -> None:
    """Add the option of that name to a command's parser."""
    _OPTIONS[name](parser)


def _path(name: str, text: str) -> Callable[[argparse.ArgumentParser], None]:
    def add(parser: argparse.ArgumentParser) -> None:
        parser.add_argument(f"--{name}", type=Path, required=True, metavar="PATH", help=text)

    return add


def _add_study(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--study", type=Path, default=Path("config.yaml"), metavar="FILE", help="study file (default: %(default)s)"
    )


def _add_of(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--of", choices=("study", "claims"), default="study", help="a study file or claims.json (default: %(default)s)"
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


def _add_type_of_machine(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--hardware-file",
        type=Path,
        metavar="FILE",
        help="hardware.json of the results: another type of machine is refused (default: any will do)",
    )


def _add_detached(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--detached", action="store_true", help="go on when whoever started this command is gone (default: stop)"
    )


def _add_planner(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--planner",
        type=Path,
        metavar="FILE",
        help="planner.json of a report, or report/<hardware> for all its studies (default: the one machine's)",
    )


def _add_explanations(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--explanations",
        type=Path,
        metavar="FILE",
        help="explained.json: a trained Vision GNN on images (default: the study has none)",
    )


def _add_benchmark(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--benchmark",
        type=Path,
        metavar="FILE",
        help="benchmark file that Snakemake wrote of `demonstrate` (default: it was run by hand)",
    )


def _add_encodings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--encodings",
        type=Path,
        metavar="FILE",
        help="encodings.json: what counting ego networks cost (default: the study has none)",
    )


def _add_explained(parser: argparse.ArgumentParser) -> None:
    """Add what `explain` is given: images, masks, weights and the model that these belong to."""
    given = parser.add_argument_group("what is explained")
    given.add_argument("--images", type=Path, required=True, metavar="FOLDER", help="a folder of images for each class")
    given.add_argument(
        "--masks", type=Path, metavar="FOLDER", help="masks: as the images, each a .png of the same name"
    )
    given.add_argument(
        "--weights", type=Path, required=True, metavar="FILE", help="ViG weights in the published layout"
    )
    given.add_argument("--classes", type=Path, metavar="FILE", help="the model's classes, a folder's name a line")
    given.add_argument("--label", metavar="TEXT", help="name of the set of images (default: that of its folder)")
    model = parser.add_argument_group("the model that the weights belong to")
    model.add_argument("--size", choices=("ti", "s", "b"), default="s", help="ViG-Ti, S or B (default: %(default)s)")
    model.add_argument("--k", type=int, default=9, help="neighbours in the first block (default: %(default)s)")
    model.add_argument("--side", type=int, default=224, metavar="PIXELS", help="of an image (default: %(default)s)")
    run = parser.add_argument_group("how it runs")
    run.add_argument(
        "--batch", type=_at_least_one, default=16, metavar="N", help="images at once (default: %(default)s)"
    )
    run.add_argument("--most", type=_at_least_one, metavar="N", help="so many images, the first by path (default: all)")
    run.add_argument("--threads", type=_at_least_one, default=1, metavar="N", help="(default: %(default)s)")
    run.add_argument("--output-folder", type=Path, required=True, metavar="FOLDER", help="where the results go")


def _at_least_one(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text}: allowed are whole numbers from 1")
    return value


def _add_folders(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER", help="a report: report/<hardware>/<study>")


def _add_asked(parser: argparse.ArgumentParser) -> None:
    """Add what a plan is asked for: the graph, the model, the memory, and how the answer is given."""
    graph = parser.add_argument_group("the graph, one of")
    graph.add_argument("--nodes", type=int, metavar="N", help="its nodes, with --edges")
    graph.add_argument("--edges", type=int, metavar="E", help="its directed edges: an undirected one counts twice")
    graph.add_argument("--known", metavar="NAME", help="a real graph by name, such as Reddit; another name lists all")
    graph.add_argument("--npz", type=Path, metavar="FILE", help="a graph's .npz, as `graph` writes it")
    model = parser.add_argument_group("the model (default: as measured)")
    model.add_argument("--convolution", required=True, help="one that the study has laws for, such as GATv2")
    model.add_argument("--self-loops", action="store_true", help="add an edge from each node to itself")
    model.add_argument("--attention-dropout", action="store_true", help="drop shares of attention (GAT, GATv2)")
    model.add_argument("--layers", type=int, metavar="L", help="convolution layers")
    model.add_argument("--channels", type=int, metavar="F", help="channels of each layer, heads concatenated")
    model.add_argument("--heads", type=int, metavar="H", help="attention heads")
    model.add_argument("--features", type=int, metavar="D", help="input features of a node")
    parser.add_argument("--memory-gib", type=float, required=True, metavar="GIB", help="memory of a training step")
    parser.add_argument(
        "--exact", action="store_true", help="also find eager policies' peaks by fake tensors (needs torch)"
    )
    parser.add_argument("--json", action="store_true", help="print values instead of a table")


_OPTIONS: dict[str, Callable[[argparse.ArgumentParser], None]] = {
    "study": _add_study,
    "of": _add_of,
    "graph": _add_graph,
    "convolution": _add_convolution,
    "measurements": _add_measurements,
    "training": _add_training,
    "log": _add_log,
    "detached": _add_detached,
    "type_of_machine": _add_type_of_machine,
    "planner": _add_planner,
    "asked": _add_asked,
    "folders": _add_folders,
    "explained": _add_explained,
    "explanations": _add_explanations,
    "encodings": _add_encodings,
    "graph_files": _path("graph-files", "folder of the graphs' .npz"),
    "csv": _path("csv", "folder with edges.csv, features.csv and labels.csv"),
    "graph_file": _path("graph-file", "the graph's .npz"),
    "hardware_file": _path("hardware-file", "hardware.json of the measurements"),
    "table": _path("table", "measurements.csv"),
    "analysis": _path("analysis", "folder that `analyse` wrote"),
    "step": _path("step", "what `demonstrate` wrote"),
    "benchmark": _add_benchmark,
    "trainings": _path("trainings", "trainings.json: the records of all training jobs"),
    "claims": _path("claims", "claims.json"),
    "audit": _path("audit", "audit.json: the checks of everything above"),
    "planner_file": _path("planner-file", "planner.json: what a planner knows after the study"),
    "graphs": _path("graphs", "graphs.json: what every graph looks like and where it is from"),
    "traces": _path("traces", "traces.json: live bytes over one step"),
    "demonstration": _path("demonstration", "demonstration.json: what other instruments say of one run"),
    "records": _path("records", "records.jsonl.gz: every record whole, one a line"),
    "frozen": _path("frozen", "folder of a published report: report/<hardware>/<study>"),
    "templates": _path("templates", "folder of templates"),
    "reports": _path("reports", "folder of all reports, <hardware>/<study>/ below it"),
    "output": _path("output", "file to be written"),
    "output_folder": _path("output-folder", "folder to be written"),
}
