"""Study files: the default keeps its promises, and whatever cannot be is refused by key, value and what is allowed."""

import copy
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

ROOT = Path(__file__).resolve().parents[2]
STUDIES = [ROOT / "config.yaml", *sorted((ROOT / "workflow/studies").glob("*.yaml"))]
DEFAULT = yaml.safe_load((ROOT / "config.yaml").read_text())


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.name)
def test_every_study_file_is_complete_and_obeys_the_schema(path: Path) -> None:
    values = yaml.safe_load(path.read_text())
    study = read_study_to_measure(path)
    jsonschema.validate(values, study_schema())
    assert study_graphs(study)
    assert parse_study(study.model_dump(mode="json", by_alias=True), "again") == study


def test_the_schema_file_is_the_models_own() -> None:
    """After a change of the model: make schema."""
    assert json.loads((ROOT / "workflow/studies/schema.json").read_text()) == study_schema()


def test_every_key_is_explained() -> None:
    text = (ROOT / "workflow/studies/README.md").read_text()

    def keys(node: dict[str, Any], definitions: dict[str, Any]) -> set[str]:
        found = set(node.get("properties", {}))
        return found.union(*(keys(part, {}) for part in definitions.values()))

    schema = study_schema()
    assert {key for key in keys(schema, schema["$defs"]) if f"`{key}`" not in text} == set()


def test_the_default_study_spans_what_it_promises() -> None:
    study = read_study(ROOT / "config.yaml")
    (grid,) = study.graphs.generated
    assert len(grid.average_degrees) >= 6
    assert (min(grid.average_degrees), max(grid.average_degrees)) == (4, 128)
    assert len(grid.num_nodes) == 3
    assert grid.replicates == 2
    assert set(study.architecture.convolutions) == {"GCN", "SAGE", "GATv2"}
    assert set(study.policies) == {"none", "layers", "edge_blocks"}


def with_change(*keys: str | int, value: object) -> dict[str, Any]:
    values = copy.deepcopy(DEFAULT)
    node = values
    for key in keys[:-1]:
        node = node[key]
    node[keys[-1]] = value
    return values


GRID = ("graphs", "generated", 0)


def vision(architecture: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """Return a study of one image grid; changes to the grid by its keys, to the study by others."""
    grid = {"family": "images", "num_nodes": [392], "average_degrees": [9]}
    values = {
        "name": "v",
        "title": "V",
        "seed": 1,
        "architecture": {"convolutions": ["ViG-S"], "num_layers": 2, "hidden_channels": 8, **(architecture or {})},
        "policies": ["none", "layers"],
    }
    own = {key: value for key, value in changes.items() if key in ("training", "explained")}
    return {**values, **own, "graphs": {"generated": [{**grid, **{k: v for k, v in changes.items() if k not in own}}]}}


def crossed() -> dict[str, Any]:
    """Return a study of two grids in which a stack is asked to read images."""
    values = vision(architecture={"convolutions": ["GCN", "ViG-S"]}, convolutions=["GCN"])
    values["graphs"]["generated"].append({"family": "erdos_renyi", "num_nodes": [50], "average_degrees": [4]})
    return values


def test_vision_gnns_alone_say_their_layers_and_channels_themselves() -> None:
    values = vision()
    values["architecture"] = {"convolutions": ["ViG-Ti"]}
    study = parse_study(values, "study.yaml")
    assert (study.architecture.num_layers, study.architecture.hidden_channels) == (12, 192)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (with_change("densities", value=[1]), ["unknown key densities", "allowed: analysis, architecture"]),
        (with_change(*GRID, "degree", value=4), ["unknown key graphs.generated.0.degree", "average_degrees"]),
        (with_change(*GRID, "average_degrees", value=[-4]), ["average_degrees.0", "greater than 0", "-4"]),
        (with_change(*GRID, "average_degrees", value=[500]), ["average degree 500", "400 nodes", "at most 399"]),
        (with_change(*GRID, "average_degrees", value=[float("nan")]), ["average_degrees.0", "nan"]),
        (with_change(*GRID, "homophily", value=1.0), ["homophily 1", "allowed there"]),
        (with_change("architecture", "convolutions", value=["GCNN"]), ["convolutions.0", "allowed: GCN, SAGE", "GCNN"]),
        (with_change("architecture", "heads", value=5), ["hidden_channels 32", "heads 5"]),
        (
            with_change("measurement", value={"allocator_convolutions": ["GAT"]}),
            ["measurement.allocator_convolutions names GAT", "GCN, SAGE, GATv2"],
        ),
        (with_change("measurement", value={"allocator_convolutions": []}), ["is empty"]),
        (with_change(*GRID, "family", value="small_world"), ["family", "allowed: sbm, erdos_renyi", "small_world"]),
        (with_change(*GRID, "rewiring", value=2), ["rewiring", "less than or equal to 1"]),
        (with_change("graphs", "real", value=[{"name": "x"}]), ["real graph x", "class", "npz", "csv", "not none"]),
        (
            with_change("graphs", "real", value=[{"name": "x", "npz": "a.npz", "csv": "b"}]),
            ["real graph x", "not npz and csv"],
        ),
        (
            with_change("graphs", "real", value=[{"name": "arxiv", "class": "OGB"}]),
            ["class OGB", "ogbn-arxiv and ogbn-products"],
        ),
        (
            with_change("graphs", "real", value=[{"name": "x", "csv": "a"}, {"name": "x", "csv": "b"}]),
            ["two real graphs are called x"],
        ),
        (with_change("graphs", "batches", value=[{"sampler": "saint"}]), ["graphs.batches.0", "'neighbours'", "saint"]),
        (
            with_change("graphs", "batches", value=[{"sampler": "clusters", "parts": [2], "draws": 3}]),
            ["draws 3 exceeds the 2 clusters"],
        ),
        (with_change("architecture", "depths", value=[8, 8]), ["depths has 8 twice"]),
        (
            with_change("architecture", "convolutions", value=["GCN", "SAGE", "GATv2", "ViG-S"]),
            ["ViG-S reads graphs of"],
        ),
        (with_change(*GRID, "family", value="images"), ["num_nodes 400 is no multiple of 196", "8 images are 1568"]),
        (vision(average_degrees=[99]), ["average degree 99", "whole numbers from 1 to 98"]),
        (vision(average_degrees=[2.5]), ["average degree 2.5", "whole numbers"]),
        (crossed(), ["GCN does not read graphs of family images"]),
        (vision(architecture={"convolutions": ["GCN", "ViG-S"]}), ["GCN reads no images"]),
        (vision(architecture={"convolutions": ["ViG-S"], "tasks": ["edges"]}), ["tasks.0", "'patches' or 'images'"]),
        (vision({"tasks": ["images"]}, num_nodes=[196]), ["BatchNorm in the head needs two", "num_nodes to 392"]),
        (vision(training={"graphs": {"num_nodes": [392]}}), ["training jobs train stacks, not ViG-S"]),
        (vision(explained={"weights": "w.pth"}), ["explained.validation is missing"]),
        (with_change("graphs", "ego", value={"radii": [0]}), ["graphs.ego.radii.0", "greater than or equal to 1"]),
        (with_change("policies", value=["none", "magic"]), ["unknown policy 'magic'", "(EDGES PER BLOCK"]),
        (with_change("policies", value=["layers"]), ["policy none is missing"]),
        (with_change("policies", value=["none"]), ["policy none alone leaves nothing to compare"]),
        (with_change("name", value="../../etc"), ["key name", "../../etc"]),
        (with_change("measurement", "threads", value=0), ["measurement.threads", "greater than or equal to 1", "0"]),
        ({"name": "x"}, ["is missing"]),
        ([1, 2], ["mapping of keys to values"]),
    ],
    ids=lambda value: value[0] if isinstance(value, list) and isinstance(value[0], str) else "values",
)
def test_bad_values_are_refused_in_one_sentence(values: Any, words: list[str]) -> None:
    with pytest.raises(Refusal) as refusal:
        parse_study(values, "study.yaml")
    text = str(refusal.value)
    assert text.startswith("study.yaml: ")
    assert "\n" not in text
    for word in words:
        assert word in text


