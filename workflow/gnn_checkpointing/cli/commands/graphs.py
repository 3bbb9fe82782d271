"""Commands about graphs: drawing or loading one, describing a user's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from gnn_checkpointing.cli.options import STUDY, GraphId, Output, Study, says
from gnn_checkpointing.refusal import plain


def graph(*, study: Study = STUDY, graph: GraphId, output: Output) -> None:
    from gnn_checkpointing.graphs.make import make_graph
    from gnn_checkpointing.graphs.storage import save_graph
    from gnn_checkpointing.measurement.exclusive import machine
    from gnn_checkpointing.study.graph_design import graph_spec
    from gnn_checkpointing.study.reading import read_study

    spec = graph_spec(read_study(study), graph)
    with machine(shared=True):
        save_graph(output, make_graph(spec))


def describe(*, csv: Annotated[Path, says("folder with edges.csv, features.csv and labels.csv")]) -> None:
    from gnn_checkpointing.graphs.description import described

    print("\n".join(map(plain, described(csv))))
