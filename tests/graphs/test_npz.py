"""An `.npz` in the layout of PyG's read_npz is read as it is, its changes are counted, or it is refused."""

import gzip
import io
import os
import pickle
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.io import savemat

from faults.drawn import as_often_as_asked, assert_graph_or_sentence
from gnn_checkpointing.graphs import files
from gnn_checkpointing.refusal import Refusal

from .builders import real
from .raw_files import EDGES, Opened, arrays


def load(folder, edges=EDGES, to_undirected=False, **changes):
    np.savez(folder / "graph.npz", **arrays(edges, **changes))
    return real(folder, npz="graph.npz", to_undirected=to_undirected)


def test_it_is_read_below_data_root_or_by_its_whole_path(tmp_path):
    graph = load(tmp_path)
    assert graph.edge_index.tolist() == [[1, 0, 2, 1], [0, 1, 1, 2]]
    assert graph.labels.tolist() == [0, 1, 1, -1]
    assert graph.num_classes == 2
    assert not (graph.train_mask | graph.test_mask)[3]
    assert real(npz=str(tmp_path / "graph.npz")).content_sha256 == graph.content_sha256
    assert [path.name for path in tmp_path.iterdir()] == ["graph.npz"]
    (tmp_path / "graph.npz").rename(tmp_path / "graph.NPZ")
    assert real(tmp_path, npz="graph.NPZ").num_edges == graph.num_edges
    with pytest.raises(Refusal, match="data_root, which is not set"):
        real(npz="graph.npz")
    with pytest.raises(Refusal, match=r"absent\.npz is missing; put the \.npz there"):
        real(tmp_path, npz="absent.npz")


def test_a_directed_graph_is_refused_unless_the_entry_asks_for_reverses(tmp_path):
    with pytest.raises(Refusal, match="1 of 3 edges have no reverse; set to_undirected: true"):
        load(tmp_path, edges=((0, 1), (1, 2), (2, 1)))
    assert load(tmp_path, edges=((0, 1), (1, 2), (2, 1)), to_undirected=True).num_edges == 4


def test_what_is_not_plain_is_counted(tmp_path):
    """Of 7 entries one is a self-loop, two repeat an edge, and two have weights other than 1."""
    changes = {"adj_data": np.array([1, 1, 2.5, 0, 1, 1, 1])}
    graph = load(tmp_path, edges=(*EDGES, (0, 1), (1, 0)), **changes)
    assert graph.num_edges == 4
    assert (graph.provenance.self_loops_removed, graph.provenance.duplicates_removed) == (1, 2)
    assert graph.provenance.notes == ["2 edges have weights other than 1 (1 of them 0), which are ignored"]


def test_labels_below_none_are_counted(tmp_path):
    """As 200 is in 8 bits: -56."""
    graph = load(tmp_path, labels=np.array([0, 1, 200, 300], np.int64).astype(np.int8))
    assert graph.labels.tolist() == [0, 1, -1, 2]
    assert graph.provenance.notes == ["1 nodes have a label below -1, which is taken for none"]


def test_features_are_what_the_file_holds(tmp_path):
    """PyG's own reader would turn 0.5 and 7 into 1."""
    rounded = load(tmp_path, attr_data=np.array([2**24 + 1, 2**30, -(2**53) - 1]))
    assert rounded.provenance.notes == ["2 features beyond 16,777,216 are rounded to single precision"]
    assert load(tmp_path, attr_data=np.ones(3, np.float16), class_names=np.array(["a", None])).features.sum() == 3
    assert load(tmp_path, attr_data=np.array([0.5, 7, -2])).features.tolist() == [
        [0.5, 0, 0], [0, 7, 0], [0, 0, -2], [0, 0, 0],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"labels": None}, "labels"),
        ({"adj_data": None}, "adj_data"),
        ({"labels": np.array([0, 1])}, "adj_shape|attr_shape"),
        ({"labels": np.array(["a", "b", "c", "d"])}, "labels must be integers"),
        ({"labels": np.array([0, 1, None, 1])}, "allow_pickle"),
        ({"labels": np.array([0.5, 1, 1, 1])}, "labels must be integers"),
        ({"adj_indices": np.array([1, 0, 2, 1, 2**20])}, "indices"),
        ({"adj_indices": np.array([1, 0, 2, 1, -1])}, "indices"),
        ({"adj_indices": np.array([1, 0, 2, 1.5, 2])}, "adj_indices must be integers, not float64"),
        ({"adj_indptr": np.array([0, 1, 3, 5])}, "index pointer"),
        ({"adj_shape": np.array([4.0, 4.0])}, "adj_shape must be integers"),
        ({"adj_data": np.array(["x"] * 5)}, "adj_data must be real numbers"),
        ({"attr_indices": np.array([0, 1, 2**20])}, "indices"),
        ({"attr_indices": np.array([0, 1, -1])}, "indices"),
        (
            {"attr_indices": np.array([0, 0, 1]), "attr_indptr": np.array([0, 2, 3, 3, 3])},
            "attr has 1 values in places",
        ),
        ({"adj_indptr": np.array([0, 1, 3, 4, 4])}, "adj_indptr ends at 4, and leaves out the last of 5 values"),
        ({"attr_shape": np.array([4])}, "attr_shape must be two numbers"),
        ({"attr_shape": np.array([4, 10**12])}, "attr_shape 4 x 1000000000000 is more than 8 GiB"),
        ({"attr_data": np.full(3, np.nan, np.float32)}, "finite numbers"),
        ({"attr_data": np.full(3, 1e39)}, r"finite numbers of at most 3\.4e\+38"),
        ({"attr_data": np.array([1, 2, 3j])}, "attr_data must be real numbers, not complex128"),
    ],
)
def test_another_layout_is_one_sentence_with_its_name(tmp_path, changes, words):
    with pytest.raises(Refusal, match=words) as refused:
        load(tmp_path, **changes)
    assert str(tmp_path / "graph.npz") in str(refused.value)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 damaged", None])
