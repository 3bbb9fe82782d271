"""What every source of real graphs gives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gnn_checkpointing.refusal import shown


@dataclass(frozen=True)
class Loaded:
    """Features `[num_nodes, num_features]`, edges `[2, num_edges]` in any order, labels `[num_nodes]` (below 0: none).

    `files` holds the SHA-256 of every file read, by name; `notes` what the source changed on its own account.
    """

    features: NDArray[np.float32]
    edge_index: NDArray[np.int64]
    labels: NDArray[Any]
    files: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def from_pyg(data: Any, files: dict[str, str], notes: tuple[str, ...] = ()) -> Loaded:
    """Return what PyG's `Data` holds."""
    return Loaded(
        np.ascontiguousarray(data.x.numpy(), dtype=np.float32),
        data.edge_index.numpy().astype(np.int64),
        data.y.numpy(),
        files,
        notes,
    )


def reason(error: Exception) -> str:
    """An exception in one short line."""
    return shown(f"{type(error).__name__}: {' '.join(str(error).split())}")
