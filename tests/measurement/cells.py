"""Small cells for the tests of the instrument, and one of them measured in this process."""

import torch

from gnn_checkpointing.graphs.graph import Graph
from gnn_checkpointing.graphs.make import make_graph
from gnn_checkpointing.study.design import graph_cells
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


def cell_of(study: Study) -> tuple[Graph]:
    """The study's one cell and its graph."""
    (spec,) = study_graphs(study)
    return graph_cells(study, spec)[0], make_graph(spec)
