"""A graph checks itself, is described, and comes back from its file, which is refused when damaged."""

import json
import random
import time

import networkx
import numpy as np
import pytest

from faults.damage import DAMAGES
from faults.drawn import assert_graph_or_sentence
from gnn_checkpointing.graphs.graph import ARRAYS, facts, structure
from gnn_checkpointing.graphs.make import make_graph
from gnn_checkpointing.graphs.pairs import both_directions, missing_reverses, simple_edges
from gnn_checkpointing.graphs.storage import load_graph, save_graph
from gnn_checkpointing.refusal import Refusal

from .builders import drawn, generated, path_graph

NAN = np.full((4, 3), np.nan, np.float32)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"edge_index": np.array([[1, 0], [0, 1]], np.int32)}, "edge_index is int32, not int64"),
        ({"edge_index": np.array([1, 0])}, "edge_index has the impossible shape"),
        ({"edge_index": np.empty((2, 0), np.int64)}, "no edges"),
        ({"edge_index": np.array([[0, 1], [1, 0]])}, "not sorted by destination then source"),
        ({"edge_index": np.array([[1, 1, 0, 0], [0, 0, 1, 1]])}, "holds an edge twice"),
        ({"edge_index": np.array([[1, 2, 0], [0, 0, 1]])}, "1 edges have no reverse"),
        ({"edge_index": np.array([[0], [0]])}, "self-loops"),
        ({"edge_index": np.array([[4, 0], [0, 4]])}, "nodes outside 0 to 3"),
        ({"edge_index": np.array([[-1, 0], [0, -1]])}, "nodes outside 0 to 3"),
        ({"features": np.ones((4, 3))}, "features is float64, not float32"),
        ({"features": np.ones((3, 3), np.float32)}, "features has the impossible shape"),
        ({"features": NAN}, "infinities or NaN"),
        ({"labels": np.array([0, 1, 2, -1])}, "labels run from -1 to 2"),
        ({"labels": np.array([0, 1, -2, 1])}, "labels run from -2 to 1"),
        ({"labels": np.array([[0, 1], [1, 0]])}, "labels has the impossible shape"),
        ({"labels": np.array(0)}, "features has the impossible shape"),
        ({"train_mask": np.array([True, False, False])}, "train_mask has the impossible shape"),
        ({"test_mask": np.array([True, False, True, False])}, "share nodes"),
        ({"test_mask": np.array([False, False, True, True])}, "without a label"),
        ({"train_mask": np.zeros(4, bool)}, "is empty"),
    ],
)
def test_a_wrong_part_is_named(changes, complaint):
    with pytest.raises(Refusal, match=complaint) as refused:
        path_graph(**changes)
    assert str(refused.value).startswith("graph path: ")


def test_facts_are_counted_from_the_arrays():
    """A path of 4 nodes has 6 directed edges: 6 / 4 per node, and 6 of 4 * 3 ordered pairs."""
    found = facts(path_graph())
    assert (found.num_nodes, found.num_edges, found.num_features, found.num_classes) == (4, 6, 3, 2)
    assert (found.average_degree, found.density) == (1.5, 0.5)
    assert found.sha256 == path_graph().content_sha256


@pytest.mark.parametrize(
    "changes",
    [
        {"label": "another"},
        {"num_classes": 3},
        {"requested_average_degree": 1.5},
        {"features": np.zeros((4, 3), np.float32)},
        {"labels": np.array([1, 1, 1, -1])},
        {"edge_index": np.array([[1, 0], [0, 1]])},
    ],
)
def test_the_content_hash_sees_every_part(changes):
    assert path_graph(**changes).content_sha256 != path_graph().content_sha256


def test_the_content_hash_does_not_depend_on_memory_layout():
    fortran = np.asfortranarray(path_graph().features)
    assert path_graph(features=fortran).content_sha256 == path_graph().content_sha256


def test_edges_are_made_simple_and_reverses_counted():
    raw = np.array([[2, 0, 0, 1, 3, 1], [1, 1, 1, 0, 3, 2]])
    edges = simple_edges(raw, 4)
    assert edges.T.tolist() == [[1, 0], [0, 1], [2, 1], [1, 2]]
    assert missing_reverses(edges, 4) == 0
    assert missing_reverses(edges[:, :3], 4) == 1


@pytest.mark.parametrize("family", ["sbm", "watts_strogatz", "spatial", "heavy_tail"])
def test_sampled_clustering_is_networkx_average_clustering(family):
    """100,000 pairs: a standard error of at most 0.0016, so 0.008 is five of them."""
    graph = drawn(family, 400, 7.0)
    nodes = networkx.Graph()
    nodes.add_nodes_from(range(400))
    nodes.add_edges_from(graph.edge_index.T.tolist())
    exact = networkx.average_clustering(nodes)
    assert structure(graph.edge_index, graph.labels).clustering == pytest.approx(exact, abs=0.008)


