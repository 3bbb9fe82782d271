"""Findings of a synthetic study, from the tables whose laws are known."""

from __future__ import annotations

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


def synthetic(
    graphs: list[Graph] | None = None, policies: tuple[str, ...] = ("none", "layers", "edge_blocks")
) -> Findings:
    chosen = generated_graphs() if graphs is None else graphs
    return analysed(table(np.random.default_rng(0), chosen, policies=policies))


def frontier() -> Findings:
    """Return findings of a frontier study: many policies, one number of nodes, the densest level not timed."""
    return analysed(frontier_table(allocators=("retaining", "default")))


def varied() -> Findings:
    """Return findings of a study of families, graded graphs and batches."""
    return synthetic([*families(), *graded(), *batches()])


def ledger(findings: Findings) -> Ledger:
    return judge(findings, "synthetic", "test-machine")


def claim(findings: Findings, id: str) -> Claim:
    (found,) = [claim for claim in ledger(findings).claims if claim.id == id]
    return found
