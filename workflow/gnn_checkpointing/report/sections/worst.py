"""The worst of many results, for tables that must stay short."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from gnn_checkpointing.report import units
from gnn_checkpointing.sourced import counted, sourced

Item = TypeVar("Item")

LISTED = sourced(12, "gnn_checkpointing/report/sections/worst.py#/LISTED")
"""Tables show so many of the worst, and lists so many of the first."""


def worst(items: Sequence[Item], badness: Callable[[Item], float], source: str) -> tuple[list[Item], str]:
    """Return the worst items, worst first, and a caption's sentence on the others where there are any."""
    ordered = sorted(items, key=badness, reverse=True)
    if len(ordered) <= LISTED:
        return ordered, ""
    return ordered[:LISTED], f" The {units.count(LISTED)} worst of {units.count(counted(items))}; all are in {source}."
