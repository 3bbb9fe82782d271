"""Load public graphs with PyG's dataset classes and the package `ogb`: both read checked copies of the raw files.

Raw files are looked for below data_root, and otherwise downloaded to `DOWNLOADS`.
"""

import csv
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from gnn_checkpointing.artefacts import refuse_unsealed, seal, sha256_of, whole_file
from gnn_checkpointing.graphs.files import Loaded, refuse_bomb, refuse_other
from gnn_checkpointing.refusal import Refusal, reason
from gnn_checkpointing.study.graph_entries import DATASETS, RealGraph

OGB_FILES = ["edge.csv.gz", "node-feat.csv.gz", "node-label.csv.gz", "num-node-list.csv.gz", "num-edge-list.csv.gz"]
DOWNLOADS = Path("results/downloads")
SILENT_SECONDS = 60.0
SOCKET_SECONDS = 15.0


def load_pyg(source: RealGraph, data_root: Path | None) -> Loaded:
    """Load with PyG's dataset class, which makes its raw/ and processed/ in a temporary folder, not below data_root."""
    from torch_geometric import datasets

    if source.dataset == "KarateClub":
        return _from_pyg(datasets.KarateClub()[0], {})
    came_from: list[Path] = []
    files: dict[str, str] = {}

    def fill_raw_folder(dataset: Any) -> None:
        raw = Path(dataset.raw_dir)
        names = [Path(path).name for path in dataset.raw_paths]
        folder, digests = _provide(source, data_root, raw.relative_to(dataset.root), names, raw, dataset.download)
        came_from.append(folder)
        files.update(digests)

    base = getattr(datasets, str(source.dataset))
    loader = type(base.__name__, (base,), {"_download": fill_raw_folder})
    named = () if DATASETS[str(source.dataset)].single else (source.name,)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        try:
            return _from_pyg(loader(scratch, *named)[0], files)
        except Exception as error:  # an AssertionError for a wrong name, errors of numpy or scipy for damaged files
            if isinstance(error, Refusal) or (isinstance(error, OSError) and error.errno):  # the system's
                raise
            if not any(Path(scratch).iterdir()):
                raise Refusal(f"PyG's {source.dataset} has no dataset of that name") from None
            raise _unreadable("PyG", came_from[0], error) from None


def _from_pyg(data: Any, files: dict[str, str]) -> Loaded:
    """Convert PyG's `Data`; if nodes have several labels each (Yelp), the class of a node is its first label."""
    labels, notes = data.y.numpy(), list[str]()
    if labels.ndim == 2 and labels.shape[1] > 1:
        notes = [f"nodes have several of {labels.shape[1]} labels each; the class of a node is the first of them"]
        labels = np.where((labels > 0).any(axis=1), (labels > 0).argmax(axis=1), -1)
    features = np.ascontiguousarray(data.x.numpy(), dtype=np.float32)
    return Loaded(features, data.edge_index.numpy().astype(np.int64), labels, files, notes)


def load_ogb(source: RealGraph, data_root: Path | None) -> Loaded:
    """Load from OGB's raw tables, since OGB's own loader would write and read a pickle beside them."""
    try:
        from ogb.io.read_graph_raw import read_csv_graph_raw
    except ImportError:
        raise Refusal(
            'class OGB needs the package ogb, which is not installed; install it with pip install ".[ogb]" in a clone'
        ) from None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        raw = Path(folder) / "raw"
        inner = Path(source.name.replace("-", "_")) / "raw"
        came_from, files = _provide(source, data_root, inner, OGB_FILES, raw, lambda: _download_ogb(source.name, raw))
        try:
            graph = read_csv_graph_raw(str(raw))[0]
            labels = np.loadtxt(raw / "node-label.csv.gz", dtype=np.int64, delimiter=",", ndmin=1)
            features = np.ascontiguousarray(graph["node_feat"], dtype=np.float32)
            return Loaded(features, graph["edge_index"].astype(np.int64), labels, files)
        except Exception as error:  # any error of pandas or numpy is the files' fault
            raise _unreadable("ogb", came_from, error) from None


def _download_ogb(name: str, raw: Path) -> None:
    """Download the archive that ogb's own list names, and put its raw tables into `raw`."""
    import ogb.nodeproppred
    from ogb.utils.url import download_url, extract_zip

    # The table has one column per graph; its first column names the rows.
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


def _provide(
    source: RealGraph, data_root: Path | None, inner: Path, names: list[str], target: Path, download: Callable[[], None]
) -> tuple[Path, dict[str, str]]:
    """Fill `target` with checked copies of the raw files `names`; returns their source folder and their SHA-256.

    `inner` is PyG's folder for them below its root (such as Cora/raw); `download` fetches them into `target`.
    """

    def missing(folder: Path) -> list[str]:
        return [name for name in names if not (folder / name).is_file()]

    place = Path(str(source.dataset)) / inner
    folders = [root / place for root in (data_root, DOWNLOADS) if root is not None]
    folder = next((folder for folder in folders if not missing(folder)), None)
    target.mkdir(parents=True, exist_ok=True)
    if folder is None:
        folder = DOWNLOADS / place
        try:
            _within_patience(download, target)
            for name in names:  # written atomically and sealed, to detect later changes
                with (target / name).open("rb") as downloaded, whole_file(folder / name) as kept:
                    shutil.copyfileobj(downloaded, kept)
                seal(folder / name)
        except Exception as error:  # being offline can raise errors of urllib, aiohttp, ssl or the system
            why = " ".join(str(error).split()) or type(error).__name__
            hint = "; or set data_root in the study to a folder that holds them" if data_root is None else ""
            raise Refusal(
                f"raw files of {source.dataset} are neither here nor downloadable ({why}); put "
                f"{', '.join(missing(folders[0]))} into {folders[0].resolve()}{hint}"
            ) from None
    return folder, {name: _checked_copy(source, folder / name, target / name) for name in names}


def _checked_copy(source: RealGraph, path: Path, copy: Path) -> str:
    """Copy a raw file and check the copy, which PyG then reads: nothing can change in between. Returns its SHA-256."""
    refuse_bomb(path)
    shutil.copyfile(path, copy)
    found = sha256_of(copy)
    refuse_unsealed(path, lambda: found)
    refuse_other(source, path, found)
    return found


def _within_patience(download: Callable[[], None], target: Path) -> None:
    """Run a download; give up if nothing has arrived in `target` for SILENT_SECONDS.

    PyG sets no time limit, and behind a firewall that drops packets it would wait for minutes.
    """
    errors: list[Exception] = []

    def run() -> None:
        try:
            download()
        except Exception as error:
            errors.append(error)

    worker = threading.Thread(target=run, daemon=True)
    limit = socket.getdefaulttimeout()
    socket.setdefaulttimeout(SOCKET_SECONDS)
    try:
        worker.start()
        arrived, since = 0, time.monotonic()
        while worker.is_alive():
            worker.join(0.1)
            now = sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
            if now > arrived:
                arrived, since = now, time.monotonic()
            if worker.is_alive() and time.monotonic() - since > SILENT_SECONDS:
                raise TimeoutError(f"nothing arrived for {SILENT_SECONDS:g} s")
    finally:
        socket.setdefaulttimeout(limit)
    if errors:
        raise errors[0]
