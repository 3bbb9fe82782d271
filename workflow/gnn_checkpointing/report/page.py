"""The page as data: what the report says, in order, with nothing about how it looks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from gnn_checkpointing.claims.ledger import Verdict
from gnn_checkpointing.report.figure import Fact, Figure, Kind


@dataclass(frozen=True)
class Span:
    """A piece of a sentence; `look` is its emphasis, `href` where it leads, `source` the address of its number.

    A verdict's look is the verdict; its text is what the reader sees.
    """

    text: str
    look: Literal["plain", "strong", "emphasis", "code"] | Verdict = "plain"
    href: str = ""
    source: str = ""


Text = str | tuple[Span, ...]

PROVES = "\N{SECTION SIGN}"
"""What stands at the end of a sentence without numbers, and leads to its evidence."""


@dataclass(frozen=True)
class Paragraph(Kind):
    """Running text; `id` is its address within the page, where it has one."""

    text: Text
    id: str = ""


@dataclass(frozen=True)
class Note(Kind):
    """A sentence that the reader must not miss, such as a warning about noise."""

    text: Text


@dataclass(frozen=True)
class Heading(Kind):
    """The title of a part of a section."""

    text: Text


@dataclass(frozen=True)
class Bullets(Kind):
    """A list; `ordered` where the order matters."""

    items: tuple[Text, ...]
    ordered: bool = False


@dataclass(frozen=True)
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


@dataclass(frozen=True)
class Table(Kind):
    """Formatted rows under a caption; the first column heads its row."""

    id: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    source: str

    def __post_init__(self) -> None:
        """Check that each row has a cell for each column."""
        for number, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                raise ValueError(f"table {self.id}, row {number}: {len(row)} cells for {len(self.columns)} columns")


@dataclass(frozen=True)
class Outcome:
    """What a claim comes to for one convolution, or for the study where `about` is empty; formatted."""

    about: str
    verdict: Verdict
    estimate: str


@dataclass(frozen=True)
class ClaimItem:
    """A judged sentence, its verdict for each convolution, and all that these rest on, formatted.

    `wants` says what it would take where nothing was tested.
    """

    id: str
    sentence: str
    outcomes: tuple[Outcome, ...]
    wants: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True)
class Claims(Kind):
    """Judged sentences of one kind."""

    id: str
    title: str
    items: tuple[ClaimItem, ...]
    source: str


@dataclass(frozen=True)
class Facts(Kind):
    """Names and values, such as the machine's."""

    items: tuple[Fact, ...]


@dataclass(frozen=True)
class Step:
    """What to do, and the command lines that do it."""

    text: str
    command: str


@dataclass(frozen=True)
class Steps(Kind):
    """Steps in their order."""

    items: tuple[Step, ...]


@dataclass(frozen=True)
class Link:
    """A file beside the report, and what it holds."""

    href: str
    text: str
    note: str


@dataclass(frozen=True)
class Links(Kind):
    """Files beside the report."""

    items: tuple[Link, ...]


@dataclass(frozen=True)
class Field:
    """A number that the planner asks for, and what stands there at first."""

    name: str
    label: str
    value: str
    least: str = "1"
    step: str = "1"


@dataclass(frozen=True)
class Planner(Kind):
    """A form that answers for any graph, model and memory; `knowledge` is what planner.json holds.

    Interactive, and so in the HTML alone: what it answers stands in the paragraph and table beside it, too.
    """

    graphs: tuple[str, ...]
    fields: tuple[Field, ...]
    convolutions: tuple[str, ...]
    headings: tuple[str, ...]
    knowledge: Mapping[str, Any]


Block = Paragraph | Note | Heading | Bullets | Box | Table | Figure | Claims | Facts | Steps | Links | Planner


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
        """Return every figure in reading order."""
        return [*filter(None, [self.lead]), *figures_of(self.sections)]


def figures_of(sections: Iterable[Section]) -> list[Figure]:
    """Return the figures of some sections in reading order."""
    return [block for section in sections for block in section.blocks if isinstance(block, Figure)]


def words_of(text: Text) -> str:
    """Return a text without its looks and links; numbers keep their marks."""
    return text if isinstance(text, str) else "".join(span.text for span in text)
