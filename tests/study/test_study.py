"""Study files: the default keeps its promises, and whatever cannot be is refused by key, value and what is allowed."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.design import graph_cells
from gnn_checkpointing.study.graph_design import study_graphs
from gnn_checkpointing.study.reading import parse_study, read_study, read_study_to_measure, study_schema
from synthetic.studies import DEFAULT, OWN, ROOT, changed, small_values

STUDIES = [ROOT / "config.yaml", *sorted((ROOT / "workflow/studies").glob("*.yaml"))]
GRID, MINE = "graphs.generated.0", "graphs.real.0.graded"


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.name)
def test_every_study_file_is_complete_and_obeys_the_schema(path: Path) -> None:
    values = yaml.safe_load(path.read_text())
    study = read_study_to_measure(path)
    jsonschema.validate(values, study_schema())
    assert study_graphs(study)
    assert parse_study(study.model_dump(mode="json", by_alias=True), "again") == study


def test_every_key_is_explained() -> None:
    schema = study_schema()
    text = (ROOT / "workflow/studies/README.md").read_text()
    keys = {key for node in (schema, *schema["$defs"].values()) for key in node.get("properties", {})}
    assert {key for key in keys if f"`{key}`" not in text} == set()


def test_the_default_study_spans_what_it_promises() -> None:
    study = read_study(ROOT / "config.yaml")
    (grid,) = study.graphs.generated
    assert len(grid.average_degrees) >= 6
    assert (min(grid.average_degrees), max(grid.average_degrees)) == (4, 128)
    assert len(grid.num_nodes) == 3
    assert grid.replicates == 2
    assert set(study.architecture.convolutions) == {"GCN", "SAGE", "GATv2"}
    assert set(study.policies) == {"none", "layers", "edge_blocks"}


def default(key: str, value: object) -> Any:
    return changed(DEFAULT, key, value)


def vision(architecture: dict[str, Any] | None = None, more: Any = (), grid: Any = None, **changes: Any) -> Any:
    """A study of one image grid, and `more` grids."""
    images = {"family": "images", "num_nodes": [392], "average_degrees": [9], **(grid or {})}
    values = small_values(["ViG-S"], architecture=architecture, **changes)
    return values | {"graphs": {"generated": [images, *more]}}


PLAIN = {"family": "erdos_renyi", "num_nodes": [50], "average_degrees": [4]}
NOTHING = {"norm": "none", "dropout": 0, "residual": False, "self_loops": False, "attention_dropout": 0}
NOTHING |= {"graphs": {"num_nodes": [800], "average_degrees": [16]}}
GRIDS = DEFAULT["graphs"]["generated"][0]
NEIGHBOURS, CLUSTERS = {"sampler": "neighbours", "fan_outs": [5]}, {"sampler": "clusters", "parts": [4]}
BOTH = {"convolutions": ["GCN", "ViG-S"]}


def real(*entries: dict[str, Any]) -> Any:
    return default("graphs.real", list(entries))


def two_grids(training: dict[str, Any]) -> Any:
    """Nodes of one grid and degrees of another do not go together."""
    grids = [{"num_nodes": [nodes], "average_degrees": [degree]} for nodes, degree in ((800, 4), (1600, 16))]
    values = default("graphs.generated", [GRIDS | one for one in grids])
    return changed(changed(values, "practice.graphs", grids[0]), "training.graphs", training)


REFUSED: list[tuple[Any, ...]] = [
    (default("", 1), "unknown key ''; allowed: analysis"),
    (default("densities", [1]), "unknown key densities", "allowed: analysis, architecture"),
    (default(f"{GRID}.degree", 4), "unknown key graphs.generated.0.degree", "average_degrees"),
    (default(f"{GRID}.average_degrees", [-4]), "average_degrees.0", "greater than or equal to 0.000001", "-4"),
    (default("policies", ["none", "edge_block"]), "unknown policy 'edge_block' (did you mean edge_blocks?); allowed: "),
    (default(f"{GRID}.average_degrees", [500]), "average degree 500", "400 nodes", "at most 399"),
    (default(f"{GRID}.average_degrees", [float("nan")]), "average_degrees.0", "nan"),
    (default(f"{GRID}.average_degrees", [4, 4.0000001]), "4.0 and 4.0000001, one number to six digits"),
    (default(f"{GRID}.average_degrees", [4, 4.001]), "4.0 and 4.001 give 400 nodes equally many edges"),
    (default(f"{GRID}.replicates", 10**9), "graphs in one grid; allowed are 100000"),
    (default(f"{GRID}.homophily", 1.0), "homophily 1", "allowed there"),
    (default(f"{GRID}.family", "small_world"), "family", "allowed: sbm, erdos_renyi", "small_world"),
    (default(f"{GRID}.rewiring", 2), "rewiring", "less than or equal to 1"),
    (default("architecture.convolutions", ["GCNN"]), "convolutions.0", "allowed: GCN, SAGE", "GCNN"),
    (default("architecture.convolutions", ["GCN", "GCN"]), "convolutions has GCN twice"),
    (default("architecture.convolutions", ["GCN", "SAGE", "GATv2", "ViG-S"]), "ViG-S reads graphs of"),
    (default("architecture.depths", [8, 8]), "depths has 8 twice"),
    (default("architecture.heads", 5), "hidden_channels 32", "heads 5"),
    (
        default("measurement.allocator_convolutions", ["GAT"]),
        "measurement.allocator_convolutions names GAT",
        "GCN, SAGE, GATv2",
    ),
    (default("measurement.allocator_convolutions", []), "is empty"),
    (default("measurement.allocators", ["retaining"] * 2), "allocators has retaining twice"),
    (default("measurement.threads", 0), "measurement.threads", "greater than or equal to 1", "0"),
    (default("analysis.resamples", 10**12), "analysis.resamples"),
    (default("analysis.confidence", 0.999999), "confidence 0.999999 needs at least 10000000 resamples"),
    (default("name", "../../etc"), "key name", "../../etc"),
    (default("title", "a\0b"), "key title: it holds a line break or another control character"),
    (default("title", "a\u202eb"), "key title: it holds a line break or another control character"),
    (default("title", "\u200b\ufeff"), "key title: nothing of it can be seen"),
    *(
        (default("hardware", {"slug": taken}), f"key hardware.slug: the folder {taken} below report/ or results/ holds")
        for taken in ("docs", "downloads", "graphs")
    ),
    (default("policies", "none"), "key policies: Input should be a list (given: 'none')"),
    (default("measurement", 3), "key measurement: Input should be a mapping of keys to values (given: 3)"),
    (default("title", 3), "key title: Input should be a text (given: 3)"),
    (default("policies", ["none", "magic"]), "unknown policy 'magic'", "(EDGES PER BLOCK"),
    (default("policies", ["none", f"edge_blocks({'9' * 400})"]), "unknown policy 'edge_blocks(999"),
    (default("policies", ["layers"]), "policy none is missing"),
    (default("policies", ["none"]), "policy none alone leaves nothing to compare"),
    (default("policies", ["none", "layers", "layers"]), "policies has layers twice"),
    (default("policies", ["none", "memory_budget(0.5)", "memory_budget(0.50)"]), "are one policy"),
    (default("training.graphs", {"num_nodes": [801]}), "training.graphs.num_nodes names 801"),
    (default("training.graphs", {"average_degrees": [17]}), "names 17.0, which no graph has; allowed: 4, 8,"),
    (
        default("training.graphs", {"num_nodes": [800]}),
        "training.graphs.num_nodes has 800, which no graph has together",
    ),
    (default("training.graphs", {"average_degrees": [16]}), "average_degrees has 16, which no graph has together"),
    (two_grids({"num_nodes": [800], "average_degrees": [16]}), "num_nodes has 800, which no graph has together"),
    (default("practice.graphs", {"average_degrees": [16]}), "practice.graphs names no graph"),
    (default("practice.graphs.num_nodes", [51]), "practice.graphs.num_nodes names 51, which no graph has; allowed: 4"),
    (default("practice", NOTHING), "practice adds nothing to what architecture has"),
    (real({"name": "x"}), "real graph x", "class", "npz", "csv", "not none"),
    (real({"name": "x", "npz": "a.npz", "csv": "b"}), "real graph x", "not npz and csv"),
    (real({"name": "arxiv", "class": "OGB"}), "class OGB", "ogbn-arxiv and ogbn-products"),
    (real({"name": "x", "csv": "a"}, {"name": "x", "csv": "b"}), "two real graphs are called x"),
    (changed(OWN, MINE, {"thinned": [2, 2.0000001]}), "thinned has 2.0 and 2.0000001"),
    (changed(OWN, MINE, {"thinned": [1e300]}), "graded.thinned.0: Input should be less than or equal to 1000000000"),
    (
        changed(OWN, "graphs.real.0.name", "a b"),
        "key graphs.real.0.name: lower-case letters and digits are needed, words joined by -, such as my-graph (given",
    ),
    (changed(OWN, MINE, {"capped": [5, 5]}), "capped has 5 twice"),
    (changed(OWN, "training.graphs.real", ["my-grph"]), "training.graphs.real names my-grph"),
    (changed(OWN, "data_root", "a\0b"), "a path cannot hold a NUL"),
    (changed(OWN, "data_root", 123), "put ./ before the name"),
    (default("graphs.batches", [{"sampler": "saint"}]), "graphs.batches.0", "'neighbours'", "saint"),
    (default("graphs.batches", [CLUSTERS | {"draws": 5}]), "draws 5 exceeds the 4 clusters"),
    (default("graphs.batches", [NEIGHBOURS, NEIGHBOURS | {"draws": 2}]), "two entries of batches have batches of nei"),
    (default("graphs.batches", [CLUSTERS, CLUSTERS | {"parts": [2, 4]}]), "two entries of batches have batches of clu"),
    (default("graphs.batches", [NEIGHBOURS | {"draws": 10**9}]), "graphs, batches among them; at most 100000"),
    (default("graphs.generated", [GRIDS, GRIDS | {"homophily": 0.5}]), "two grids have graphs of family sbm, 400"),
    (default("graphs.generated", [GRIDS, GRIDS]), "key graphs.generated: generated has one entry twice"),
    (default("graphs.batches", [NEIGHBOURS | {"fan_outs": [0]}]), "key graphs.batches.0.fan_outs.0: Input"),
    (default("graphs.large", [GRIDS]), "two grids have graphs of family sbm, 400 nodes and average degree 4,"),
    (default("graphs.generated", [GRIDS | {"average_degrees": [one]} for one in (4, 4.0000001)]), "two grids have"),
    (changed(default("architecture.depths", [*range(10, 999)]), f"{GRID}.replicates", 999), "cells; at most 1,000,000"),
    (default("graphs.ego", {"radii": [0]}), "graphs.ego.radii.0", "greater than or equal to 1"),
    (default(f"{GRID}.family", "images"), "num_nodes 400 is no multiple of 196", "8 images are 1568"),
    (vision(grid={"average_degrees": [99]}), "average degree 99", "whole numbers from 1 to 98"),
    (vision(grid={"average_degrees": [2.5]}), "average degree 2.5", "whole numbers"),
    (vision(BOTH, [PLAIN], {"convolutions": ["GCN"]}), "GCN does not read graphs of family images"),
    (vision(BOTH), "GCN reads no images"),
    (vision({"tasks": ["edges"]}), "tasks.0", "'patches' or 'images'"),
    (vision({"tasks": ["images"]}, grid={"num_nodes": [196]}), "BatchNorm in the head needs two", "num_nodes to 392"),
    (vision(training={"graphs": {"num_nodes": [392]}}), "training jobs train stacks, not ViG-S"),
    (vision(explained={"weights": "w.pth"}), "explained.validation is missing"),
    ({"name": "x"}, "is missing"),
    ([1, 2], "mapping of keys to values"),
]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case[1])
def test_bad_values_are_refused_in_one_sentence(case: tuple[Any, ...]) -> None:
    with pytest.raises(Refusal) as refusal:
        parse_study(case[0], "study.yaml")
    text = str(refusal.value)
    assert text.startswith("study.yaml: ")
    assert "\n" not in text
    for word in case[1:]:
        assert word in text


def test_sizes_of_two_grids_that_are_all_used_go_together() -> None:
    parse_study(two_grids({"num_nodes": [800, 1600], "average_degrees": [4, 16]}), "study.yaml")


def test_vision_gnns_alone_say_their_layers_and_channels_themselves() -> None:
    study = parse_study(vision() | {"architecture": {"convolutions": ["ViG-Ti"]}}, "study.yaml")
    assert (study.architecture.num_layers, study.architecture.hidden_channels) == (12, 192)


def test_a_policy_of_older_reports_is_read_but_not_measured(tmp_path: Path) -> None:
    path = tmp_path / "study.json"
    path.write_text(json.dumps(default("policies", ["none", "compiled_edge_blocks(100)"])))
    assert read_study(path).policies == ("none", "compiled_edge_blocks(100)")
    with pytest.raises(Refusal) as refusal:
        read_study_to_measure(path)
    assert str(refusal.value) == (
        f"{path}: key policies: policy compiled_edge_blocks(100) is no longer available: fused_edge_blocks and "
        "edge_blocks replace it; see workflow/studies/README.md"
    )


def test_another_degree_leaves_every_other_cell_as_it_was() -> None:
    before = read_study(ROOT / "config.yaml")
    after = parse_study(default(f"{GRID}.average_degrees", [4, 8, 16, 32, 48, 128]), "changed")
    old, new = (
        {cell.id: cell for spec in study_graphs(study) for cell in graph_cells(study, spec)}
        for study in (before, after)
    )
    kept = old.keys() & new.keys()
    assert len(old) - len(kept) == 3 * 3 * 2  # convolutions, sizes, replicates
    assert all(old[cell].seed == new[cell].seed for cell in kept)
    assert all("-d64-" in cell for cell in old.keys() - kept)


def test_a_large_level_has_a_name_without_a_sign() -> None:
    """1e+06 would be no name of a file, and 1000001 the same one."""
    graphs = study_graphs(parse_study(changed(OWN, MINE, {"capped": [1000000, 1000001]}), "study"))
    assert [graph.id.rsplit("-", 1)[1] for graph in graphs[1:]] == ["1000000", "1000001"]
    sources = [{"csv": "a"}, {"npz": "a"}, {"class": "Amazon"}]
    entries = [{"name": f"x{number}", **source} for number, source in enumerate(sources)]
    real = study_graphs(parse_study(changed(small_values(), "graphs", {"real": entries}), "study"))
    assert [graph.id.rsplit("-", 1)[0] for graph in real] == ["csv-x0", "npz-x1", "Amazon-x2"]


def test_batches_of_other_seed_nodes_are_others() -> None:
    none, one, two = (
        len(study_graphs(parse_study(default("graphs.batches", batches), "study.yaml")))
        for batches in ([], [NEIGHBOURS], [NEIGHBOURS, NEIGHBOURS | {"seed_nodes": 20}])
    )
    assert two - none == 2 * (one - none) > 0


def test_a_form_of_law_that_was_added_is_one_that_is_tried() -> None:
    laws = {"memory": ["additive", "blocks"], "added": ["blocks"]}
    assert parse_study(default("analysis.laws", laws), "added").analysis.laws.added == ("blocks",)
    with pytest.raises(Refusal, match="added: power is not among the forms that are tried"):
        parse_study(default("analysis.laws", {**laws, "time": ["additive"], "added": ["power"]}), "added")
