"""The page as data: the report's content in order, without layout."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar, Literal, dataclass_transform

from gnn_checkpointing.claims.ledger import Verdict


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
class Kind:
    """Block of a section, as a frozen dataclass; HTML and PDF choose how to print it by `kind`, its class name."""

    kind: ClassVar[str]

    def __init_subclass__(cls) -> None:
        """Make the class a frozen dataclass whose kind is its lower-case name."""
        cls.kind = cls.__name__.lower()
        dataclass(frozen=True)(cls)


@dataclass(frozen=True)
class Fact:
    """A name and its value, both for reading."""

    name: str
    value: str


@dataclass(frozen=True)
class Span:
    """A piece of a sentence; `look` is its emphasis, `href` its link target, `source` the address of its number.

    A verdict's look is the verdict; its text is what the reader sees.
    """

    text: str
    look: Literal["plain", "strong", "emphasis", "code"] | Verdict = "plain"
    href: str = ""
    source: str = ""


Text = str | tuple[Span, ...]

PROVES = "\N{SECTION SIGN}"
"""Sign that ends a sentence without numbers and links to its evidence."""


class Paragraph(Kind):
    """Running text; `id` is its optional address within the page."""

    text: Text
    id: str = ""


class Note(Kind):
    """A sentence that the reader must not miss, such as a warning about noise."""

    text: Text


class Heading(Kind):
    """The title of a part of a section."""

    text: Text


class Bullets(Kind):
    """A list; `ordered` where the order matters."""

    items: tuple[Text, ...]
    ordered: bool = False


class Box(Kind):
    """A framed list of sentences under a title."""

    title: Text
    items: tuple[Text, ...]


@dataclass(frozen=True)
class Column:
    """A table column: `number` cells line up on the right, `prose` cells may take several lines."""

    name: str
    unit: str = ""
    content: Literal["text", "number", "prose"] = "text"


class Table(Kind):
    """Formatted rows under a caption; the first column heads its row."""

    id: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    source: str

    def __post_init__(self) -> None:
        """Raise ValueError if a row does not have one cell per column."""
        for number, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                raise ValueError(f"table {self.id}, row {number}: {len(row)} cells for {len(self.columns)} columns")


@dataclass(frozen=True)
class Drawn:
    """Data of a panel for download: rows under column names that include the unit."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str | float, ...], ...]


@dataclass(frozen=True)
class Panel:
    """One drawing; `alternative` is its text alternative, its figure sets `id`. A `key` explains the other panels."""

    title: str
    alternative: str
    svg: str
    drawn: Drawn = Drawn((), ())
    convolution: str = ""
    role: Literal["drawing", "key"] = "drawing"
    id: str = ""


@dataclass(frozen=True)
class Provenance:
    """The file that a figure is drawn from, the rule and command that make it, and the SHA-256 of their inputs.

    `data` is the file with the drawn numbers.
    """

    file: str
    rule: str
    command: str
    inputs: tuple[Fact, ...]
    data: str


_AXES = re.compile(r'data-([xy])="(log|linear) \S+ \S+ \w+ ([^"]*)"')
_WHICH = {"x": "The horizontal axis is", "y": "The vertical axis is", "xy": "Both axes are"}


class Figure(Kind):
    """Panels under one caption, with a sentence on how to read them; `wide` panels hold much small print."""

    id: str
    caption: str
    how_to_read: str
    panels: tuple[Panel, ...]
    source: str
    size: Literal["small", "wide"] = "small"
    provenance: Provenance | None = None
    axes: str = field(init=False)
    """Sentence on the kinds of axis, read from the first drawing with axes; an unnamed axis has rows, not numbers."""

    def __post_init__(self) -> None:
        """Set `axes`."""
        found = next(filter(None, (_AXES.findall(panel.svg)[:2] for panel in self.panels)), [])
        kinds = {name: "logarithmic" if kind == "log" else kind for name, kind, label in found if label}
        if len(kinds) == 2 and len(set(kinds.values())) == 2:
            said = f"The horizontal axis is {kinds['x']}, the vertical axis {kinds['y']}."
        else:
            said = f"{_WHICH[''.join(kinds)]} {next(iter(kinds.values()))}." if kinds else ""
        object.__setattr__(self, "axes", said)


class Facts(Kind):
    """Names and values, such as the machine's."""

    items: tuple[Fact, ...]


@dataclass(frozen=True)
class Step:
    """An action, and the command lines that perform it."""

    text: str
    command: str


class Steps(Kind):
    """Steps in their order."""

    items: tuple[Step, ...]


@dataclass(frozen=True)
class Link:
    """A file beside the report, and a note on its content."""

    href: str
    text: str
    note: str


class Links(Kind):
    """Files beside the report."""

    items: tuple[Link, ...]


Block = Kind


@dataclass(frozen=True)
class Section:
    """A titled part of the page; `id` is its address within the page."""

    id: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Page:
    """One document; `date` is the ISO date of the latest measurement, never the clock's.

    `opening` is the first screen, beside the figure `lead`. `other` is the study's other document.
    """

    title: str
    subtitle: str
    date: str
    facts: tuple[Fact, ...]
    lead: Figure | None = None
    sections: tuple[Section, ...] = ()
    opening: tuple[Block, ...] = ()
    other: str = ""

    def figures(self) -> list[Figure]:
        """Every figure in reading order."""
        return [*filter(None, [self.lead]), *figures_of(self.sections)]


def figures_of(sections: Iterable[Section]) -> list[Figure]:
    """The figures of some sections in reading order."""
    return [block for section in sections for block in section.blocks if isinstance(block, Figure)]


def words_of(text: Text) -> str:
    """A text without its looks and links; numbers keep their marks."""
    return text if isinstance(text, str) else "".join(span.text for span in text)