def test_degrees_isolated_nodes_homophily_and_clustering_are_counted():
    """A star of four with a leaf without a label, and one node apart: degrees 3, 1, 1, 1, 0."""
    edges = both_directions(np.array([[1, 2, 3], [0, 0, 0]]), 5)
    found = structure(edges, np.array([0, 0, 1, -1, 1]))
    assert found.degree_quantiles == (0, 1, 1, 1, 3)
    assert (found.maximum_degree, found.isolated_nodes) == (3, 1)
    # Of the edges 0-1, 0-2 and 0-3, two join labelled nodes, one of them equal labels.
    assert found.homophily == 0.5
    assert found.clustering == 0.0
    # A triangle is all clustered, and nothing labelled has no homophily; no node with two neighbours, no clustering.
    edges = both_directions(np.array([[1, 2, 2], [0, 0, 1]]), 3)
    found = structure(edges, np.array([-1, -1, -1]))
    assert found.clustering == 1.0
    assert found.homophily is None
    found = structure(both_directions(np.array([[1], [0]]), 2), np.array([0, 1]))
    assert found.clustering == 0.0


@pytest.mark.parametrize("drawn", [False, True], ids=["path", "sbm"])
def test_a_graph_comes_back_as_it_was_written(tmp_path, drawn):
    graph = make_graph(generated()) if drawn else path_graph()
    save_graph(tmp_path / "new" / "graph.npz", graph)
    back = load_graph(tmp_path / "new" / "graph.npz")
    assert back.metadata == graph.metadata
    assert all(np.array_equal(getattr(back, name), getattr(graph, name)) for name in ARRAYS)
    assert back.content_sha256 == graph.content_sha256


def test_the_same_graph_gives_the_same_bytes_at_another_time(tmp_path, monkeypatch):
    save_graph(tmp_path / "first.npz", path_graph())
    monkeypatch.setattr(time, "time", lambda: 2_000_000_000.0)
    monkeypatch.setattr(time, "localtime", lambda *_: time.gmtime(2_000_000_000))
    save_graph(tmp_path / "second.npz", path_graph())
    assert (tmp_path / "first.npz").read_bytes() == (tmp_path / "second.npz").read_bytes()


def test_nothing_is_left_of_a_file_that_could_not_be_written(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError("disk full")

    monkeypatch.setattr(np.lib.format, "write_array", full)
    with pytest.raises(OSError, match="disk full"):
        save_graph(tmp_path / "graph.npz", path_graph())
    assert list(tmp_path.iterdir()) == []


def text(content):
    return np.frombuffer(content, np.uint8)


DESCRIBED = json.dumps({**path_graph().metadata, "content_sha256": path_graph().content_sha256}).encode()
MEMBERS = {"metadata": text(DESCRIBED)} | {name: getattr(path_graph(), name) for name in ARRAYS}


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({}, ""),  # the layout is what numpy writes
        ({"features": np.eye(4, 3, dtype=np.float32) * 2}, "its content has changed"),
        ({"labels": np.array([0, 1, 1, -1], np.int32)}, "labels is int32, not int64"),
        ({"labels": np.array([0, 1, 1, None])}, "allow_pickle"),
        ({"labels": None}, "array labels is missing"),
        ({"metadata": None}, "array metadata is missing"),
        (dict.fromkeys(MEMBERS), "array metadata is missing"),
        ({"metadata": np.zeros(3)}, "not JSON text"),
        ({"metadata": text(b"[1]")}, "array metadata: field record: Input should be"),
        ({"metadata": text(b"{}")}, "array metadata: field id: Field required"),
        ({"metadata": text(b"{")}, "array metadata: field record: Invalid JSON"),
        ({"metadata": text(DESCRIBED.replace(b'"path"', b'"hath"'))}, "SHA-256 differs"),
    ],
)
def test_a_file_with_a_wrong_part_is_refused_by_name(tmp_path, changes, complaint):
    path = tmp_path / "graph.npz"
    np.savez(path, **{name: array for name, array in (MEMBERS | changes).items() if array is not None})
    if not complaint:
        assert load_graph(path).id == "path"
        return
    with pytest.raises(Refusal, match=complaint) as refused:
        load_graph(path)
    assert str(refused.value).startswith(f"{path}: ")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("content", [b"", b"not a zip", b"\x80\x04N.", b"PK\x03\x04" + bytes(40), None])
def test_a_file_that_is_no_archive_is_refused_by_name(tmp_path, content):
    path = tmp_path / "graph.npz"
    if content is not None:
        path.write_bytes(content)
    words = "no such file" if content is None else r"not readable as an \.npz file"
    with pytest.raises(Refusal, match=words) as refused:
        load_graph(path)
    assert str(path) in str(refused.value)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_refused_by_name_or_holds_the_same_graph(tmp_path, damage):
    """A bit of the container that says nothing of the graph may turn; every byte of the features counts."""
    path = tmp_path / "graph.npz"
    save_graph(path, path_graph())
    whole = path.read_bytes()
    found = []
    for seed in range(60):
        path.write_bytes(damage(whole, random.Random(seed)))
        said = assert_graph_or_sentence(lambda: found.append(load_graph(path).content_sha256))
        assert not said or path.name in said
    assert set(found) <= {path_graph().content_sha256}
    start = whole.index(path_graph().features.tobytes())
    for place in range(start, start + path_graph().features.nbytes):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert path.name in assert_graph_or_sentence(lambda: load_graph(path))


def test_a_graph_under_another_ones_name_is_refused(tmp_path):
    save_graph(tmp_path / "graph.npz", path_graph())
    with pytest.raises(Refusal, match="holds the graph path, not another"):
        load_graph(tmp_path / "graph.npz", "another")
