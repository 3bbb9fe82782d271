"""The table of what was left out of an analysis: each reason once, with all that it concerns."""

from __future__ import annotations

from collections.abc import Sequence

from gnn_checkpointing.report import units
from gnn_checkpointing.report.page import Column, Table

_LISTED = 6
"""Of more pairs of convolution and policy the first are named; all are in the file that the table names."""


def reasons(table: str, caption: str, sentences: Sequence[str], source: str) -> Table:
    """Return a table of sentences of the form "what: why", those of one reason in one row."""
    found: dict[str, list[str]] = {}
    for sentence in sentences:
        what, _, why = sentence.partition(": ")
        found.setdefault(why or sentence, []).append(what if why else "")
    return Table(
        id=table,
        caption=caption,
        columns=(Column("What", content="prose"), Column("Why", content="prose")),
        rows=tuple((_what(names), why.rstrip(".")) for why, names in found.items()),
        source=source,
    )


def _what(names: Sequence[str]) -> str:
    named = [name for name in names if name]
    if len(named) < 2:
        return "".join(named) or units.NOTHING
    policies: dict[str, list[str]] = {}
    for name in named[:_LISTED]:
        convolution, comma, policy = name.rpartition(", ")
        policies.setdefault(convolution if comma else name, []).extend([policy] if comma else [])
    listed = [f"{name}: {', '.join(those)}" if those else name for name, those in policies.items()]
    return "; ".join(listed + (["and more"] if len(named) > _LISTED else []))
