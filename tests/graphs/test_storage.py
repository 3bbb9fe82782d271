"""A graph's file gives back the graph, always has the same bytes, and is refused when damaged."""

import json
import random
import time

import numpy as np
import pytest

from faults.damage import DAMAGES
from faults.drawn import assert_graph_or_sentence
from gnn_checkpointing.graphs.graph import ARRAYS
from gnn_checkpointing.graphs.make import make_graph
from gnn_checkpointing.graphs.storage import load_graph, save_graph
from gnn_checkpointing.refusal import Refusal

from .builders import generated, path_graph


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
