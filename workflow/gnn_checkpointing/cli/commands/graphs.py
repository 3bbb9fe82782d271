"""Commands about graphs: drawing or loading one, describing a user's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from gnn_checkpointing.cli.options import STUDY, GraphId, Output, Study, says
from gnn_checkpointing.refusal import plain

if TYPE_CHECKING:
    from gnn_checkpointing.study.graph_design import GraphSpec


def graph(*, study: Study = STUDY, graph: GraphId, output: Output) -> None:
    from gnn_checkpointing.graphs.make import make_graph
    from gnn_checkpointing.graphs.storage import save_graph
    from gnn_checkpointing.measurement.exclusive import machine
    from gnn_checkpointing.measurement.forked import leave_to_server
    from gnn_checkpointing.study.graph_design import graph_spec
    from gnn_checkpointing.study.reading import read_study

    read = read_study(study)
    spec = graph_spec(read, graph)
    if _imports_torch(spec):
        leave_to_server(read)
    with machine(shared=True):
        save_graph(output, make_graph(spec))


def _imports_torch(spec: GraphSpec) -> bool:
    """Whether PyG loads the graph, or samples it."""
    from gnn_checkpointing.study.graph_design import BatchGraph, GeneratedGraph, LoadedGraph

    if isinstance(spec, BatchGraph | GeneratedGraph):
        return isinstance(spec, BatchGraph)
    return spec.source.dataset is not None if isinstance(spec, LoadedGraph) else _imports_torch(spec.base)


def describe(*, csv: Annotated[Path, says("folder with edges.csv, features.csv and labels.csv")]) -> None:
    from gnn_checkpointing.graphs.make import described

    print("\n".join(map(plain, described(csv))))