def test_an_unreadable_file_is_one_sentence_and_no_pickle_is_opened(tmp_path, content):
    (tmp_path / "graph.npz").write_bytes(pickle.dumps(Opened(tmp_path / "marker")) if content is None else content)
    with pytest.raises(Refusal, match=r"graph\.npz: not readable as an \.npz file"):
        real(tmp_path, npz="graph.npz")
    assert not (tmp_path / "marker").exists()


def test_an_archive_that_unfolds_is_refused_before_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr("gnn_checkpointing.records.arrays.ALWAYS_ALLOWED", 2**16)
    np.savez_compressed(tmp_path / "graph.npz", **arrays(attr_data=np.zeros(2**22)))
    monkeypatch.setattr(np.lib.format, "read_array", lambda *_, **__: pytest.fail("it was read"))
    with pytest.raises(Refusal, match="more than 64 times the file's; save it without compression"):
        real(tmp_path, npz="graph.npz")


def test_two_arrays_of_one_name_are_refused(tmp_path):
    np.savez(tmp_path / "graph.npz", **arrays())
    with zipfile.ZipFile(tmp_path / "graph.npz", "a") as archive:
        archive.writestr("labels", archive.read("labels.npy"))
    with pytest.raises(Refusal, match="it holds two arrays of one name"):
        real(tmp_path, npz="graph.npz")


def test_an_array_whose_header_promises_more_is_refused_before_it_is_read(tmp_path):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (2**40,)})
    with zipfile.ZipFile(tmp_path / "graph.npz", "w") as archive:
        archive.writestr("labels.npy", header.getvalue() + bytes(8))
    with pytest.raises(Refusal, match="array labels has another size than its header says"):
        real(tmp_path, npz="graph.npz")


def gzipped(path, array):
    path.write_bytes(gzip.compress(array.tobytes()))


def archived(path, array):
    np.savez_compressed(path, data=array)


def matlab(path, array):
    savemat(path, {"before": np.eye(2), "data": array}, do_compression=True)


@pytest.mark.parametrize(("name", "write"), [("edge.csv.gz", gzipped), ("adj.npz", archived), ("data.mat", matlab)])
def test_a_file_that_unfolds_is_refused_without_keeping_it(tmp_path, monkeypatch, name, write):
    monkeypatch.setattr("gnn_checkpointing.records.arrays.ALWAYS_ALLOWED", 2**16)
    path = tmp_path / name
    write(path, np.zeros(2**22, np.uint8))
    with pytest.raises(Refusal, match=f"{name}: unfolds to more than"):
        files.refuse_bomb(path)
    write(path, np.frombuffer(os.urandom(2**18), np.uint8))
    files.refuse_bomb(path)
    path.write_bytes(path.read_bytes()[: 2**17])
    files.refuse_bomb(path)


@as_often_as_asked
@given(data=st.data())
def test_any_array_in_place_of_another_is_a_graph_or_one_sentence(data, tmp_path):
    name = data.draw(st.sampled_from(sorted(arrays())))
    kinds = st.sampled_from(["i1", "u8", "i8", "f2", "f8", "c8", "?", "U2", "S1", "M8[s]", "V3"])
    shape = data.draw(st.lists(st.integers(0, 5), max_size=3).map(tuple))
    raw = data.draw(st.binary(min_size=0, max_size=40)) * 60
    dtype = np.dtype(data.draw(kinds))
    count = int(np.prod(shape))
    changed = np.frombuffer((raw or b"\1" * 4000)[: count * dtype.itemsize].ljust(count * dtype.itemsize), dtype)
    if changed.dtype.kind == "U":
        changed = changed.view("u4").astype("U2")[:count]
    with np.errstate(all="ignore"):
        assert_graph_or_sentence(lambda: load(tmp_path, to_undirected=True, **{name: changed.reshape(shape)}))


@as_often_as_asked
@given(data=st.data())
def test_any_damage_to_the_file_is_a_graph_or_one_sentence(data, tmp_path):
    path = tmp_path / "graph.npz"
    np.savez_compressed(path, **arrays())
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))] if data.draw(st.booleans()) else content)
    assert_graph_or_sentence(lambda: real(tmp_path, npz="graph.npz"))
