"""Everything that is tried against the answer, and a sentence for what could not be tried."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gnn_checkpointing.analysis.estimates import Noise
from gnn_checkpointing.analysis.protocol import Protocol
from gnn_checkpointing.analysis.results import Robustness
from gnn_checkpointing.analysis.robustness.drift import drift
from gnn_checkpointing.analysis.robustness.families import families, replicates
from gnn_checkpointing.analysis.robustness.influence import influence
from gnn_checkpointing.analysis.robustness.left_out import left_out
from gnn_checkpointing.analysis.robustness.stopping import stopping
from gnn_checkpointing.analysis.table import Row, comparable

_OTHER_RULE = (
    "The rule that ends timing was not played: no cell was timed in as many processes as the study names, so that "
    "another rule ended it."
)


def robustness(rows: Sequence[Row], protocol: Protocol, noise: Noise, generator: np.random.Generator) -> Robustness:
    """How far the answer hangs on the family, the draw, the hour, one graph, or the rule that ends timing."""
    drawn = [row for row in comparable(rows) if row.is_drawn]
    factors, no_factor = families(drawn)
    spreads, no_spread = replicates(drawn)
    drifts, no_drift = drift(drawn, rows, protocol.confidence)
    moved, not_moved = influence(drawn, protocol.confidence)
    left, not_left = left_out(drawn, protocol.confidence, noise)
    shared = any(row.processes == protocol.processes for row in rows)
    return Robustness(
        families=factors,
        replicates=spreads,
        drift=drifts,
        influence=moved,
        left_out=left,
        stopping=stopping(protocol, generator) if shared else [],
        not_tried=[*no_factor, *no_spread, *no_drift, *not_moved, *not_left, *([] if shared else [_OTHER_RULE])],
    )