def test_a_policy_of_older_reports_is_read_but_not_measured(tmp_path: Path) -> None:
    path = tmp_path / "study.json"
    path.write_text(json.dumps(with_change("policies", value=["none", "compiled_edge_blocks(100)"])))
    assert read_study(path).policies == ("none", "compiled_edge_blocks(100)")
    with pytest.raises(Refusal) as refusal:
        read_study_to_measure(path)
    assert str(refusal.value) == (
        f"{path}: key policies: policy compiled_edge_blocks(100) is no longer available: fused_edge_blocks and "
        "edge_blocks replace it; see workflow/studies/README.md"
    )


@pytest.mark.parametrize("text", ["a: [", "!!python/object/apply:os.system ['touch marker']", "\x00"])
def test_a_file_that_is_not_plain_yaml_is_refused(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study.yaml").write_text(text)
    with pytest.raises(Refusal, match="not readable as YAML"):
        read_study(tmp_path / "study.yaml")
    assert not (tmp_path / "marker").exists()


def test_another_degree_leaves_every_other_cell_as_it_was() -> None:
    before = read_study(ROOT / "config.yaml")
    after = parse_study(with_change(*GRID, "average_degrees", value=[4, 8, 16, 32, 48, 128]), "changed")

    def cells(study) -> dict[str, object]:
        return {cell.id: cell for spec in study_graphs(study) for cell in graph_cells(study, spec)}

    old, new = cells(before), cells(after)
    kept = old.keys() & new.keys()
    assert len(old) - len(kept) == 3 * 3 * 2  # convolutions, sizes, replicates
    assert all(old[cell].seed == new[cell].seed for cell in kept)
    assert all("-d64-" in cell for cell in old.keys() - kept)


def test_a_form_of_law_that_was_added_is_one_that_is_tried() -> None:
    laws = {"memory": ["additive", "blocks"], "added": ["blocks"]}
    study = parse_study(with_change("analysis", value={"laws": laws}), "added")
    assert study.analysis.laws.added == ("blocks",)
    with pytest.raises(Refusal, match="added: power is not among the forms that are tried"):
        parse_study(
            with_change("analysis", value={"laws": {**laws, "time": ["additive"], "added": ["power"]}}), "added"
        )
