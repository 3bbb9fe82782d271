"""Findings of a synthetic study, from the tables whose laws are known."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from functools import cache

import numpy as np

from analysis.tables import (
    Graph,
    Table,
    batches,
    families,
    frontier_table,
    generated_graphs,
    graded,
    protocol,
    table,
    trainings,
)
from gnn_checkpointing.analysis.analyse import Findings, analyse
from gnn_checkpointing.claims.judge import judge
from gnn_checkpointing.claims.ledger import Claim, Ledger


def analysed(rows: Table, drift: float = 1e-6) -> Findings:
    return analyse(rows, trainings(drift=drift), protocol())


@cache
def synthetic(
    graphs: Callable[[], list[Graph]] = generated_graphs, policies: tuple[str, ...] = ("none", "layers", "edge_blocks")
) -> Findings:
    return analysed(table(np.random.default_rng(0), graphs(), policies=policies))


def frontier() -> Findings:
    """Return findings of a frontier study: many policies, one number of nodes, the densest level not timed."""
    return analysed(frontier_table(allocators=("retaining", "default")))


def varied() -> Findings:
    """Return findings of a study of families, graded graphs and batches."""
    return synthetic(lambda: [*families(), *graded(), *batches()])


def ledger(findings: Findings) -> Ledger:
    return judge(findings, "synthetic", "test-machine")


_JUDGED: dict[int, tuple[Findings, Ledger]] = {}


def claim(findings: Findings, id: str) -> Claim:
    """The claim of an id; findings that several tests ask about are judged once."""
    if builtins.id(findings) not in _JUDGED:
        _JUDGED[builtins.id(findings)] = (findings, ledger(findings))
    judged = _JUDGED[builtins.id(findings)][1]
    (found,) = [claim for claim in judged.claims if claim.id == id]
    return found
