"""Real graphs are read offline through PyG: no unchecked pickle is opened, nothing written below data_root."""

import hashlib
import os
import pickle
import time
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
from torch_geometric import datasets as pyg

from gnn_checkpointing.graphs import datasets, files
from gnn_checkpointing.graphs.storage import load_graph, save_graph
from gnn_checkpointing.refusal import Refusal

from .builders import real


@pytest.fixture(autouse=True)
def _offline_in_a_folder_of_its_own(tmp_path, monkeypatch):
    """PyG's downloads fail at once, and results/ would appear below tmp_path / "here"."""

    def offline(dataset):
        raise OSError("no route to host")

    for base in (pyg.Planetoid, pyg.LINKXDataset, pyg.HeterophilousGraphDataset):
        monkeypatch.setattr(base, "download", offline)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


def tiny_planetoid(root):
    """Write Planetoid raw files of a ring of 510 nodes, 2 classes, 3 features.

    PyG takes 500 nodes after the 4 of `x` for validation; the last 6 are test nodes.
    """
    raw = root / "Planetoid" / "Tiny" / "raw"
    raw.mkdir(parents=True)
    features = sp.csr_matrix(np.arange(1530, dtype=np.float32).reshape(510, 3))
    labels = np.eye(2, dtype=np.int32)[np.arange(510) % 2]
    parts = {
        "x": features[:4],
        "allx": features[:504],
        "tx": features[504:],
        "y": labels[:4],
        "ally": labels[:504],
        "ty": labels[504:],
        # A self-loop and a repeated edge, as Planetoid's files have them.
        "graph": {i: [(i + 1) % 510, (i - 1) % 510, (i + 1) % 510, i] for i in range(510)},
    }
    for name, part in parts.items():
        (raw / f"ind.tiny.{name}").write_bytes(pickle.dumps(part))
    (raw / "ind.tiny.test.index").write_text("".join(f"{i}\n" for i in range(504, 510)))
    return raw


