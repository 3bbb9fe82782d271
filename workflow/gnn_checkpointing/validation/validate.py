"""All that speaks against a published report, in the order in which it matters: each complaint one sentence."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

from gnn_checkpointing.analysis.results import Estimate
from gnn_checkpointing.claims.judge import judge
from gnn_checkpointing.claims.ledger import Claim
from gnn_checkpointing.validation import possible, whole
from gnn_checkpointing.validation.manifest import changed_files
from gnn_checkpointing.validation.published import Published, read_published

_TOLERANCE = 1e-6
"""Relative: an estimate that another version of a library computes."""


def complaints(folder: Path) -> list[str]:
    """Return what is wrong with the report in `folder`; nothing where it can be believed."""
    found, unread = read_published(folder)
    changed = changed_files(folder)
    if found is None:
        return [*unread, *changed]
    checks = (whole.names, whole.cells, whole.machines, possible.graphs, possible.records, whole.table, verdicts)
    return [*changed, *(f"{folder}: {text}" for check in checks for text in check(found))]


def verdicts(found: Published) -> Iterator[str]:
    """Yield claims that are not what their rules say of the analysis."""
    again = {claim.id: claim for claim in judge(found.findings, found.study.name, found.machine.slug).claims}
    given = {claim.id: claim for claim in found.ledger.claims}
    for id in sorted(again.keys() ^ given.keys()):
        yield f"claims.json: claim {id}: judged then or now, not both; make the report again with `make report-from`"
    for id in sorted(again.keys() & given.keys()):
        if not _same(given[id], again[id]):
            yield (
                f"claims.json: claim {id}: {given[id].verdict} with {_words(given[id])}, but its rule says "
                f"{again[id].verdict} with {_words(again[id])}"
            )


def _same(one: Claim, other: Claim) -> bool:
    if one.verdict != other.verdict or (one.estimate is None) != (other.estimate is None):
        return False
    if one.estimate is None or other.estimate is None:
        return True
    pairs = zip(_ends(one.estimate), _ends(other.estimate), strict=True)
    return all(math.isclose(a, b, rel_tol=_TOLERANCE, abs_tol=1e-12) for a, b in pairs)


def _ends(estimate: Estimate) -> tuple[float, float, float]:
    return estimate.estimate, estimate.low, estimate.high


def _words(claim: Claim) -> str:
    return "no estimate" if claim.estimate is None else "{:.6g} ({:.6g} to {:.6g})".format(*_ends(claim.estimate))
