"""Sections, tables and figures of the appendix, made from named texts.

`templates/appendix/FILE.md` has sections (`# id: Title`), which place sentences, tables and figures by calling the
functions of `sections/FILE.py`, and named texts (`## name`): Jinja paragraphs and an optional list. The list below a
table's caption defines its columns: `- Heading (unit): value | filter, content`. A value is a path from an item
of the table; its steps are fields, indices, functions of the section, or `#name`: the text of that name about `it`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, cast

from jinja2 import Environment, StrictUndefined, Template, pass_context
from jinja2.runtime import Context

from gnn_checkpointing.analysis.table import time_ratio
from gnn_checkpointing.packed import PACK
from gnn_checkpointing.report import inputs as files
from gnn_checkpointing.report.inputs import ReportInputs
from gnn_checkpointing.report.page import (
    Block,
    Fact,
    Facts,
    Figure,
    Kind,
    Link,
    Links,
    Note,
    Panel,
    Paragraph,
    Section,
    Table,
)
from gnn_checkpointing.report.panels import Of, figure, table
from gnn_checkpointing.report.texts import TEMPLATES, filters
from gnn_checkpointing.sourced import counted, counted_where

_HEADING = re.compile(r"^##? ([\w-]+)(?:: (.+))?$", re.MULTILINE)
_COLUMN = re.compile(
    r"(?P<name>.+?)(?: \((?P<unit>.+)\))?: (?P<value>[\w.#-]+)"
    r"(?: \| (?P<words>\w+)(?:\((?P<digits>\d)\))?)?(?:, (?P<content>text|number|prose))?"
)
_LISTED = re.compile(r"(\{%.*%\}\n)?- ")
_LIST, _SECTION, _HOW = ":list", ":section", "-how-to-read"
_BLOCK = "\ue010"

_FOLDER = ContextVar("folder of templates", default=TEMPLATES)


@contextmanager
def texts_from(templates: Path) -> Iterator[None]:
    """Read every text from this folder of templates while the context lasts."""
    before = _FOLDER.set(templates)
    try:
        yield
    finally:
        _FOLDER.reset(before)


class Texts:
    """Texts, tables and figures of one section of the appendix; keyword arguments are the templates' variables."""

    def __init__(self, section: str) -> None:
        self._section = section

    def __call__(self, name: str, /, **values: object) -> str:
        """The text of that name."""
        paragraphs = (one.render(values) for one in _texts(self._section)[name])
        return "\n\n".join(filter(None, paragraphs))

    def lines(self, name: str, /, **values: object) -> list[str]:
        """The list below the text of that name."""
        lists = _texts(self._section).get(name + _LIST, [])
        return [line.removeprefix("- ") for one in lists for line in one.render(values).split("\n") if line]

    def names(self, name: str, /, **values: object) -> dict[str, str]:
        """The list below a text as a mapping: each line is split at its first colon into key and value."""
        parted = (line.partition(": ") for line in self.lines(name, **values))
        return {key: words for key, _, words in parted}

    def table(
        self,
        inputs: ReportInputs | None,
        id: str,
        source: str,
        items: Iterable[Any],
        *more: Of[Any],
        name: str = "",
        caption: str = "",
        **values: Any,
    ) -> Table:
        """Table of the items; its text is `name`, or the one nearest to `id`. `more` are further columns."""
        known: dict[str, Any] = {"it": lambda item: item, "text": self}
        if inputs is not None:
            known |= {"inputs": inputs, "named": inputs.named, "confidence": inputs.effects.confidence}
            known |= _functions(self._section)
        known |= values
        name = self._nearest(name or id, _LIST)
        given = (_column(one, known) for one in self.lines(name, **known))
        return table(id, caption or self(name, **known), source, items, *given, *more)

    def figure(
        self,
        id: str,
        source: str,
        panels: Iterable[Panel | None],
        name: str = "",
        *,
        size: Literal["small", "wide"] = "small",
        **values: object,
    ) -> Figure:
        """Figure with its caption and reading aid: the texts of `name`, or those nearest to `id`."""
        caption = self(self._nearest(name or id), **values)
        how_to_read = self(self._nearest(name or id, _HOW) + _HOW, **values)
        return figure(id, caption, how_to_read, source, panels, size)

    def _nearest(self, id: str, end: str = "") -> str:
        """Longest name of a text with the suffix `end` such that `id` begins with that name."""
        names = (name.removesuffix(end) for name in _texts(self._section) if name.endswith(end))
        return max((name for name in names if f"{id}-".startswith(f"{name}-")), key=len)


def _module(file: str) -> dict[str, Any]:
    """The public names of a file in `sections`."""
    found = vars(import_module(f"gnn_checkpointing.report.sections.{file}"))
    return {name: one for name, one in found.items() if not name.startswith("_")}


