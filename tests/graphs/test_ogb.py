"""Graphs of the Open Graph Benchmark are read from their raw tables, without its pickles."""

import gzip
import sys

import pytest

from gnn_checkpointing.graphs.make import make_graph
from gnn_checkpointing.graphs.sources import raw_files
from gnn_checkpointing.refusal import Refusal

from .builders import loaded

TABLES = {
    "edge.csv.gz": "0,1\n1,2\n2,3\n",
    "node-feat.csv.gz": "1,2\n3,4\n5,6\n7,8\n",
    "node-label.csv.gz": "0\n1\n1\n0\n",
    "num-node-list.csv.gz": "4\n",
    "num-edge-list.csv.gz": "3\n",
}


@pytest.fixture
def data_root(tmp_path):
    """A folder with raw tables in OGB's layout: a path of four nodes."""
    raw = tmp_path / "OGB" / "ogbn_arxiv" / "raw"
    raw.mkdir(parents=True)
    for name, text in TABLES.items():
        (raw / name).write_bytes(gzip.compress(text.encode()))
    return tmp_path


def arxiv(root):
    return make_graph(loaded(**{"class": "OGB"}, name="ogbn-arxiv", to_undirected=True, data_root=str(root)))


def test_raw_tables_become_the_graph(data_root):
    pytest.importorskip("ogb")
    before = sorted(data_root.rglob("*"))
    graph = arxiv(data_root)
    assert graph.edge_index.tolist() == [[1, 0, 2, 1, 3, 2], [0, 1, 1, 2, 2, 3]]
    assert graph.features.tolist() == [[1, 2], [3, 4], [5, 6], [7, 8]]
    assert graph.labels.tolist() == [0, 1, 1, 0]
    assert graph.provenance.licence == "ODC-BY"
    assert set(graph.provenance.files) == set(TABLES)
    assert sorted(data_root.rglob("*")) == before


def test_damaged_tables_are_refused_with_their_place(data_root):
    pytest.importorskip("ogb")
    (data_root / "OGB/ogbn_arxiv/raw/node-label.csv.gz").write_bytes(gzip.compress(b"0\none\n"))
    with pytest.raises(Refusal, match=r"ogb cannot read the raw files in .*ogbn_arxiv/raw"):
        arxiv(data_root)


def test_offline_the_missing_tables_are_named(tmp_path, monkeypatch):
    pytest.importorskip("ogb")
    from gnn_checkpointing.graphs.sources import ogb

    def offline(name, raw):
        raise OSError("no route to host")

    monkeypatch.setattr(ogb, "_download", offline)
    monkeypatch.setattr(raw_files, "DOWNLOADS", tmp_path / "downloads")
    with pytest.raises(Refusal, match=r"put edge.csv.gz, .* into .*OGB/ogbn_arxiv/raw"):
        arxiv(tmp_path)


def test_without_the_package_the_remedy_is_named(data_root, monkeypatch):
    monkeypatch.setitem(sys.modules, "ogb.io.read_graph_raw", None)
    with pytest.raises(Refusal, match=r'class OGB needs the package ogb.*pip install "gnn-checkpointing\[ogb\]"'):
        arxiv(data_root)
