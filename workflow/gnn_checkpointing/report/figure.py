"""A figure of the page as data: drawings under one caption, with their numbers and where these are from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal


class Kind:
    """What a section is made of; by its `kind` each face knows how to print it."""

    kind: ClassVar[str]

    def __init_subclass__(cls) -> None:
        """Name the kind as the class."""
        cls.kind = cls.__name__.lower()


@dataclass(frozen=True)
class Fact:
    """A name and its value, both for reading."""

    name: str
    value: str


@dataclass(frozen=True)
class Drawn:
    """What a panel draws, as rows under column names that say the unit: the figure's data for download."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str | float, ...], ...]


@dataclass(frozen=True)
class Panel:
    """One drawing: its SVG is in the colour of the text around it.

    A `key` explains the others and draws nothing. `convolution` is the one that it is about, "" for several.
    """

    id: str
    title: str
    alternative: str
    svg: str
    drawn: Drawn = Drawn((), ())
    convolution: str = ""
    role: Literal["drawing", "key"] = "drawing"


@dataclass(frozen=True)
class Provenance:
    """The file that a figure is drawn from, the rule and command that make it, and the SHA-256 of what those read.

    `data` is the file with the drawn numbers.
    """

    file: str
    rule: str
    command: str
    inputs: tuple[Fact, ...]
    data: str


_AXES = re.compile(r'data-([xy])="(\w+) \S+ \S+ \w+ ([^"]*)"')
_WORDS = {"log": "logarithmic", "linear": "linear"}


def _axes(kinds: Mapping[str, str]) -> str:
    if len(set(kinds.values())) == 1:
        which = "Both axes are" if len(kinds) == 2 else f"The {'horizontal' if 'x' in kinds else 'vertical'} axis is"
        return f"{which} {_WORDS[next(iter(kinds.values()))]}."
    return f"The horizontal axis is {_WORDS[kinds['x']]}, the vertical axis {_WORDS[kinds['y']]}." if kinds else ""


@dataclass(frozen=True)
class Figure(Kind):
    """Panels under one caption, with the sentence that teaches to read them; `wide` panels hold much small print.

    `axes` says which kind of axis the panels have.
    """

    id: str
    caption: str
    how_to_read: str
    panels: tuple[Panel, ...]
    source: str
    size: Literal["small", "wide"] = "small"
    provenance: Provenance | None = None
    axes: str = field(init=False)

    def __post_init__(self) -> None:
        """Read the axes off the first drawing; an axis without a name has rows instead of numbers."""
        found = [kinds for panel in self.panels for kinds in [_AXES.findall(panel.svg)[:2]] if kinds]
        named = {name: kind for name, kind, label in (found[0] if found else ()) if label}
        object.__setattr__(self, "axes", _axes(named))
