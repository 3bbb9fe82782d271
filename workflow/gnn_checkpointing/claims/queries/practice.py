"""Policies on stacks with what people add, beside the bare stacks."""

from __future__ import annotations

from typing import Literal

from gnn_checkpointing.claims.queries.effects import RATIO_OF_RATIOS, WORDS
from gnn_checkpointing.claims.queries.query import Asked, Picked, Query, nothing, picked


def in_practice(ratio: Literal["activation_ratio", "time_ratio"]) -> Query:
    """A policy's ratio in practice divided by that of the bare stack, on the densest graphs that have both."""

    def pick(asked: Asked) -> Picked:
        found = [
            row
            for row in asked.findings.effects.practice
            if (row.convolution, row.policy) == (asked.convolution, asked.policy) and getattr(row, ratio) is not None
        ]
        if not found:
            return nothing("no graph has both, the bare stack and the one with what people add")
        row = max(found, key=lambda row: (row.average_degree, row.num_nodes))
        own, bare = getattr(row, ratio), getattr(row, f"bare_{ratio}")
        timed = ratio == "time_ratio"
        note = f"{row.num_nodes:,} nodes, average degree {row.level}"
        return picked([own.relative_to(bare) if timed else own.over(bare)], note, timed=timed)

    return Query(f"{WORDS[ratio]}, {{policy}} / none: in practice / bare, at the densest level", pick, RATIO_OF_RATIOS)
