"""A graph's file gives back the graph, always has the same bytes, and is refused when damaged."""

import json
import time
import zipfile

import numpy as np
import pytest

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


def _members(graph=None):
    graph = graph or path_graph()
    described = {**graph.metadata, "content_sha256": graph.content_sha256}
    arrays = {name: getattr(graph, name) for name in ARRAYS}
    return {"metadata": np.frombuffer(json.dumps(described).encode(), np.uint8), **arrays}


def test_the_layout_is_what_numpy_writes(tmp_path):
    np.savez(tmp_path / "graph.npz", **_members())
    assert load_graph(tmp_path / "graph.npz").id == "path"


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"features": np.eye(4, 3, dtype=np.float32) * 2}, "its content has changed"),
        ({"labels": np.array([0, 1, 1, -1], np.int32)}, "labels is int32, not int64"),
        ({"labels": np.array([0, 1, 1, None])}, "allow_pickle"),
        ({"labels": None}, "array labels is missing"),
        ({"metadata": None}, "array metadata is missing"),
        ({"metadata": np.zeros(3)}, "not JSON text"),
        ({"metadata": np.frombuffer(b"[1]", np.uint8)}, "field id is missing"),
        ({"metadata": np.frombuffer(b"{", np.uint8)}, "not JSON text"),
    ],
)
def test_a_file_with_a_wrong_part_is_refused_by_name(tmp_path, changes, complaint):
    members = {name: array for name, array in (_members() | changes).items() if array is not None}
    path = tmp_path / "graph.npz"
    np.savez(path, **members)
    with pytest.raises(Refusal, match=complaint) as refused:
        load_graph(path)
    assert str(refused.value).startswith(f"{path}: ")
    assert "\n" not in str(refused.value)


def test_a_changed_name_is_noticed(tmp_path):
    members = _members()
    text = members["metadata"].tobytes().replace(b'"path"', b'"hath"')
    np.savez(tmp_path / "graph.npz", **members | {"metadata": np.frombuffer(text, np.uint8)})
    with pytest.raises(Refusal, match="SHA-256 differs"):
        load_graph(tmp_path / "graph.npz")


@pytest.mark.parametrize("content", [b"", b"not a zip", b"\x80\x04N.", b"PK\x03\x04" + bytes(40)])
def test_a_file_that_is_no_archive_is_refused_by_name(tmp_path, content):
    path = tmp_path / "graph.npz"
    path.write_bytes(content)
    with pytest.raises(Refusal, match=r"not readable as an \.npz file") as refused:
        load_graph(path)
    assert str(path) in str(refused.value)


def test_any_truncation_and_any_flipped_byte_of_the_arrays_is_refused(tmp_path):
    path = tmp_path / "graph.npz"
    save_graph(path, path_graph())
    whole = path.read_bytes()
    for length in range(0, len(whole), 97):
        path.write_bytes(whole[:length])
        with pytest.raises(Refusal):
            load_graph(path)
    position = whole.index(path_graph().features.tobytes())
    for offset in range(path_graph().features.nbytes):
        damaged = bytearray(whole)
        damaged[position + offset] ^= 1
        path.write_bytes(damaged)
        with pytest.raises(Refusal):
            load_graph(path)


def test_an_empty_archive_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "graph.npz", "w"):
        pass
    with pytest.raises(Refusal, match="array metadata is missing"):
        load_graph(tmp_path / "graph.npz")


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(Refusal, match="no such file"):
        load_graph(tmp_path / "graph.npz")
