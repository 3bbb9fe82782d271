"""What today's laws say of a published study's records, and what was measured beside."""

from functools import cache
from pathlib import Path

import numpy as np

from gnn_checkpointing.analysis.analyse import of_hidden_layers, protocol_of
from gnn_checkpointing.analysis.laws.predictions import predictions
from gnn_checkpointing.analysis.table import Row, completed, first_visits, under
from gnn_checkpointing.artefacts import read_json
from gnn_checkpointing.planning import Planner
from gnn_checkpointing.planning.gather import knowledge
from gnn_checkpointing.records.graph_facts import read_graphs
from gnn_checkpointing.records.measurements_table import read_table
from gnn_checkpointing.records.record import machine_of
from gnn_checkpointing.study.reading import parse_study

(MACHINE,) = (path.parent.parent for path in Path(__file__).resolve().parents[2].glob("report/*/default/planner.json"))


@cache
def measured(study: str) -> list[Row]:
    """The published rows of the reference allocator."""
    rows = completed(first_visits(read_table(MACHINE / study / "measurements.csv")))
    classes = {graph.id: graph.num_classes for graph in read_graphs(MACHINE / study / "graphs.json")}
    return under([of_hidden_layers(row).but(num_classes=classes[row.graph]) for row in rows], "retaining")


@cache
def planner(study: str) -> Planner:
    """The planner of a published study by the laws of today, whose generated graphs alone they have seen."""
    folder = MACHINE / study
    read = parse_study(read_json(folder / "study.json"), study)
    protocol = protocol_of(read)
    rows = first_visits(read_table(folder / "measurements.csv"))
    found = predictions(rows, measured(study), protocol, np.random.default_rng(protocol.seed))
    facts = machine_of(read_json(folder / "hardware.json"))
    return Planner(knowledge(read, found, read_graphs(folder / "graphs.json"), facts))
