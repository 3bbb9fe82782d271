"""What lives before a step, as a law of nodes and edges: parameters, features, graph, and a policy's tables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gnn_checkpointing.analysis.laws.forms import Floats, Sizes
from gnn_checkpointing.analysis.support import design
from gnn_checkpointing.analysis.table import Row


def resident_terms(rows: Sequence[Row]) -> Floats:
    """Return constant, bytes per node and bytes per edge, `[3]`: exact where the graphs alone decide."""
    terms: Floats = np.linalg.lstsq(design(rows), np.array([row.resident_bytes for row in rows]), rcond=None)[0]
    return terms


def resident_at(terms: Floats, sizes: Sizes) -> Floats:
    """Return the resident bytes of graphs, `[num_rows]`."""
    values: Floats = np.column_stack([np.ones_like(sizes.nodes), sizes.nodes, sizes.edges]) @ terms
    return values
