"""The raw files of each class of public graphs, as its publisher lays them out: a path of four nodes, or a ring."""

import gzip
import json
import os
import pickle

import numpy as np
import scipy.sparse as sp

EDGES = ((0, 1), (1, 0), (1, 2), (2, 1), (2, 2))
"""Two undirected edges and a self-loop."""


def arrays(edges=EDGES, **changes):
    """A graph of 4 nodes; None leaves an array out."""
    row, column = np.array(list(edges)).T
    order = np.argsort(row, kind="stable")
    made = {
        "labels": np.array([5, 9, 9, -1]),
        "adj_data": np.ones(row.size, np.float32),
        "adj_indices": column[order],
        "adj_indptr": np.concatenate([[0], np.cumsum(np.bincount(row, minlength=4))]),
        "adj_shape": np.array([4, 4]),
    }
    attr = sp.csr_matrix(np.eye(4, 3, dtype=np.float32))
    made |= {f"attr_{part}": getattr(attr, part) for part in ("data", "indices", "indptr")}
    made["attr_shape"] = np.array([4, 3])
    return {name: array for name, array in (made | changes).items() if array is not None}


class Opened:
    """A pickle that makes a folder when it is opened."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


ROW = np.array([0, 1, 1, 2, 2, 3])
COLUMN = np.array([1, 0, 2, 1, 3, 2])
ADJACENCY = sp.csr_matrix((np.ones(6, np.float32), (ROW, COLUMN)), (4, 4))
FEATURES = np.arange(8, dtype=np.float32).reshape(4, 2)


def graphsaint(raw, labels=(0, 1, 0, 1), features=FEATURES):
    """Write the four files of Reddit2, Flickr and Yelp."""
    csr = {name: getattr(ADJACENCY, name) for name in ("data", "indices", "indptr", "shape")}
    np.savez(raw / "adj_full.npz", **csr)
    np.save(raw / "feats.npy", features, allow_pickle=True)
    (raw / "class_map.json").write_text(json.dumps(dict(enumerate(labels))))
    (raw / "role.json").write_text(json.dumps({"tr": [0, 1], "va": [2], "te": [3]}))


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


def planetoid(raw):
    """Write Planetoid raw files of a ring of 510 nodes, 2 classes, 3 features, with a self-loop and a repeated edge.

    PyG takes 500 nodes after the 4 of `x` for validation; the last 6 are test nodes.
    """
    features = sp.csr_matrix(np.arange(1530, dtype=np.float32).reshape(510, 3))
    labels = np.eye(2, dtype=np.int32)[np.arange(510) % 2]
    parts = {"x": features[:4], "allx": features[:504], "tx": features[504:]}
    parts |= {"y": labels[:4], "ally": labels[:504], "ty": labels[504:]}
    parts["graph"] = {i: [(i + 1) % 510, (i - 1) % 510, (i + 1) % 510, i] for i in range(510)}
    for name, part in parts.items():
        (raw / f"ind.tiny.{name}").write_bytes(pickle.dumps(part))
    (raw / "ind.tiny.test.index").write_text("".join(f"{i}\n" for i in range(504, 510)))


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
    "Planetoid": ("Tiny", "Tiny/raw", planetoid),
}
