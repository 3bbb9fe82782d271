"""The worst of many results, for tables that must stay short."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

Item = TypeVar("Item")

LISTED = 12


def worst(items: Sequence[Item], badness: Callable[[Item], float], source: str) -> tuple[list[Item], str]:
    """Return the worst items, worst first, and a caption's sentence on the others where there are any."""
    ordered = sorted(items, key=badness, reverse=True)
    if len(ordered) <= LISTED:
        return ordered, ""
    return ordered[:LISTED], f" The {LISTED} worst of {len(ordered)}; all are in {source}."
