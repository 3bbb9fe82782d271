"""Commands about graphs: drawing or loading one, describing a user's own."""

from __future__ import annotations

import argparse


def graph(options: argparse.Namespace) -> None:
    """Draw or load one graph of the study and write it as .npz."""
    from gnn_checkpointing.graphs.make import make_graph
    from gnn_checkpointing.graphs.storage import save_graph
    from gnn_checkpointing.measurement.exclusive import machine
    from gnn_checkpointing.study.graph_design import graph_spec
    from gnn_checkpointing.study.reading import read_study

    spec = graph_spec(read_study(options.study), options.graph)
    with machine(shared=True):
        save_graph(options.output, make_graph(spec))


def describe(options: argparse.Namespace) -> None:
    """Print what a folder of three CSV files holds, or which line of them is wrong."""
    from gnn_checkpointing.graphs.description import described

    print("\n".join(described(options.csv)))
