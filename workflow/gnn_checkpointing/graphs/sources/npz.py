"""Real graphs from an `.npz` file in the layout of PyG's `read_npz`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from torch_geometric.io import parse_npz

from gnn_checkpointing.artefacts import sha256_of
from gnn_checkpointing.graphs.sources.loaded import Loaded, from_pyg, reason
from gnn_checkpointing.graphs.sources.raw_files import below, check_sha256
from gnn_checkpointing.graphs.storage import read_arrays
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.graph_entries import RealGraph

LARGEST_BYTES = 8 * 2**30
"""Features are laid out densely when they are read; files that would need more than this are refused."""


def load_npz(source: RealGraph, data_root: Path | None, npz: Path) -> Loaded:
    """Load an `.npz` with the CSR matrices `adj_*` and `attr_*`, and `labels`."""
    path = below(source, data_root, "npz", npz)
    if not path.is_file():
        raise Refusal(
            f"real graph {source.name}: no file {path.resolve()}; put the .npz there, or correct npz or data_root"
        )
    found = sha256_of(path)
    check_sha256(source, path, found)
    arrays = read_arrays(path, "replace it by the original file")
    try:
        _check_layout(arrays)
        return from_pyg(parse_npz(arrays, to_undirected=False), {path.name: found})
    except Exception as error:  # whatever numpy, scipy or torch objects to, the file is at fault
        raise Refusal(f"{path}: not in the layout of PyG's read_npz ({reason(error)}); replace the file") from None


def _check_layout(arrays: dict[str, NDArray[Any]]) -> None:
    """Raise unless the matrices hold together: scipy and PyG trust indices, and would read beyond their memory."""
    num_nodes = arrays["labels"].size
    if arrays["labels"].dtype.kind not in "iu" or not np.isfinite(arrays["attr_data"]).all():
        raise ValueError("labels must be integers and attr_data finite numbers")
    for matrix in ("adj", "attr"):
        data, indices, indptr, shape = (arrays[f"{matrix}_{part}"] for part in ("data", "indices", "indptr", "shape"))
        rows, columns = (int(length) for length in shape)
        if rows != num_nodes or (matrix == "adj" and columns != num_nodes):
            raise ValueError(f"{matrix}_shape {rows} x {columns} does not fit {num_nodes} labels")
        if matrix == "attr" and 4 * rows * columns > LARGEST_BYTES:
            raise ValueError(f"attr_shape {rows} x {columns} is more than {LARGEST_BYTES >> 30} GiB of features")
        csr_matrix((data, indices, indptr), (rows, columns)).check_format(full_check=True)
