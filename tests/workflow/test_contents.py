"""What is published is of the files that the study reads now, and what was measured once is found again."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
import torch
import yaml
from PIL import Image

from gnn_checkpointing.artefacts import read_json
from gnn_checkpointing.audit.validate import complaints
from gnn_checkpointing.graphs.storage import load_graph
from gnn_checkpointing.models.vig import VigOptions, build_vig
from gnn_checkpointing.records.measurements_table import read_table
from gnn_checkpointing.study.contents import Memory, with_contents
from gnn_checkpointing.study.study import Study

from .checkout import Checkout

pytestmark = pytest.mark.slow

GRAPHS = 6
STUDY: dict[str, Any] = {
    "name": "own",
    "title": "Graphs of my own",
    "seed": 1,
    "data_root": "one",
    "graphs": {
        "real": [
            {"name": "tables", "csv": "tables", "graded": {"thinned": [1.0], "capped": [2], "two_hop": [4.0]}},
            {"name": "archive", "npz": "archive.npz"},
            {"class": "Amazon", "name": "Photo"},
        ]
    },
    "architecture": {"convolutions": ["GCN"], "num_layers": 2, "hidden_channels": 4},
    "policies": ["none", "layers"],
    "measurement": {
        "rounds": {"at_least": 3, "at_most": 3},
        "seconds_per_cell": 0.1,
        "processes": 1,
        "fake_tensor_reading": False,
    },
    "explained": {"weights": "one/vig.pth", "convolution": "ViG-Ti", "validation": {"images": "one/images"}},
}


def ring(nodes: int) -> list[tuple[int, int]]:
    """A ring of nodes in both directions."""
    return [pair for node in range(nodes) for pair in ((node, (node + 1) % nodes), ((node + 1) % nodes, node))]


def data(root: Path, nodes: int) -> None:
    """Write a graph of `nodes` nodes as tables, as an archive and as PyG's dataset, and a model with images."""
    (root / "tables").mkdir(parents=True)
    edges(root, nodes)
    features = [f"{node},{node % 3},{node % 5},1" for node in range(nodes)]
    (root / "tables/features.csv").write_text("\n".join(["node,a,b,c", *features]) + "\n")
    (root / "tables/labels.csv").write_text("\n".join(["node,label", *(f"{n},{n % 2}" for n in range(nodes))]) + "\n")
    raw = root / "Amazon/Photo/raw"
    raw.mkdir(parents=True)
    row, column = np.array(ring(nodes)).T
    arrays = {"labels": np.arange(nodes) % 2}
    for name, matrix in (
        ("adj", sp.csr_matrix((np.ones(row.size, np.float32), (row, column)), (nodes, nodes))),
        ("attr", sp.csr_matrix(np.eye(nodes, 3, dtype=np.float32))),
    ):
        arrays |= {f"{name}_{part}": np.asarray(getattr(matrix, part)) for part in ("data", "indices", "indptr")}
        arrays[f"{name}_shape"] = np.array(matrix.shape)
    for path in (root / "archive.npz", raw / "amazon_electronics_photo.npz"):
        np.savez(path, **arrays)
    for number, name in enumerate(("cat", "dog")):
        (root / "images" / name).mkdir(parents=True)
        pixels = np.full((32, 32, 3), nodes + number, np.uint8)
        Image.fromarray(pixels).save(root / "images" / name / "1.png")
    torch.save(build_vig("ti", VigOptions(classes=2), seed=nodes).state_dict(), root / "vig.pth")


def edges(root: Path, nodes: int, more: str = "") -> None:
    rows = [f"{one},{other}" for one, other in ring(nodes)]
    (root / "tables/edges.csv").write_text("\n".join(["source,target", *rows]) + f"\n{more}")


