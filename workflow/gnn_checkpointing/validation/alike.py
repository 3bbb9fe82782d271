"""Where two JSON values differ; numbers that another processor computes are the same."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

RELATIVE, ABSOLUTE = 1e-6, 1e-12
"""Of a number: what another processor or another version of a library adds up to differs in the last digits, and what
cancels out is zero or as good as."""


class Difference(NamedTuple):
    """One place where two values differ, as a JSON pointer."""

    place: str
    given: Any
    again: Any

    def __str__(self) -> str:
        """Say it as a clause."""
        return f"{self.place or 'the whole'} is {_short(self.given)}, not {_short(self.again)}"


def differences(given: Any, again: Any, place: str = "") -> Iterator[Difference]:
    """Yield every place where two JSON values differ."""
    if isinstance(given, dict) and isinstance(again, dict):
        for key in [*given, *(key for key in again if key not in given)]:
            yield from differences(given.get(key, _MISSING), again.get(key, _MISSING), f"{place}/{key}")
    elif isinstance(given, list) and isinstance(again, list):
        if len(given) != len(again):
            yield Difference(place, f"a list of {len(given)}", f"one of {len(again)}")
            return
        for number, (one, other) in enumerate(zip(given, again, strict=True)):
            yield from differences(one, other, f"{place}/{number}")
    elif not same(given, again):
        yield Difference(place, given, again)


def same(one: Any, other: Any) -> bool:
    """Tell whether two values are the same, numbers but for their last digits."""
    if _is_number(one) and _is_number(other):
        return math.isclose(one, other, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
    return type(one) is type(other) and bool(one == other)


class _Missing:
    def __str__(self) -> str:
        return "missing"


_MISSING = _Missing()


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _short(value: Any) -> str:
    text = " ".join((value if isinstance(value, str) else str(value)).split())
    return text if len(text) <= 100 else text[:97] + "..."
