"""Real graphs through PyG's own dataset classes and `read_npz` layout, reading below data_root and writing nowhere."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from torch_geometric import datasets
from torch_geometric.io import parse_npz

from gnn_checkpointing.artefacts import sha256_of
from gnn_checkpointing.design import LoadedGraph
from gnn_checkpointing.graphs.edges import missing_reverses, simple_edges, with_reverses
from gnn_checkpointing.graphs.features import split
from gnn_checkpointing.graphs.graph import Graph
from gnn_checkpointing.graphs.raw_files import check_sha256, provide
from gnn_checkpointing.graphs.storage import read_arrays
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study import RealGraph


class Loaded(NamedTuple):
    """What PyG gives: features `[num_nodes, num_features]`, `edge_index` in any order, labels `[num_nodes]`."""

    features: NDArray[np.float32]
    edge_index: NDArray[np.int64]
    labels: NDArray[Any]


def load_real_graph(spec: LoadedGraph, rng: Generator) -> Graph:
    """Return the real graph, split with `rng`, or refuse in one sentence; wide features are kept as they are."""
    source = spec.source
    data_root = None if spec.data_root is None else Path(spec.data_root).expanduser()
    loaded = _from_class(source, data_root) if source.npz is None else _from_npz(source, data_root, source.npz)
    labels, num_classes = _numbered(source, loaded.labels)
    edge_index = _undirected(source, loaded.edge_index, labels.size)
    train_mask, test_mask = split(labels, rng)
    return Graph(
        id=spec.id,
        label=source.label or source.name,
        family="real",
        edge_index=edge_index,
        features=loaded.features,
        labels=labels,
        train_mask=train_mask,
        test_mask=test_mask,
        requested_average_degree=None,
        replicate=0,
        num_classes=num_classes,
    )


def _from_class(source: RealGraph, data_root: Path | None) -> Loaded:
    """Load through the dataset class, which works in a temporary folder on checked copies of the raw files."""
    if source.dataset == "KarateClub":
        return _arrays(datasets.KarateClub()[0])
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        return _through_pyg(source, data_root, Path(folder))


def _through_pyg(source: RealGraph, data_root: Path | None, scratch: Path) -> Loaded:
    """Load with `scratch` as PyG's root: it makes `raw/` and `processed/` there and not below data_root."""
    came_from: list[Path] = []

    def fill_raw_folder(dataset: Any) -> None:
        raw = Path(dataset.raw_dir)
        names = [Path(path).name for path in dataset.raw_paths]
        came_from.append(provide(source, data_root, raw.relative_to(dataset.root), names, raw, dataset.download))

    base = getattr(datasets, str(source.dataset))
    loader = type(base.__name__, (base,), {"_download": fill_raw_folder})
    try:
        return _arrays(loader(str(scratch), source.name)[0])
    except Refusal:
        raise
    except Exception as error:  # a wrong name is an AssertionError; damaged files fail as numpy or scipy likes
        if not any(scratch.iterdir()):
            raise Refusal(f"real graph {source.name}: PyG's {source.dataset} has no dataset of that name") from None
        raise Refusal(
            f"real graph {source.name}: PyG cannot read the raw files in {came_from[0].resolve()} ({_reason(error)}); "
            "replace them by the original files"
        ) from None


def _from_npz(source: RealGraph, data_root: Path | None, npz: Path) -> Loaded:
    """Load an `.npz` in the layout of PyG's `read_npz`: CSR matrices `adj_*` and `attr_*`, and `labels`."""
    if not npz.is_absolute() and data_root is None:
        raise Refusal(f"real graph {source.name}: npz {npz} is below data_root, which is not set; set it in the study")
    path = npz if data_root is None else data_root / npz
    if not path.is_file():
        raise Refusal(
            f"real graph {source.name}: no file {path.resolve()}; put the .npz there, or correct npz or data_root"
        )
    check_sha256(source, path, sha256_of(path))
    arrays = read_arrays(path, "replace it by the original file")
    try:
        _check_layout(arrays)
        return _arrays(parse_npz(arrays, to_undirected=False))
    except Exception as error:  # whatever numpy, scipy or torch objects to, the file is at fault
        raise Refusal(f"{path}: not in the layout of PyG's read_npz ({_reason(error)}); replace the file") from None


def _check_layout(arrays: dict[str, NDArray[Any]]) -> None:
    """Raise unless the matrices hold together: scipy and PyG trust indices, and would read beyond their memory."""
    num_nodes = arrays["labels"].size
    if arrays["labels"].dtype.kind not in "iu" or not np.isfinite(arrays["attr_data"]).all():
        raise ValueError("labels must be integers and attr_data finite numbers")
    for matrix in ("adj", "attr"):
        data, indices, indptr, shape = (arrays[f"{matrix}_{part}"] for part in ("data", "indices", "indptr", "shape"))
        rows, columns = (int(length) for length in shape)
        csr_matrix((data, indices, indptr), (rows, columns)).check_format(full_check=True)
        if rows != num_nodes or (matrix == "adj" and columns != num_nodes):
            raise ValueError(f"{matrix}_shape {rows} x {columns} does not fit {num_nodes} labels")


def _arrays(data: Any) -> Loaded:
    return Loaded(
        np.ascontiguousarray(data.x.numpy(), dtype=np.float32),
        data.edge_index.numpy().astype(np.int64),
        data.y.numpy(),
    )


def _numbered(source: RealGraph, labels: NDArray[Any]) -> tuple[NDArray[np.int64], int]:
    """Return labels from 0 without gaps (-1: none) and the number of classes that labelled nodes have."""
    flat = labels.reshape(-1) if labels.ndim == 2 and labels.shape[1] == 1 else labels
    if flat.ndim != 1 or flat.dtype.kind not in "iu":
        raise Refusal(f"real graph {source.name}: labels are {flat.dtype} {list(flat.shape)}, not one integer per node")
    numbered = np.full(flat.shape, -1, np.int64)
    classes, numbers = np.unique(flat[flat >= 0], return_inverse=True)
    numbered[flat >= 0] = numbers
    return numbered, int(classes.size)


def _undirected(source: RealGraph, edge_index: NDArray[np.int64], num_nodes: int) -> NDArray[np.int64]:
    """Return simple edges in both directions; missing reverses are added only where the entry says so."""
    edges = simple_edges(edge_index, num_nodes)
    missing = missing_reverses(edges, num_nodes)
    if missing and not source.to_undirected:
        raise Refusal(
            f"real graph {source.name}: {missing} of {edges.shape[1]} edges have no reverse; set to_undirected: true "
            "in its entry to add them, or use an undirected graph"
        )
    return with_reverses(edges, num_nodes) if missing else edges


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
