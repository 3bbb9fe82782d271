"""Public graphs are read offline by PyG and ogb: no unchecked pickle is opened, nothing written below data_root."""

import hashlib
import pickle
import shutil
import sys
import time
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from torch_geometric import datasets as pyg

from gnn_checkpointing.graphs import datasets, files
from gnn_checkpointing.graphs.storage import load_graph, save_graph
from gnn_checkpointing.refusal import Refusal

from .builders import real
from .raw_files import CLASSES, FEATURES, Opened


@pytest.fixture(autouse=True)
def _offline_in_a_folder_of_its_own(tmp_path, monkeypatch):
    """PyG's downloads fail at once, and results/ would appear below tmp_path / "here"."""

    def offline(dataset):
        raise OSError("no route to host")

    for base in (pyg.Planetoid, pyg.LINKXDataset, pyg.HeterophilousGraphDataset):
        monkeypatch.setattr(base, "download", offline)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


@pytest.fixture
def written(tmp_path):
    """A function that writes the raw files of a class, and gives their folder and a function that reads them."""

    def write(dataset, *content, **changes):
        name, place, writer = CLASSES[dataset]
        raw = tmp_path / "data" / dataset / place
        raw.mkdir(parents=True)
        writer(raw, *content)
        known = checksums(raw) if dataset == "Planetoid" else {}
        values = {"name": name, "to_undirected": dataset == "OGB", "sha256": known, **changes}
        return raw, lambda **more: real(tmp_path / "data", dataset=dataset, **values | more)

    return write


