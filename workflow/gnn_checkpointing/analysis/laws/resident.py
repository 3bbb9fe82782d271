"""What lives before a step, as a law of nodes and edges: parameters, features, graph, and a policy's tables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gnn_checkpointing.analysis.fitting import ROUNDING, largest
from gnn_checkpointing.analysis.laws.forms import Floats, Sizes
from gnn_checkpointing.analysis.rounding import places_of, rounded
from gnn_checkpointing.analysis.support import design
from gnn_checkpointing.analysis.table import Row
from gnn_checkpointing.analysis.tolerance import least_squares


def resident_terms(rows: Sequence[Row]) -> Floats:
    """Return constant, bytes per node and bytes per edge, `[3]`: exact where the graphs alone decide."""
    columns, bytes_before = design(rows), np.array([float(row.resident_bytes) for row in rows])
    units = ROUNDING * bytes_before.max() / largest(columns)
    found = least_squares(columns, bytes_before)
    return np.array([rounded(term, places_of(unit)) for term, unit in zip(found.tolist(), units.tolist(), strict=True)])


def resident_at(terms: Floats, sizes: Sizes) -> Floats:
    """Return the resident bytes of graphs, `[num_rows]`."""
    values: Floats = np.column_stack([np.ones_like(sizes.nodes), sizes.nodes, sizes.edges]) @ terms
    return values
