"""Load real graphs from an `.npz` file in the layout of PyG's `read_npz`, with their features unchanged."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from gnn_checkpointing.graphs.files import (
    LARGEST,
    Loaded,
    below,
    checked_sha256,
    single_precision,
    user_path,
)
from gnn_checkpointing.records.arrays import read_arrays
from gnn_checkpointing.refusal import Refusal, reason
from gnn_checkpointing.study.graph_entries import RealGraph

_PARTS = ("data", "indices", "indptr", "shape")
_ARRAYS = ("labels", *(f"{name}_{part}" for name in ("adj", "attr") for part in _PARTS))
"""The only arrays that are read: others, such as names of nodes and classes, are often pickled."""

LARGEST_BYTES = 8 * 2**30
"""Maximum size of the dense features that are made when a file is read; larger ones are refused."""


def load_npz(source: RealGraph, data_root: Path | None, npz: Path) -> Loaded:
    """Load the graph from the CSR matrices `adj_*` and `attr_*`, and `labels`.

    PyG's own reader silently drops self-loops and turns every positive feature into 1.
    """
    path = user_path(below(data_root, "npz", npz), "put the .npz there, or correct npz or data_root")
    sha256 = checked_sha256(source, path)
    arrays = read_arrays(path, _ARRAYS, "replace it by the original file")
    try:
        labels = arrays["labels"]
        if labels.dtype.kind not in "iu":
            raise ValueError("labels must be integers")
        features = _matrix(arrays, "attr", labels.size)
        if not (np.abs(features.data) <= LARGEST).all():
            raise ValueError(f"attr_data must be finite numbers of at most {LARGEST:.3g}")
        named = features.nnz
        features.sum_duplicates()
        if features.nnz < named:
            raise ValueError(f"attr has {named - features.nnz} values in places that have one already")
        edges = _matrix(arrays, "adj", labels.size).tocoo()
    except Exception as error:  # any error of numpy or scipy is the file's fault
        raise Refusal(f"{path}: not in the layout of PyG's read_npz ({reason(error)}); replace the file") from None
    others, zeros = int((edges.data != 1).sum()), int((edges.data == 0).sum())
    features.data, notes = single_precision(features.data)
    if others:
        notes.append(f"{others:,} edges have weights other than 1 ({zeros:,} of them 0), which are ignored")
    edge_index = np.stack([edges.row, edges.col]).astype(np.int64)
    return Loaded(np.ascontiguousarray(features.toarray()), edge_index, labels, {path.name: sha256}, notes)


def _matrix(arrays: dict[str, NDArray[Any]], name: str, num_nodes: int) -> csr_matrix:
    """Build a CSR matrix after checking its parts, since scipy trusts indices and would read out of bounds.

    Conversion would silently truncate an index such as 1.5, or a complex feature.
    """
    data, indices, indptr, shape = (arrays[f"{name}_{part}"] for part in _PARTS)
    for part, array in (("indices", indices), ("indptr", indptr), ("shape", shape)):
        if array.dtype.kind not in "iu":
            raise ValueError(f"{name}_{part} must be integers, not {array.dtype}")
        if array.size and array.max() > np.iinfo(np.int64).max:
            raise ValueError(f"{name}_{part} holds {array.max()}")
    if data.dtype.kind not in "biuf":
        raise ValueError(f"{name}_data must be real numbers, not {data.dtype}")
    if shape.shape != (2,):
        raise ValueError(f"{name}_shape must be two numbers, not {list(shape.shape)}")
    rows, columns = (int(length) for length in shape)
    if rows != num_nodes or (name == "adj" and columns != num_nodes):
        raise ValueError(f"{name}_shape {rows} x {columns} does not fit {num_nodes} labels")
    if name == "attr" and 4 * rows * columns > LARGEST_BYTES:
        raise ValueError(f"attr_shape {rows} x {columns} is more than {LARGEST_BYTES >> 30} GiB of features")
    matrix = csr_matrix((data, indices, indptr), (rows, columns))
    matrix.check_format(full_check=True)
    if matrix.nnz < data.size:
        raise ValueError(f"{name}_indptr ends at {matrix.nnz}, and leaves out the last of {data.size} values")
    return matrix
