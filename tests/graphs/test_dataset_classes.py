"""Every dataset class reads raw files in its own layout: here a path of four nodes, written by hand."""

import json
import shutil

import numpy as np
import pytest
import scipy.sparse as sp

from gnn_checkpointing.graphs.make import make_graph
from gnn_checkpointing.refusal import Refusal

from .builders import loaded
from .test_npz import arrays

ROW = np.array([0, 1, 1, 2, 2, 3])
COLUMN = np.array([1, 0, 2, 1, 3, 2])
ADJACENCY = sp.csr_matrix((np.ones(6, np.float32), (ROW, COLUMN)), (4, 4))
FEATURES = np.arange(8, dtype=np.float32).reshape(4, 2)
ROLES = {"tr": [0, 1], "va": [2], "te": [3]}


def graphsaint(raw, labels):
    """Write the four files of Reddit2, Flickr and Yelp."""
    csr = {"data": ADJACENCY.data, "indices": ADJACENCY.indices, "indptr": ADJACENCY.indptr, "shape": ADJACENCY.shape}
    np.savez(raw / "adj_full.npz", **csr)
    np.save(raw / "feats.npy", FEATURES)
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


CLASSES = {
    "Reddit": ("reddit", "raw", reddit),
    "Reddit2": ("reddit2", "raw", lambda raw: graphsaint(raw, [0, 1, 0, 1])),
    "Flickr": ("flickr", "raw", lambda raw: graphsaint(raw, [0, 1, 0, 1])),
    "Yelp": ("yelp", "raw", lambda raw: graphsaint(raw, [[1, 0, 0], [0, 1, 1], [1, 1, 0], [0, 1, 0]])),
    "Actor": ("actor", "raw", lambda raw: geom_gcn(raw, "film", ["0", "1", "0,1", "1"])),
    "WebKB": ("Cornell", "cornell/raw", lambda raw: geom_gcn(raw, "cornell", ["1,0", "0,1", "1,1", "0,0"])),
    "Coauthor": ("CS", "CS/raw", lambda raw: academic(raw, "ms_academic_cs.npz")),
    "Amazon": ("Photo", "Photo/raw", lambda raw: academic(raw, "amazon_electronics_photo.npz")),
}


@pytest.fixture(autouse=True)
def _away_from_the_downloads(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("dataset", CLASSES)
def test_a_class_reads_its_own_layout_and_writes_nowhere(tmp_path, dataset):
    name, place, write = CLASSES[dataset]
    raw = tmp_path / "data" / dataset / place
    raw.mkdir(parents=True)
    write(raw)
    before = sorted(tmp_path.rglob("*"))
    graph = make_graph(loaded(**{"class": dataset}, name=name, data_root=str(tmp_path / "data")))
    assert graph.edge_index.tolist() == [[1, 0, 2, 1, 3, 2], [0, 1, 1, 2, 2, 3]]
    assert graph.labels.tolist() == [0, 1, 0, 1]
    assert graph.provenance.source.startswith("https://")
    assert set(graph.provenance.files) == {path.name for path in raw.iterdir()}
    assert sorted(tmp_path.rglob("*")) == before
    assert any("several" in note for note in graph.provenance.notes) == (dataset == "Yelp")


def test_a_pickle_in_an_array_is_never_opened(tmp_path):
    """A `.npy` of objects is a pickle; numpy refuses it, and so do we, by its folder."""
    raw = tmp_path / "data/Flickr/raw"
    raw.mkdir(parents=True)
    graphsaint(raw, [0, 1, 0, 1])
    np.save(raw / "feats.npy", np.array([{"a": 1}] * 4, dtype=object), allow_pickle=True)
    with pytest.raises(Refusal, match=r"PyG cannot read the raw files in .*Flickr/raw \(ValueError: Object arrays"):
        make_graph(loaded(**{"class": "Flickr"}, name="flickr", data_root=str(tmp_path / "data")))


def test_one_class_and_nan_features_are_refused(tmp_path):
    raw = tmp_path / "data/Flickr/raw"
    raw.mkdir(parents=True)
    graphsaint(raw, [1, 1, 1, 1])
    with pytest.raises(Refusal, match="labelled nodes have 1 classes; at least two"):
        make_graph(loaded(**{"class": "Flickr"}, name="flickr", data_root=str(tmp_path / "data")))
    shutil.rmtree(raw)
    raw.mkdir()
    graphsaint(raw, [0, 1, 0, 1])
    np.save(raw / "feats.npy", np.where(FEATURES == 5, np.nan, FEATURES))
    with pytest.raises(Refusal, match="node 2 has features that are NaN or infinite"):
        make_graph(loaded(**{"class": "Flickr"}, name="flickr", data_root=str(tmp_path / "data")))


def test_features_are_narrowed_and_the_origin_says_so(tmp_path):
    raw = tmp_path / "data/Flickr/raw"
    raw.mkdir(parents=True)
    graphsaint(raw, [0, 1, 0, 1])
    graph = make_graph(
        loaded(**{"class": "Flickr"}, name="flickr", data_root=str(tmp_path / "data"), num_features=1, licence="mine")
    )
    assert graph.features.shape == (4, 1)
    assert graph.provenance.projected_from == 2
    assert graph.provenance.licence == "mine"
