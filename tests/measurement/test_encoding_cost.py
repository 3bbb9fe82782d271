"""What counting ego networks takes: sizes are those of the encodings, bytes at least those that they hold."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gnn_checkpointing.cli import main
from gnn_checkpointing.graphs.ego import edge_encodings, node_encodings, surroundings
from gnn_checkpointing.graphs.make import make_graph
from gnn_checkpointing.graphs.storage import save_graph
from gnn_checkpointing.measurement.encoding_cost import encoding_cost
from gnn_checkpointing.records.graph_facts import read_encodings
from gnn_checkpointing.study.graph_design import GeneratedGraph, study_graphs
from gnn_checkpointing.study.study import Study
from synthetic.studies import small_study


def study(**graphs: object) -> Study:
    grid = {"family": "erdos_renyi", "num_nodes": [200], "average_degrees": [4]}
    return small_study(["GIN"], graphs={"generated": [grid], **graphs})


def test_the_cost_says_what_is_counted() -> None:
    graph = make_graph(study_graphs(study())[0])
    cost = encoding_cost(graph, 2)
    around = surroundings(graph.edge_index, graph.num_nodes, 2)
    of_nodes, of_edges = node_encodings(around), edge_encodings(around, graph.edge_index)
    assert (cost.node_kinds, cost.edge_kinds) == (len(of_nodes.kinds), len(of_edges.kinds))
    assert (cost.node_counts, cost.edge_counts) == (of_nodes.counts.nnz, of_edges.counts.nnz)
    assert cost.peak_bytes > of_edges.counts.data.nbytes + of_edges.counts.indices.nbytes
    assert cost.seconds > 0


def test_the_command_measures_each_graph_and_radius(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chosen = study(ego={"radii": [1, 2]})
    (tmp_path / "study.json").write_text(json.dumps(chosen.model_dump(mode="json", by_alias=True, exclude_none=True)))
    for spec in study_graphs(chosen):
        if isinstance(spec, GeneratedGraph):
            save_graph(tmp_path / f"{spec.id}.npz", make_graph(spec))
    files = ["--graph-files", str(tmp_path), "--output", str(tmp_path / "encodings.json")]
    assert main(["encode", "--study", str(tmp_path / "study.json"), *files]) == 0
    assert [cost.radius for cost in read_encodings(tmp_path / "encodings.json")] == [1, 2]
    assert "2 of 2: " in capsys.readouterr().out


def test_a_study_without_encodings_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "study.json").write_text(json.dumps(study().model_dump(mode="json", by_alias=True, exclude_none=True)))
    arguments = ["--study", str(tmp_path / "study.json"), "--graph-files", str(tmp_path)]
    assert main(["encode", *arguments, "--output", str(tmp_path / "e.json")]) == 2
    assert "no encodings in graphs.ego" in capsys.readouterr().err
