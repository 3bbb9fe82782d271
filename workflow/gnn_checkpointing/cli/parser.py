"""The parser of the command line: every command with its options; a command's docstring is its help."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from gnn_checkpointing import __version__
from gnn_checkpointing.cli.commands.designing import design, hardware, schema
from gnn_checkpointing.cli.commands.explaining import explain, explanations
from gnn_checkpointing.cli.commands.graphs import describe, graph
from gnn_checkpointing.cli.commands.judging import analyse, audit, judge
from gnn_checkpointing.cli.commands.measuring import collect, demonstrate, demonstration, encode, freeze, measure, train
from gnn_checkpointing.cli.commands.planning import knowledge, plan
from gnn_checkpointing.cli.commands.publishing import compare, index, rebuild, report, validate
from gnn_checkpointing.cli.options import add_option

_OF_FINDINGS = ("study", "hardware_file", "table", "analysis", "claims", "graphs", "demonstration")
_ONLY_SOME = ("explanations", "encodings")
_BESIDE = ("audit", "planner_file", "traces", "records", "trainings", *_ONLY_SOME)

# In the order of the data, from the study to the report.
COMMANDS: tuple[tuple[Callable[[argparse.Namespace], None], tuple[str, ...]], ...] = (
    (design, ("study",)),
    (schema, ("of",)),
    (hardware, ("study", "output")),
    (graph, ("study", "graph", "output")),
    (describe, ("csv",)),
    (measure, ("study", "graph", "graph_file", "type_of_machine", "output", "log", "detached")),
    (train, ("study", "graph", "convolution", "graph_file", "output")),
    (demonstrate, ("output",)),
    (demonstration, ("step", "benchmark", "output")),
    (collect, ("study", "measurements", "training", "output", "traces", "graphs", "records", "trainings")),
    (freeze, ("study", "hardware_file", "measurements", "training", "step", *_ONLY_SOME, "output_folder")),
    (explanations, ("study", "output")),
    (encode, ("study", "graph_files", "type_of_machine", "output")),
    (analyse, ("study", "table", "trainings", "explanations", "encodings", "output_folder")),
    (judge, ("study", "hardware_file", "analysis", "output")),
    (audit, (*_OF_FINDINGS, "output")),
    (knowledge, ("study", "hardware_file", "analysis", "graphs", "output")),
    (report, (*_OF_FINDINGS, *_BESIDE, "templates", "output_folder")),
    (rebuild, ("frozen", "templates", "output_folder")),
    (validate, ("folders",)),
    (compare, ("reports", "templates", "output_folder")),
    (index, ("reports", "templates", "output")),
    (plan, ("planner", "asked")),
    (explain, ("explained",)),
)


def parser() -> argparse.ArgumentParser:
    """Return the parser; what it parses has the command's function as `run`."""
    made = argparse.ArgumentParser(
        prog="python -m gnn_checkpointing",
        description="What gradient checkpointing does to memory and throughput of GNNs, measured across densities.",
        epilog="example: python -m gnn_checkpointing design --study config.yaml",
    )
    made.add_argument("--version", action="version", version=__version__)
    commands = made.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for run, options in COMMANDS:
        summary = (run.__doc__ or "").splitlines()[0]
        command = commands.add_parser(run.__name__, help=summary, description=summary)
        for option in options:
            add_option(command, option)
        command.set_defaults(run=run)
    return made