class Own(Checkout):
    """A checkout with two folders of the same files that hold other graphs, other weights and other images."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        data(folder / "one", 30)
        data(folder / "two", 36)

    def measured(self, root: str, *arguments: str) -> dict[str, int]:
        """Run the study on the files in `root`; return how many jobs of each rule ran."""
        explained = json.loads(json.dumps(STUDY["explained"]).replace("one/", f"{root}/"))
        values = STUDY | {"data_root": root, "explained": explained}
        (self.folder / "study.yaml").write_text(yaml.safe_dump(values))
        return self.jobs("--configfile", "study.yaml", *arguments)

    def published(self) -> Path:
        (found,) = self.folder.glob("report/*/own")
        return found


def nodes_of(report: Path) -> set[int]:
    """The sizes of the graphs that a report is about, by its table and its list of graphs."""
    graphs = {graph["num_nodes"] for graph in read_json(report / "graphs.json")["graphs"]}
    assert {row["num_nodes"] for row in read_table(report / "measurements.csv")} == graphs
    return graphs


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Own:
    return Own(tmp_path_factory.mktemp("own"))


def test_graphs_of_each_folder_are_made_once(own: Own) -> None:
    """Of tables, an archive and a dataset, and those made of the tables; each is a file of its own."""
    only = ("--until", "graph")
    assert own.measured("one", *only) == {"graph": GRAPHS}
    assert own.measured("two", *only) == {"graph": GRAPHS}
    assert own.measured("one", *only) == {}
    sizes = [load_graph(path).num_nodes for path in own.folder.glob("results/graphs/*/*.npz")]
    assert sorted(sizes) == [30] * GRAPHS + [36] * GRAPHS


@pytest.mark.minutes
def test_one_folder_then_another_then_the_first_again(own: Own) -> None:
    """Six graphs and a model a folder: each measured once, and never published as those of the other."""
    first = own.measured("one")
    assert (first["measure"], first["explanations"]) == (GRAPHS, 1)
    report = own.published()
    assert nodes_of(report) == {30}
    weights = read_json(report / "explained.json")["validation"]["weights_sha256"]

    second = own.measured("two")
    assert (second["measure"], second["explanations"]) == (GRAPHS, 1)
    assert nodes_of(report) == {36}
    assert json.loads((report / "study.json").read_text())["data_root"] == "two"
    assert read_json(report / "explained.json")["validation"]["weights_sha256"] != weights

    third = own.measured("one")
    assert not {"graph", "measure", "explanations"} & third.keys()
    assert nodes_of(report) == {30}
    assert json.loads((report / "study.json").read_text())["data_root"] == "one"
    assert read_json(report / "explained.json")["validation"]["weights_sha256"] == weights
    assert own.measured("one") == {}
    assert complaints(report) == []


@pytest.mark.minutes
def test_what_is_made_of_an_edited_file_is_made_again(own: Own) -> None:
    """The table's graph and the three that are made of it; the archive's and the dataset's stay."""
    edges(own.folder / "one", 30, "0,2\n2,0\n")
    Image.fromarray(np.zeros((32, 32, 3), np.uint8)).save(own.folder / "one/images/cat/2.png")
    counts = own.measured("one")
    assert (counts["graph"], counts["measure"], counts["explanations"]) == (4, 4, 1)
    report = own.published()
    facts = read_json(report / "graphs.json")["graphs"]
    assert {graph["num_edges"] for graph in facts if graph["label"] == "tables"} == {62}
    assert read_json(report / "explained.json")["validation"]["images"] == 3


def test_the_same_picture_in_another_class_is_another_content(tmp_path: Path) -> None:
    """Of weights the name says nothing."""
    data(tmp_path / "one", 30)
    asked = {"weights": tmp_path / "one/vig.pth", "validation": {"images": tmp_path / "one/images"}}
    (tmp_path / "one/images/cat/1.png").unlink()
    values = STUDY | {"explained": asked}
    first = with_contents(Study.model_validate(values), Memory(tmp_path / "kept.json")).explained
    (tmp_path / "one/images/dog").rename(tmp_path / "one/images/cow")
    (tmp_path / "one/vig.pth").rename(tmp_path / "one/other.pth")
    values["explained"] = asked | {"weights": tmp_path / "one/other.pth"}
    second = with_contents(Study.model_validate(values), Memory(tmp_path / "kept.json")).explained
    assert first is not None
    assert second is not None
    assert first.files["weights"] == second.files["weights"]
    assert first.files["validation.images"] != second.files["validation.images"]


def test_checksums_are_remembered_until_a_file_changes(tmp_path: Path) -> None:
    """Of a file that was written a moment ago nothing is remembered: it may change again in the same instant."""
    path, kept = tmp_path / "edges.csv", tmp_path / "kept.json"
    path.write_text("a")
    first = Memory(kept).checksums({"edges.csv": path})
    assert not kept.exists()
    path.write_text("b")
    assert Memory(kept).checksums({"edges.csv": path}) != first
