"""Findings of a study: analysed from tables of known laws, or made by hand and empty except for the given parts."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

from gnn_checkpointing.analysis import results
from gnn_checkpointing.analysis.analyse import Findings, analyse
from gnn_checkpointing.analysis.results import Effects
from gnn_checkpointing.claims.judge import judge
from gnn_checkpointing.claims.ledger import Claim, Ledger
from gnn_checkpointing.records.jobs import Explanations

from .frontier import frontier_table
from .graphs import Graph, batches, families, generated_graphs, graded
from .results import made, some_effects
from .rows import Table, table
from .tables import protocol, trainings


def empty(effects: Effects | None = None, frontier: Effects | None = None, **parts: Any) -> Findings:
    """Findings of a study of GATv2 and GCN under `layers`, empty except for `parts`.

    `frontier` adds rows of effects, and their flatness, models and encodings.
    """
    whole = effects if effects is not None else some_effects()
    if frontier is not None:
        read_off = {
            name: getattr(frontier, name) or getattr(whole, name) for name in ("flatness", "models", "encodings")
        }
        known = {(row.convolution, row.policy, row.degree) for row in frontier.rows}
        rows = [row for row in whole.rows if (row.convolution, row.policy, row.degree) not in known]
        whole = whole.model_copy(update={"rows": [*rows, *frontier.rows], **read_off})
    kinds = {name: getattr(results, name.title()) for name in ("trends", "regressions", "predictions", "robustness")}
    nothing: dict[str, Any] = {name: made(kind) for name, kind in kinds.items()}
    nothing |= {"explained": Explanations(), "accuracy": [], "quality": made(results.Quality)}
    return replace(Findings(effects=whole, **nothing), **parts)


def analysed(rows: Table, drift: float = 1e-6, **changes: Any) -> Findings:
    """The analysis of a table; `changes` are settings of the protocol."""
    return analyse(rows, trainings(drift=drift), protocol(**changes))


@cache
def synthetic(
    graphs: Callable[[], list[Graph]] = generated_graphs, policies: tuple[str, ...] = ("none", "layers", "edge_blocks")
) -> Findings:
    return analysed(table(0, graphs(), policies=policies))


@cache
def frontier_findings() -> Findings:
    """Findings of a frontier study: many policies, one number of nodes, the densest level not timed."""
    return analysed(frontier_table())


@cache
def varied() -> Findings:
    return synthetic(lambda: [*families(), *graded(), *batches()])


_JUDGED: dict[int, tuple[Findings, Ledger]] = {}


def ledger(findings: Findings) -> Ledger:
    """What the findings come to; those that several tests use are judged once."""
    if id(findings) not in _JUDGED:
        _JUDGED[id(findings)] = (findings, judge(findings, "synthetic", "test-machine"))
    return _JUDGED[id(findings)][1]


def claim(findings: Findings, id: str) -> Claim:
    (found,) = [claim for claim in ledger(findings).claims if claim.id == id]
    return found
