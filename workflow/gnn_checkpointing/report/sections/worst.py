"""Tables that must stay short: the worst of many results, and what was left out, each reason once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from gnn_checkpointing.report import units
from gnn_checkpointing.report.page import Table
from gnn_checkpointing.report.panels import Of, table
from gnn_checkpointing.sourced import counted, sourced

Item = TypeVar("Item")

LISTED = sourced(12, "gnn_checkpointing/report/sections/worst.py#/LISTED")
"""Tables show so many of the worst, and lists so many of the first."""
_NAMED = 6
"""Of more pairs of convolution and policy the first are named; all are in the file that the table names."""
_REASONS: tuple[Of[tuple[str, list[str]]], ...] = (
    Of("What", lambda one: _what(one[1]), content="prose"),
    Of("Why", lambda one: one[0], content="prose"),
)


def worst(items: Sequence[Item], badness: Callable[[Item], float], source: str) -> tuple[list[Item], str]:
    """The worst items, worst first, and a caption's sentence on the others where there are any."""
    ordered = sorted(items, key=badness, reverse=True)
    if len(ordered) <= LISTED:
        return ordered, ""
    return ordered[:LISTED], f" The {units.count(LISTED)} worst of {units.count(counted(items))}; all are in {source}."


def reasons(id: str, caption: str, sentences: Sequence[str], source: str) -> Table:
    """A table of sentences of the form "what: why", those of one reason in one row."""
    found: dict[str, list[str]] = {}
    for sentence in sentences:
        what, _, why = sentence.partition(": ")
        found.setdefault((why or sentence).rstrip("."), []).append(what if why else "")
    return table(id, caption, source, found.items(), *_REASONS)


def _what(names: Sequence[str]) -> str:
    named = [name for name in names if name]
    if len(named) < 2:
        return "".join(named)
    policies: dict[str, list[str]] = {}
    for name in named[:_NAMED]:
        convolution, comma, policy = name.rpartition(", ")
        policies.setdefault(convolution if comma else name, []).extend([policy] if comma else [])
    listed = [f"{name}: {', '.join(those)}" if those else name for name, those in policies.items()]
    return "; ".join(listed + (["and more"] if len(named) > _NAMED else []))