def _functions(file: str) -> dict[str, Any]:
    """Public functions that a file in `sections` defines itself, for the columns of its tables."""
    own = f"gnn_checkpointing.report.sections.{file}"
    return {name: one for name, one in _module(file).items() if getattr(one, "__module__", "") == own}


def _column(line: str, known: Mapping[str, Any]) -> Of[Any]:
    found = _COLUMN.fullmatch(line)
    if found is None:
        raise ValueError(f"not a column of a table: {line!r}; write - Heading (unit): value | filter, content")
    words: Any = known.get(found["words"]) or filters().get(found["words"])
    if found["words"] and words is None:
        raise ValueError(f"no such filter: {line!r}")
    if found["digits"]:
        words = partial(words, **{"decimals": int(found["digits"])})
    content = cast("Literal['text', 'number', 'prose'] | None", found["content"])
    return Of(found["name"], partial(_value, found["value"].split("."), known), words, found["unit"] or "", content)


def _value(path: Sequence[str], known: Mapping[str, Any], item: Any) -> Any:
    """Value at the end of a path; None if a step on the way is None."""
    for step in path:
        if item is None:
            return None
        if step.startswith("#"):
            item = known["text"](step[1:], **{**known, "it": item})
        elif callable(known.get(step)):
            item = known[step](item)
        elif isinstance(item, Mapping):
            item = str(item[step]) if isinstance(item[step], str) else item[step]
        else:
            item = item[int(step)] if step.isdigit() else getattr(item, step)
    return item


def _texts(file: str) -> dict[str, list[Template]]:
    """Everything in a file by name: paragraphs of the texts, lists, and the title and body of each section."""
    return _read(_FOLDER.get() / "appendix" / f"{file}.md")


@cache
def _read(file: Path) -> dict[str, list[Template]]:
    environment = Environment(undefined=StrictUndefined, autoescape=False, finalize=_printed)  # noqa: S701
    environment.filters |= filters()
    _, *found = _HEADING.split(file.read_text(encoding="utf-8"))
    return {
        name: [environment.from_string(one) for one in paragraphs]
        for id, title, body in zip(found[::3], found[1::3], found[2::3], strict=True)
        for name, paragraphs in _parts(id, title, body.strip())
    }


def _parts(name: str, title: str | None, body: str) -> Iterator[tuple[str, list[str]]]:
    """Name and templates of a section (title, body), or of a text (paragraphs on one line each) and its list."""
    if title:
        yield name + _SECTION, [title, body]
        return
    paragraphs = body.split("\n\n")
    lists = [one for one in paragraphs if _LISTED.match(one)]
    yield name, [one.replace("\n", " ") for one in paragraphs if one not in lists]
    if lists:
        yield name + _LIST, lists


@pass_context
def _printed(context: Context, value: Any) -> str:
    """Print text unchanged; keep a block for later and print its placeholder."""
    if value is None or (isinstance(value, Table) and not value.rows):
        return ""
    if isinstance(value, list | tuple):
        return "".join(_printed(context, one) for one in value)
    if not isinstance(value, Kind):
        return str(value)
    context["held"].append(value)
    return f"\n\n{_BLOCK}{len(context['held']) - 1}\n\n"


def section(inputs: ReportInputs, place: str, **values: Any) -> Section | None:
    """Section FILE.ID of the appendix, or FILE if both names are the same; None if it prints nothing."""
    file, _, id = place.partition(".")
    text = Texts(file)
    held: list[Block] = []
    title, body = _texts(file)[f"{id or file}{_SECTION}"]
    known: dict[str, Any] = {
        **{name: one for name, one in vars(files).items() if name.isupper()},
        **_module("parts"),
        **_module(file),
        **{one.__name__: one for one in (Note, Link, Links, counted, counted_where, time_ratio)},
        **{"inputs": inputs, "held": held, "text": text, "names": text.names, "PACK": PACK},
        "table": partial(text.table, inputs),
        "verdicts": partial(_verdicts, text, inputs),
        "facts": partial(_facts, text),
    }
    paragraphs = filter(None, map(str.strip, re.split(r"\n\s*\n", body.render(known | values))))
    blocks = tuple(held[int(one[1:])] if one[0] == _BLOCK else Paragraph(one.replace("\n", " ")) for one in paragraphs)
    return Section(id or file, title.render(known), blocks) if blocks else None


def _facts(text: Texts, name: str, **more: Any) -> Facts | None:
    found = text.names(name, **more)
    return Facts(tuple(Fact(*fact) for fact in found.items())) if found else None


def _verdicts(text: Texts, inputs: ReportInputs, id: str, kind: str = "") -> Table:
    """Table of the claims whose templates are listed below the caption in `text`, or that are of `kind`."""
    claims, templates = inputs.ledger.claims, text.lines(id)
    found = [one for one in claims if one.id.partition(":")[0] in templates or one.kind == kind]
    return Texts("claims").table(inputs, id, files.CLAIMS, found, name="table-verdicts", caption=text(id))