def checksums(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def listing(folder):
    return sorted((str(path), path.stat().st_mtime_ns) for path in [folder, *folder.rglob("*")])


@pytest.mark.parametrize("dataset", CLASSES)
def test_a_class_reads_its_own_layout_and_writes_nowhere(tmp_path, written, dataset):
    raw, read = written(dataset)
    before = listing(tmp_path)
    graph = read()
    assert listing(tmp_path) == before
    assert graph.provenance.source.startswith("https://")
    assert set(graph.provenance.files) == {path.name for path in raw.iterdir()}
    assert any("several" in note for note in graph.provenance.notes) == (dataset == "Yelp")
    if dataset == "Planetoid":
        assert (graph.num_nodes, graph.num_edges, graph.num_classes, graph.label) == (510, 1020, 2, "Tiny")
        assert np.array_equal(graph.features, np.arange(1530).reshape(510, 3))
        assert graph.labels.tolist() == [0, 1] * 255
        return
    assert graph.edge_index.tolist() == [[1, 0, 2, 1, 3, 2], [0, 1, 1, 2, 2, 3]]
    assert graph.labels.tolist() == [0, 1, 0, 1]
    if dataset == "OGB":
        assert graph.features.tolist() == [[1, 2], [3, 4], [5, 6], [7, 8]]
        assert graph.provenance.licence == "ODC-BY"
    if dataset == "Flickr":
        narrow = read(num_features=1, licence="mine")
        assert narrow.features.shape == (4, 1)
        assert (narrow.provenance.projected_from, narrow.provenance.licence) == (2, "mine")


def test_karate_club_needs_no_files():
    label = "Zachary <script> #strong[x]"
    graph, again = (real(dataset="KarateClub", name="karate", label=label) for _ in range(2))
    assert (graph.num_nodes, graph.num_edges, graph.num_classes) == (34, 156, 4)
    assert np.array_equal(graph.features, np.eye(34))
    assert graph.label == label
    assert graph.requested_average_degree is None
    assert graph.content_sha256 == again.content_sha256


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


@pytest.mark.parametrize("name", ["ind.tiny.x", "ind.tiny.graph"])
def test_a_pickle_that_is_unknown_or_changed_is_refused_before_it_is_opened(tmp_path, written, name):
    raw, read = written("Planetoid")
    known = checksums(raw)
    remedy = rf"{name} is a pickle.*not opened.*sha256sum .*/Tiny/raw/\*.*entry"
    with pytest.raises(Refusal, match=remedy):
        read(sha256={other: sha256 for other, sha256 in known.items() if other != name})
    (raw / name).write_bytes(pickle.dumps(Opened(tmp_path / "marker")))
    with pytest.raises(Refusal, match=rf"{name} has SHA-256 .*not opened"):
        read()
    assert not (tmp_path / "marker").exists()
    pickle.loads((raw / name).read_bytes())
    assert (tmp_path / "marker").exists()


@pytest.mark.parametrize(
    ("dataset", "name", "names", "words"),
    [
        # An entry cannot replace the checksums that the project knows.
        ("Planetoid", "Cora", files.KNOWN_SHA256, "not opened"),
        # LINKXDataset opens penn94's splits with allow_pickle=True.
        ("LINKXDataset", "penn94", ["data.mat", "fb100-Penn94-splits.npy"], r"fb100-Penn94-splits\.npy"),
        ("HeterophilousGraphDataset", "tolokers", ["tolokers.npz"], "PyG cannot read the raw files in {raw}"),
    ],
)
def test_no_raw_file_is_unpickled_unchecked(tmp_path, dataset, name, names, words):
    raw = tmp_path / "data" / dataset / name / "raw"
    raw.mkdir(parents=True)
    for one in names:
        (raw / one).write_bytes(pickle.dumps(Opened(tmp_path / "marker")))
    own = checksums(raw) if dataset == "Planetoid" else {}
    with pytest.raises(Refusal, match=words.format(raw=raw)):
        real(tmp_path / "data", dataset=dataset, name=name, sha256=own)
    assert not (tmp_path / "marker").exists()


def test_without_raw_files_one_sentence_says_which_to_put_where(tmp_path, written, monkeypatch):
    raw = tmp_path / "data" / "Planetoid" / "Cora" / "raw"
    raw.mkdir(parents=True)
    (raw / "ind.cora.x").write_bytes(b"")
    before = listing(tmp_path)
    with pytest.raises(Refusal) as refused:
        real(tmp_path / "data", dataset="Planetoid", name="Cora")
    assert str(refused.value) == (
        "real graph Cora: raw files of Planetoid are neither here nor downloadable (no route to host); put "
        "ind.cora.tx, ind.cora.allx, ind.cora.y, ind.cora.ty, ind.cora.ally, ind.cora.graph, ind.cora.test.index "
        f"into {raw}"
    )
    assert listing(tmp_path) == before
    place = tmp_path / "here" / "results" / "downloads" / "HeterophilousGraphDataset" / "tolokers" / "raw"
    with pytest.raises(Refusal, match=f"put tolokers.npz into {place}; or set data_root"):
        real(dataset="HeterophilousGraphDataset", name="tolokers")
    raw, read = written("OGB")
    (raw / "edge.csv.gz").unlink()

    def offline(name, raw):
        raise OSError("no route to host")

    monkeypatch.setattr(datasets, "_download_ogb", offline)
    with pytest.raises(Refusal, match=r"put edge.csv.gz into .*OGB/ogbn_arxiv/raw"):
        read()


def test_without_the_package_of_ogb_the_remedy_is_named(written, monkeypatch):
    monkeypatch.setitem(sys.modules, "ogb.io.read_graph_raw", None)
    with pytest.raises(Refusal, match=r'class OGB needs the package ogb.*pip install "\.\[ogb\]"'):
        written("OGB")[1]()


def test_a_download_is_kept_in_our_folder_and_used_again(tmp_path, written, monkeypatch):
    server, _ = written("Planetoid")
    known = checksums(server)

    def download(dataset):
        for path in server.iterdir():
            (Path(dataset.raw_dir) / path.name).write_bytes(path.read_bytes())

    def read():
        return real(tmp_path / "empty", dataset="Planetoid", name="Tiny", sha256=known)

    (tmp_path / "empty").mkdir()
    with monkeypatch.context() as online:
        online.setattr(pyg.Planetoid, "download", download)
        first = read()
    kept = Path("results/downloads/Planetoid/Tiny/raw")
    assert {name: sha256 for name, sha256 in checksums(kept).items() if not name.startswith(".")} == known
    assert list((tmp_path / "empty").iterdir()) == []
    assert read().content_sha256 == first.content_sha256
    (kept / "ind.tiny.x").write_bytes(b"other")
    with pytest.raises(Refusal, match=r"ind\.tiny\.x: has changed since it was written"):
        read()


def test_an_archive_of_ogb_is_unpacked_into_our_folder(tmp_path, written, monkeypatch):
    raw, read = written("OGB")
    archive = shutil.make_archive(str(tmp_path / "arxiv"), "zip", raw.parents[1])
    asked = []
    monkeypatch.setattr("ogb.utils.url.download_url", lambda url, to: asked.append(url) or shutil.copy(archive, to))
    assert real(dataset="OGB", name="ogbn-arxiv", to_undirected=True).content_sha256 == read().content_sha256
    assert len(asked) == 1 and asked[0].endswith("arxiv.zip")


def test_a_raw_file_may_have_any_size(written, monkeypatch):
    """Reddit's and Yelp's features are larger than any file of ours, which are read whole."""
    monkeypatch.setattr("gnn_checkpointing.packed.MOST_BYTES", 10)
    assert written("Flickr")[1]().num_nodes == 4


def test_a_file_that_vanishes_while_it_is_copied_is_one_sentence(written, monkeypatch):
    copying(monkeypatch, FileNotFoundError(2, "No such file or directory", "feats.npy"))
    with pytest.raises(Refusal, match=r"real graph flickr: feats\.npy vanished while it was read; put it back"):
        written("Flickr")[1]()


def test_a_full_disk_is_no_fault_of_the_raw_files(written, monkeypatch):
    copying(monkeypatch, OSError(28, "No space left on device", "/data/feats.npy", None, "/tmp/feats.npy"))
    with pytest.raises(OSError, match="No space left"):
        written("Flickr")[1]()
    none = FileNotFoundError(2, "No usable temporary directory found in ['/tmp']")
    monkeypatch.setattr(datasets.tempfile, "TemporaryDirectory", mock.Mock(side_effect=none))
    with pytest.raises(FileNotFoundError, match="No usable temporary directory"):
        written("Yelp")[1]()


def copying(monkeypatch, error):
    monkeypatch.setattr(datasets.shutil, "copyfile", mock.Mock(side_effect=error))


def test_a_download_that_brings_nothing_is_given_up(monkeypatch):
    monkeypatch.setattr(pyg.Planetoid, "download", lambda dataset: time.sleep(20))
    monkeypatch.setattr(datasets, "SILENT_SECONDS", 0.3)
    started = time.monotonic()
    with pytest.raises(Refusal, match=r"nothing arrived for 0\.3 s"):
        real(dataset="Planetoid", name="Cora")
    assert time.monotonic() - started < 15


@pytest.mark.parametrize("dataset", ["LINKXDataset", "HeterophilousGraphDataset"])
def test_a_name_that_pyg_does_not_know_is_refused(tmp_path, dataset):
    with pytest.raises(Refusal, match=f"real graph nope: PyG's {dataset} has no dataset of that name"):
        real(tmp_path, dataset=dataset, name="nope")


DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.mark.skipif(not DATA.is_dir(), reason=f"no folder {DATA}: the real graphs are not part of the repository")
@pytest.mark.parametrize(
    ("entry", "num_nodes", "num_edges", "num_features", "num_classes"),
    [
        ({"dataset": "Planetoid", "name": "Cora"}, 2708, 10556, 1433, 7),
        ({"npz": "Twitch-DE/raw/graph.npz", "name": "Twitch-DE", "to_undirected": True}, 9498, 306276, 3170, 2),
        ({"dataset": "LINKXDataset", "name": "amherst41"}, 2235, 181908, 1193, 2),
        ({"dataset": "HeterophilousGraphDataset", "name": "tolokers"}, 11758, 1038000, 10, 2),
        ({"npz": "ACM3025-PLP/raw/graph.npz", "name": "ACM3025-PLP"}, 3025, 2207736, 1870, 3),
    ],
    ids=lambda value: value["name"] if isinstance(value, dict) else "",
)
def test_a_real_graph_is_loaded_as_described(tmp_path, entry, num_nodes, num_edges, num_features, num_classes):
    before = sorted(DATA.rglob("*"))
    graph = real(DATA, **entry)
    assert (graph.num_nodes, graph.num_edges) == (num_nodes, num_edges)
    assert (graph.features.shape[1], graph.num_classes) == (num_features, num_classes)
    assert ((graph.labels < 0).sum() == 203) if entry["name"] == "amherst41" else (graph.labels >= 0).all()
    assert sorted(DATA.rglob("*")) == before
    if entry["name"] == "amherst41":
        save_graph(tmp_path / "graph.npz", graph)
        assert load_graph(tmp_path / "graph.npz").content_sha256 == graph.content_sha256
