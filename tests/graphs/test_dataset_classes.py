"""Every dataset class reads raw files in its own layout, and OGB its raw tables: here a path of four nodes."""

import gzip
import json
import sys

import numpy as np
import pytest
import scipy.sparse as sp

from gnn_checkpointing.graphs import datasets
from gnn_checkpointing.refusal import Refusal

from .builders import real
from .test_npz import arrays

ROW = np.array([0, 1, 1, 2, 2, 3])
COLUMN = np.array([1, 0, 2, 1, 3, 2])
ADJACENCY = sp.csr_matrix((np.ones(6, np.float32), (ROW, COLUMN)), (4, 4))
FEATURES = np.arange(8, dtype=np.float32).reshape(4, 2)
ROLES = {"tr": [0, 1], "va": [2], "te": [3]}


def graphsaint(raw, labels=(0, 1, 0, 1), features=FEATURES):
    """Write the four files of Reddit2, Flickr and Yelp."""
    csr = {"data": ADJACENCY.data, "indices": ADJACENCY.indices, "indptr": ADJACENCY.indptr, "shape": ADJACENCY.shape}
    np.savez(raw / "adj_full.npz", **csr)
    np.save(raw / "feats.npy", features, allow_pickle=True)
    (raw / "class_map.json").write_text(json.dumps(dict(enumerate(labels))))
    (raw / "role.json").write_text(json.dumps(ROLES))


def geom_gcn(raw, name, features):
    """Write the files of Actor and WebKB: tab-separated text, and ten splits."""
    lines = [f"{node}\t{features[node]}\t{node % 2}" for node in range(4)]
    (raw / "out1_node_feature_label.txt").write_text("\n".join(["node_id\tfeature\tlabel", *lines]) + "\n")
    edges = [f"{a}\t{b}" for a, b in zip(ROW, COLUMN, strict=True)]
    (raw / "out1_graph_edges.txt").write_text("\n".join(["node_id\tnode_id", *edges]) + "\n")
    masks = {f"{part}_mask": np.array([True] * 4) for part in ("train", "val", "test")}
    for split in range(10):
        np.savez(raw / f"{name}_split_0.6_0.2_{split}.npz", **masks)


def reddit(raw):
    np.savez(raw / "reddit_data.npz", feature=FEATURES, label=np.array([0, 1, 0, 1]), node_types=np.array([1, 1, 2, 3]))
    sp.save_npz(raw / "reddit_graph.npz", ADJACENCY.tocoo())


def academic(raw, name):
    np.savez(raw / name, **arrays(zip(ROW, COLUMN, strict=True), labels=np.array([0, 1, 0, 1])))


def ogb(raw, label="1"):
    for name, text in {
        "edge": "0,1\n1,2\n2,3\n",
        "node-feat": "1,2\n3,4\n5,6\n7,8\n",
        "node-label": f"0\n{label}\n0\n1\n",
        "num-node-list": "4\n",
        "num-edge-list": "3\n",
    }.items():
        (raw / f"{name}.csv.gz").write_bytes(gzip.compress(text.encode()))


CLASSES = {
    "Reddit": ("reddit", "raw", reddit),
    "Reddit2": ("reddit2", "raw", graphsaint),
    "Flickr": ("flickr", "raw", graphsaint),
    "Yelp": ("yelp", "raw", lambda raw: graphsaint(raw, [[1, 0, 0], [0, 1, 1], [1, 1, 0], [0, 1, 0]])),
    "Actor": ("actor", "raw", lambda raw: geom_gcn(raw, "film", ["0", "1", "0,1", "1"])),
    "WebKB": ("Cornell", "cornell/raw", lambda raw: geom_gcn(raw, "cornell", ["1,0", "0,1", "1,1", "0,0"])),
    "Coauthor": ("CS", "CS/raw", lambda raw: academic(raw, "ms_academic_cs.npz")),
    "Amazon": ("Photo", "Photo/raw", lambda raw: academic(raw, "amazon_electronics_photo.npz")),
    "OGB": ("ogbn-arxiv", "ogbn_arxiv/raw", ogb),
}


@pytest.fixture(autouse=True)
def _away_from_the_downloads(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def written(tmp_path):
    """A function that writes the raw files of a class, and gives their folder and a function that reads them."""

    def write(dataset, *content, **changes):
        name, place, writer = CLASSES[dataset]
        raw = tmp_path / "data" / dataset / place
        raw.mkdir(parents=True)
        writer(raw, *content)
        values = {"name": name, "to_undirected": dataset == "OGB", **changes}
        return raw, lambda: real(tmp_path / "data", dataset=dataset, **values)

    return write


@pytest.mark.parametrize("dataset", CLASSES)
def test_a_class_reads_its_own_layout_and_writes_nowhere(tmp_path, written, dataset):
    raw, read = written(dataset)
    before = sorted(tmp_path.rglob("*"))
    graph = read()
    assert graph.edge_index.tolist() == [[1, 0, 2, 1, 3, 2], [0, 1, 1, 2, 2, 3]]
    assert graph.labels.tolist() == [0, 1, 0, 1]
    assert graph.provenance.source.startswith("https://")
    assert set(graph.provenance.files) == {path.name for path in raw.iterdir()}
    assert sorted(tmp_path.rglob("*")) == before
    assert any("several" in note for note in graph.provenance.notes) == (dataset == "Yelp")
    if dataset == "OGB":
        assert graph.features.tolist() == [[1, 2], [3, 4], [5, 6], [7, 8]]
        assert graph.provenance.licence == "ODC-BY"


@pytest.mark.parametrize(
    ("dataset", "content", "words"),
    [
        # A `.npy` of objects is a pickle; numpy refuses it, and so do we, by its folder.
        (
            "Flickr",
            ([0, 1, 0, 1], np.array([{"a": 1}] * 4, dtype=object)),
            r"PyG cannot read the raw files in .*Flickr/raw \(ValueError: Object arrays",
        ),
        ("Flickr", ([1, 1, 1, 1],), "labelled nodes have 1 classes; at least two"),
        (
            "Flickr",
            ([0, 1, 0, 1], np.where(FEATURES == 5, np.nan, FEATURES)),
            "node 2 has features that are NaN or infinite",
        ),
        ("OGB", ("one",), r"ogb cannot read the raw files in .*ogbn_arxiv/raw"),
    ],
    ids=["pickle", "one class", "nan", "damaged table"],
)
def test_what_the_files_may_not_hold_is_refused(written, dataset, content, words):
    _, read = written(dataset, *content)
    with pytest.raises(Refusal, match=words):
        read()


def test_features_are_narrowed_and_the_origin_says_so(written):
    _, read = written("Flickr", num_features=1, licence="mine")
    graph = read()
    assert graph.features.shape == (4, 1)
    assert graph.provenance.projected_from == 2
    assert graph.provenance.licence == "mine"


def test_offline_the_missing_tables_of_ogb_are_named(written, monkeypatch):
    raw, read = written("OGB")
    (raw / "edge.csv.gz").unlink()

    def offline(name, raw):
        raise OSError("no route to host")

    monkeypatch.setattr(datasets, "_download_ogb", offline)
    with pytest.raises(Refusal, match=r"put edge.csv.gz into .*OGB/ogbn_arxiv/raw"):
        read()


def test_without_the_package_of_ogb_the_remedy_is_named(written, monkeypatch):
    monkeypatch.setitem(sys.modules, "ogb.io.read_graph_raw", None)
    with pytest.raises(Refusal, match=r'class OGB needs the package ogb.*pip install "gnn-checkpointing\[ogb\]"'):
        written("OGB")[1]()
