"""What counting ego networks takes: sizes are those of the encodings, bytes at least those that they hold."""

import json
from pathlib import Path

import pytest

from gnn_checkpointing.cli import main
from gnn_checkpointing.graphs.ego import edge_encodings, node_encodings, surroundings
from gnn_checkpointing.graphs.storage import save_graph
from gnn_checkpointing.measurement.encoding_cost import encoding_cost
from gnn_checkpointing.records.graph_facts import read_encodings
from measurement.cells import cell_of
from synthetic.studies import small_study, small_values

GRID = {"family": "erdos_renyi", "num_nodes": [200], "average_degrees": [4]}
_, GRAPH = cell_of(small_study(grid=GRID))


def encoded(folder: Path, **graphs: object) -> int:
    """The status of the command, in a folder with the study's drawn graphs."""
    (folder / "study.json").write_text(json.dumps(small_values(graphs={"generated": [GRID], **graphs})))
    save_graph(folder / f"{GRAPH.id}.npz", GRAPH)
    files = ["--graph-files", str(folder), "--output", str(folder / "encodings.json")]
    return main(["encode", "--study", str(folder / "study.json"), *files])


def test_the_cost_says_what_is_counted() -> None:
    cost = encoding_cost(GRAPH, 2)
    around = surroundings(GRAPH.edge_index, GRAPH.num_nodes, 2)
    of_nodes, of_edges = node_encodings(around), edge_encodings(around, GRAPH.edge_index)
    assert (cost.node_kinds, cost.edge_kinds) == (len(of_nodes.kinds), len(of_edges.kinds))
    assert (cost.node_counts, cost.edge_counts) == (of_nodes.counts.nnz, of_edges.counts.nnz)
    assert cost.peak_bytes > of_edges.counts.data.nbytes + of_edges.counts.indices.nbytes
    assert cost.seconds > 0


def test_the_command_measures_each_graph_and_radius(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert encoded(tmp_path, ego={"radii": [1, 2]}) == 0
    assert [cost.radius for cost in read_encodings(tmp_path / "encodings.json")] == [1, 2]
    assert "2 of 2: " in capsys.readouterr().out


def test_a_study_without_encodings_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert encoded(tmp_path) == 2
    assert "no encodings in graphs.ego" in capsys.readouterr().err
