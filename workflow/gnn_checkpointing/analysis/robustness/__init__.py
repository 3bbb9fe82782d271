"""Everything that is tried against the answer, and a sentence for what could not be tried."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gnn_checkpointing.analysis.estimates import Noise
from gnn_checkpointing.analysis.protocol import Protocol
from gnn_checkpointing.analysis.results import Result, Robustness
from gnn_checkpointing.analysis.robustness import between, single_graphs, stopping
from gnn_checkpointing.analysis.table import Row, drawn

_OTHER_RULE = (
    "The rule that ends timing was not played: no cell was timed in as many processes as the study names, so that "
    "another rule ended it."
)


def robustness(rows: Sequence[Row], protocol: Protocol, noise: Noise, generator: np.random.Generator) -> Robustness:
    """How far the answer depends on the family, the draw, the hour, one graph, or the rule that ends timing."""
    own = drawn(rows)
    played = any(row.processes == protocol.processes for row in rows)
    tried: dict[str, tuple[Sequence[Result], list[str]]] = {
        "families": between.families(own),
        "replicates": between.replicates(own),
        "drift": between.drift(own, rows, protocol.confidence),
        "influence": single_graphs.influence(own, protocol.confidence),
        "left_out": single_graphs.left_out(own, protocol.confidence, noise),
        "stopping": (stopping.stopping(protocol, generator), []) if played else ([], [_OTHER_RULE]),
    }
    not_tried = [reason for _, reasons in tried.values() for reason in reasons]
    return Robustness.model_validate({name: found for name, (found, _) in tried.items()} | {"not_tried": not_tried})
