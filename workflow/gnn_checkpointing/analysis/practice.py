"""Does the answer hold in practice? Policies on stacks with what people add, beside the bare stacks."""

from __future__ import annotations

from collections.abc import Sequence

from gnn_checkpointing.analysis.effects import degree_of
from gnn_checkpointing.analysis.estimates import Noise, mean_bytes
from gnn_checkpointing.analysis.results import PracticeEffect
from gnn_checkpointing.analysis.table import Row, grouped, policy_order


def practice(rows: Sequence[Row], bare: Sequence[Row], noise: Noise) -> list[PracticeEffect]:
    """Every policy in practice, beside the bare stack on the same graphs, sparse before dense.

    A policy that was shown to change what is computed is left out, and so is one that did not run on both.
    """
    found: list[PracticeEffect] = []
    beside = {(row.graph, row.stack, row.policy): row for row in bare}
    kept = [row for row in rows if row.activation_ratio is not None and not row.changes and not row.other_model]
    pairs = sorted(
        (
            (row, twin)
            for row in kept
            if row.policy != "none"
            and (twin := beside.get((row.graph, row.stack, row.policy))) is not None
            and twin.activation_ratio is not None
        ),
        key=lambda pair: (pair[0].stack, pair[0].num_nodes, degree_of(pair[0]), policy_order(pair[0].policy)),
    )
    for _, cells in grouped(pairs, lambda pair: (pair[0].stack, pair[0].policy, pair[0].num_nodes, degree_of(pair[0]))):
        own, others = [row for row, _ in cells], [twin for _, twin in cells]
        timed = all(row.time_ratio is not None for row in (*own, *others))
        first = own[0]
        none = {(row.graph, row.stack): row for row in rows if row.policy == "none"}
        found.append(
            PracticeEffect(
                convolution=first.stack,
                policy=first.policy,
                num_nodes=first.num_nodes,
                average_degree=degree_of(first),
                none_activation_bytes=none[first.graph, first.stack].activation_bytes
                / beside[first.graph, first.stack, "none"].activation_bytes,
                bare_activation_ratio=mean_bytes(others, "activation_ratio"),
                activation_ratio=mean_bytes(own, "activation_ratio"),
                bare_time_ratio=noise.time_ratio(others) if timed else None,
                time_ratio=noise.time_ratio(own) if timed else None,
            )
        )
    return found