def checksums(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def listing(folder):
    return sorted((str(path), path.stat().st_mtime_ns) for path in [folder, *folder.rglob("*")])


class Opened:
    """A pickle that leaves a marker when it is opened."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


def test_karate_club_needs_no_files():
    graph = real(dataset="KarateClub", name="karate", label="Zachary <script> #strong[x]")
    assert (graph.num_nodes, graph.num_edges, graph.num_classes) == (34, 156, 4)
    assert np.array_equal(graph.features, np.eye(34))
    assert graph.label == "Zachary <script> #strong[x]"
    assert graph.requested_average_degree is None
    assert graph.content_sha256 == real(dataset="KarateClub", name="karate", label=graph.label).content_sha256


def test_a_dataset_is_read_and_nothing_is_written_below_data_root(tmp_path):
    raw = tiny_planetoid(tmp_path / "data")
    before = listing(tmp_path / "data")
    graph = real(tmp_path / "data", dataset="Planetoid", name="Tiny", sha256=checksums(raw))
    assert (graph.num_nodes, graph.num_edges, graph.num_classes, graph.label) == (510, 1020, 2, "Tiny")
    assert np.array_equal(graph.features, np.arange(1530).reshape(510, 3))
    assert graph.labels.tolist() == [0, 1] * 255
    assert listing(tmp_path / "data") == before
    assert list((tmp_path / "here").iterdir()) == []


def test_a_pickle_of_unknown_checksum_is_refused_with_the_remedy(tmp_path):
    raw = tiny_planetoid(tmp_path / "data")
    known = checksums(raw)
    del known["ind.tiny.graph"]
    with pytest.raises(Refusal, match=r"ind\.tiny\.graph is a pickle.*not opened.*sha256sum .*/Tiny/raw/\*.*entry"):
        real(tmp_path / "data", dataset="Planetoid", name="Tiny", sha256=known)


@pytest.mark.parametrize("name", ["ind.tiny.x", "ind.tiny.graph"])
def test_a_tampered_pickle_is_refused_before_it_is_opened(tmp_path, name):
    raw = tiny_planetoid(tmp_path / "data")
    known = checksums(raw)
    (raw / name).write_bytes(pickle.dumps(Opened(tmp_path / "marker")))
    with pytest.raises(Refusal, match=rf"{name} has SHA-256 .*not opened"):
        real(tmp_path / "data", dataset="Planetoid", name="Tiny", sha256=known)
    assert not (tmp_path / "marker").exists()
    pickle.loads((raw / name).read_bytes())
    assert (tmp_path / "marker").exists()


def test_an_entry_cannot_replace_the_checksums_that_the_project_knows(tmp_path):
    raw = tmp_path / "data" / "Planetoid" / "Cora" / "raw"
    raw.mkdir(parents=True)
    for name in files.KNOWN_SHA256:
        (raw / name).write_bytes(pickle.dumps(Opened(tmp_path / "marker")))
    with pytest.raises(Refusal, match="not opened"):
        real(tmp_path / "data", dataset="Planetoid", name="Cora", sha256=checksums(raw))
    assert not (tmp_path / "marker").exists()


def test_other_raw_files_that_pyg_unpickles_are_checked_too(tmp_path):
    """LINKXDataset opens penn94's splits with allow_pickle=True."""
    raw = tmp_path / "data" / "LINKXDataset" / "penn94" / "raw"
    raw.mkdir(parents=True)
    (raw / "data.mat").write_bytes(b"")
    (raw / "fb100-Penn94-splits.npy").write_bytes(b"")
    with pytest.raises(Refusal, match=r"fb100-Penn94-splits\.npy is a pickle"):
        real(tmp_path / "data", dataset="LINKXDataset", name="penn94")


def test_without_raw_files_one_sentence_says_which_to_put_where(tmp_path):
    raw = tmp_path / "data" / "Planetoid" / "Cora" / "raw"
    raw.mkdir(parents=True)
    (raw / "ind.cora.x").write_bytes(b"")
    before = listing(tmp_path / "data")
    with pytest.raises(Refusal) as refused:
        real(tmp_path / "data", dataset="Planetoid", name="Cora")
    assert str(refused.value) == (
        "real graph Cora: raw files of Planetoid are neither here nor downloadable (no route to host); put "
        "ind.cora.tx, ind.cora.allx, ind.cora.y, ind.cora.ty, ind.cora.ally, ind.cora.graph, ind.cora.test.index "
        f"into {raw}"
    )
    assert listing(tmp_path / "data") == before
    assert list((tmp_path / "here").iterdir()) == []


def test_without_a_data_root_the_sentence_names_the_folder_of_downloads(tmp_path):
    with pytest.raises(Refusal) as refused:
        real(dataset="HeterophilousGraphDataset", name="tolokers")
    place = tmp_path / "here" / "results" / "downloads" / "HeterophilousGraphDataset" / "tolokers" / "raw"
    assert f"put tolokers.npz into {place}; or set data_root" in str(refused.value)


def test_a_download_is_kept_in_our_folder_and_used_again(tmp_path, monkeypatch):
    known = checksums(tiny_planetoid(tmp_path / "server"))

    def download(dataset):
        for path in (tmp_path / "server").rglob("ind.*"):
            (Path(dataset.raw_dir) / path.name).write_bytes(path.read_bytes())

    (tmp_path / "data").mkdir()
    with monkeypatch.context() as online:
        online.setattr(pyg.Planetoid, "download", download)
        first = real(tmp_path / "data", dataset="Planetoid", name="Tiny", sha256=known)
    kept = Path("results/downloads/Planetoid/Tiny/raw")
    assert {name: sha256 for name, sha256 in checksums(kept).items() if not name.startswith(".")} == known
    assert list((tmp_path / "data").iterdir()) == []
    again = real(tmp_path / "data", dataset="Planetoid", name="Tiny", sha256=known)
    assert again.content_sha256 == first.content_sha256
    (kept / "ind.tiny.x").write_bytes(b"other")
    with pytest.raises(Refusal, match=r"ind\.tiny\.x: has changed since it was written"):
        real(tmp_path / "data", dataset="Planetoid", name="Tiny", sha256=known)


def test_a_download_that_brings_nothing_is_given_up(monkeypatch):
    monkeypatch.setattr(pyg.Planetoid, "download", lambda dataset: time.sleep(20))
    monkeypatch.setattr(datasets, "SILENT_SECONDS", 0.3)
    started = time.monotonic()
    with pytest.raises(Refusal, match=r"nothing arrived for 0\.3 s"):
        real(dataset="Planetoid", name="Cora")
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("dataset", ["LINKXDataset", "HeterophilousGraphDataset"])
def test_a_name_that_pyg_does_not_know_is_refused(tmp_path, dataset):
    with pytest.raises(Refusal, match=f"real graph nope: PyG's {dataset} has no dataset of that name"):
        real(tmp_path, dataset=dataset, name="nope")


def test_raw_files_that_pyg_cannot_read_are_refused_by_folder(tmp_path):
    raw = tmp_path / "data" / "HeterophilousGraphDataset" / "tolokers" / "raw"
    raw.mkdir(parents=True)
    (raw / "tolokers.npz").write_bytes(pickle.dumps(Opened(tmp_path / "marker")))
    with pytest.raises(Refusal, match=f"PyG cannot read the raw files in {raw}"):
        real(tmp_path / "data", dataset="HeterophilousGraphDataset", name="tolokers")
    assert not (tmp_path / "marker").exists()


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
    save_graph(tmp_path / "graph.npz", graph)
    assert load_graph(tmp_path / "graph.npz").content_sha256 == graph.content_sha256
