"""Public graphs through PyG's dataset classes and the package `ogb`: both read checked copies of the raw files."""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from gnn_checkpointing.graphs.sources.loaded import Loaded, reason
from gnn_checkpointing.graphs.sources.raw_files import provide
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.graph_entries import RealGraph
from gnn_checkpointing.study.vocabulary import ONE_OF_A_CLASS

OGB_FILES = ["edge.csv.gz", "node-feat.csv.gz", "node-label.csv.gz", "num-node-list.csv.gz", "num-edge-list.csv.gz"]


def load_pyg(source: RealGraph, data_root: Path | None) -> Loaded:
    """Load through the dataset class: in a temporary folder it makes its raw/ and processed/, not below data_root."""
    from torch_geometric import datasets

    if source.dataset == "KarateClub":
        return _from_pyg(datasets.KarateClub()[0], {})
    came_from: list[Path] = []
    files: dict[str, str] = {}

    def fill_raw_folder(dataset: Any) -> None:
        raw = Path(dataset.raw_dir)
        names = [Path(path).name for path in dataset.raw_paths]
        folder, digests = provide(source, data_root, raw.relative_to(dataset.root), names, raw, dataset.download)
        came_from.append(folder)
        files.update(digests)

    base = getattr(datasets, str(source.dataset))
    loader = type(base.__name__, (base,), {"_download": fill_raw_folder})
    named = () if source.dataset in ONE_OF_A_CLASS else (source.name,)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        try:
            return _from_pyg(loader(scratch, *named)[0], files)
        except Refusal:
            raise
        except Exception as error:  # a wrong name is an AssertionError; damaged files fail as numpy or scipy likes
            if not any(Path(scratch).iterdir()):
                raise Refusal(f"PyG's {source.dataset} has no dataset of that name") from None
            raise _unreadable("PyG", came_from[0], error) from None


def _from_pyg(data: Any, files: dict[str, str]) -> Loaded:
    """What PyG's `Data` holds; nodes that have several labels each (Yelp) with the first of them as their class."""
    labels, notes = data.y.numpy(), tuple[str, ...]()
    if labels.ndim == 2 and labels.shape[1] > 1:
        notes = (f"nodes have several of {labels.shape[1]} labels each; the class of a node is the first of them",)
        labels = np.where((labels > 0).any(axis=1), (labels > 0).argmax(axis=1), -1)
    features = np.ascontiguousarray(data.x.numpy(), dtype=np.float32)
    return Loaded(features, data.edge_index.numpy().astype(np.int64), labels, files, notes)


def load_ogb(source: RealGraph, data_root: Path | None) -> Loaded:
    """Load from OGB's raw tables; its own loader would write a pickle beside them and open it again."""
    try:
        from ogb.io.read_graph_raw import read_csv_graph_raw
    except ImportError:
        raise Refusal(
            "class OGB needs the package ogb, which is not installed; install it with "
            'pip install "gnn-checkpointing[ogb]"'
        ) from None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        raw = Path(folder) / "raw"
        inner = Path(source.name.replace("-", "_")) / "raw"
        came_from, files = provide(source, data_root, inner, OGB_FILES, raw, lambda: _download_ogb(source.name, raw))
        try:
            graph = read_csv_graph_raw(str(raw))[0]
            labels = np.loadtxt(raw / "node-label.csv.gz", dtype=np.int64, delimiter=",", ndmin=1)
            features = np.ascontiguousarray(graph["node_feat"], dtype=np.float32)
            return Loaded(features, graph["edge_index"].astype(np.int64), labels, files)
        except Exception as error:  # whatever pandas or numpy objects to, the files are at fault
            raise _unreadable("ogb", came_from, error) from None


def _download_ogb(name: str, raw: Path) -> None:
    """Fetch the archive that ogb's own list names, and leave its raw tables in `raw`."""
    import ogb.nodeproppred
    from ogb.utils.url import download_url, extract_zip

    # A table whose columns are the graphs; the first column names its rows.
    with (Path(ogb.nodeproppred.__file__).parent / "master.csv").open(newline="", encoding="utf-8") as stream:
        url = next(row for row in csv.DictReader(stream) if row[""] == "url")[name]
    extract_zip(download_url(url, str(raw)), str(raw))
    for path in raw.rglob("raw/*.csv.gz"):
        path.replace(raw / path.name)


def _unreadable(reader: str, folder: Path, error: Exception) -> Refusal:
    return Refusal(
        f"{reader} cannot read the raw files in {folder.resolve()} ({reason(error)}); replace them by the original "
        "files"
    )
