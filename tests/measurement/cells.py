"""Small cells for the tests of the instrument, and graphs measured by processes of their own."""

import json
import subprocess
import sys
from pathlib import Path

import torch

from gnn_checkpointing.graphs.graph import Graph
from gnn_checkpointing.graphs.make import make_graph
from gnn_checkpointing.graphs.storage import save_graph
from gnn_checkpointing.measurement.supervise import COMPLETE, Progress, completed_records, measure_graph
from gnn_checkpointing.records.cell import CellRecord
from gnn_checkpointing.study.design import Cell, graph_cells
from gnn_checkpointing.study.graph_design import study_graphs
from gnn_checkpointing.study.study import Study
from synthetic.studies import small_study as synthetic

CPU = torch.device("cpu")


def small_study(
    convolution: str = "GATv2", policies: tuple[str, ...] = ("none", "layers"), **architecture: object
) -> Study:
    """Three layers of 16 channels on 60 nodes of degree 6."""
    measurement = {"device": "cpu", "rounds": {"at_least": 3, "at_most": 3}}
    return synthetic([convolution], policies, architecture={"heads": 2, **architecture}, measurement=measurement)


def study_of(
    nodes: int, degree: float, policies: tuple[str, ...] = ("none", "layers", "edge_blocks"), **measurement: object
) -> Study:
    """GATv2 with 64 channels as 4 heads on one graph."""
    grid = {"num_nodes": [nodes], "average_degrees": [degree], "num_features": 64}
    measuring = {"device": "cpu", "processes": 1, "rounds": {"at_least": 4, "at_most": 4}, **measurement}
    return synthetic(["GATv2"], policies, grid, {"hidden_channels": 64, "heads": 4}, measurement=measuring)


def cell_of(study: Study) -> tuple[Cell, Graph]:
    (spec,) = study_graphs(study)
    return graph_cells(study, spec)[0], make_graph(spec)


def measured(study: Study, folder: Path, progress: Progress = lambda *_: None, visit: int = 0) -> CellRecord:
    """The record of the study's one cell, measured in a folder."""
    cell, graph = cell_of(study)
    folder.mkdir(exist_ok=True)
    save_graph(folder / "graph.npz", graph)
    with (folder / "log").open("wb") as log:
        files = folder / "graph.npz", folder / "records"
        measure_graph(study, cell.graph, *files, "here", log, lambda: True, progress, visit)
    (record,) = completed_records(folder / "records" / COMPLETE)
    return record


_START = """
import json, sys
from pathlib import Path
from gnn_checkpointing.study.design import graph_cells
from gnn_checkpointing.study.graph_design import study_graphs
from gnn_checkpointing.study.reading import parse_study
study, graph_file = parse_study(json.loads(sys.argv[1]), "test"), Path(sys.argv[2])
(cell,) = graph_cells(study, study_graphs(study)[0])
"""


def said(script: str, study: Study, folder: Path) -> list[str]:
    """The lines that a script prints of the study's one `cell` and its `graph_file`, in a process of its own."""
    save_graph(folder / "graph.npz", cell_of(study)[1])
    values = json.dumps(study.model_dump(mode="json", by_alias=True))
    command = [sys.executable, "-c", _START + script, values, str(folder / "graph.npz")]
    return subprocess.run(command, capture_output=True, text=True).stdout.splitlines()
