"""Graph files: `.npz` without pickle, the same bytes for the same graph, verified when read."""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from gnn_checkpointing.artefacts import AGAIN, whole_file
from gnn_checkpointing.graphs.graph import ARRAYS, Graph
from gnn_checkpointing.records.arrays import read_arrays
from gnn_checkpointing.records.graph_facts import Derivation, Provenance
from gnn_checkpointing.records.record import Record, complaint
from gnn_checkpointing.refusal import Refusal


class _Metadata(Record):
    id: str
    label: str
    family: str
    requested_average_degree: int | float | None
    replicate: int
    num_classes: int
    content_sha256: str
    provenance: Provenance | None = None
    derivation: Derivation | None = None


def save_graph(path: Path, graph: Graph) -> None:
    """Write the graph to `path` atomically; `numpy.load` can open it too."""
    described = {**graph.metadata, "content_sha256": graph.content_sha256}
    text = json.dumps(described, sort_keys=True, allow_nan=False).encode()
    arrays = {name: np.ascontiguousarray(getattr(graph, name), dtype=dtype) for name, dtype in ARRAYS.items()}
    with whole_file(path) as stream, zipfile.ZipFile(stream, "w") as archive:
        for name, array in [("metadata", np.frombuffer(text, np.uint8)), *arrays.items()]:
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system = 3  # otherwise the bytes would depend on the operating system
            with archive.open(entry, "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, version=(1, 0), allow_pickle=False)


def load_graph(path: Path, asked: str | None = None) -> Graph:
    """Read the graph stored in `path`; a refusal is one sentence that names the file.

    If `asked` is given, the graph must have that id.
    """
    arrays = read_arrays(path, ("metadata", *ARRAYS), AGAIN)
    try:
        text = arrays["metadata"].astype(np.uint8, casting="no").tobytes()
        fields: dict[str, Any] = dict(_Metadata.model_validate_json(text, strict=True))
        sha256 = fields.pop("content_sha256")
        graph = Graph(**fields | {name: arrays[name] for name in ARRAYS})
    except TypeError:
        raise Refusal(f"{path}: array metadata is not JSON text; {AGAIN}") from None
    except ValidationError as error:
        raise Refusal(f"{path}: array metadata: {complaint(error)}; {AGAIN}") from None
    except Refusal as refusal:
        raise Refusal(f"{path}: {refusal}; {AGAIN}") from None
    if graph.content_sha256 != sha256:
        raise Refusal(f"{path}: its content has changed since it was written (SHA-256 differs); {AGAIN}")
    if asked is not None and graph.id != asked:
        raise Refusal(f"{path}: holds the graph {graph.id}, not {asked}; {AGAIN}")
    return graph
