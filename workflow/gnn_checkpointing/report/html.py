"""HTML version: one self-contained file made by Jinja; every value is escaped, and a missing value is an error."""

import base64
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, get_args

import minify
import minify_html
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from gnn_checkpointing.claims.ledger import Verdict
from gnn_checkpointing.report.figures.svg import STYLE, on_page
from gnn_checkpointing.report.page import PROVES, Column, Page, Span, Table, Text
from gnn_checkpointing.sourced import SourcedText, bare, parts

SCRIPTS = ("numbers.js", "elements.js", "view.js", "planner.js", "tables.js", "figures.js", "reading.js", "start.js")
"""Scripts in the order of their dependencies."""

_PLAIN_ENOUGH = {"keep_html_and_head_opening_tags": True, "minify_doctype": False}
"""Options of minification that keep the tags every HTML parser expects."""

_ENTRY = re.compile(r"[^\s()]*#(?:/[^\s()/]+)*?/\d+(?![^/\s);])")
"""Matches the part of an address that names an entry of a list: up to the first number."""


def report_html(page: Page, templates: Path, template: str = "report.html") -> str:
    """The page as one HTML file; `templates` is the folder that holds html/, where `template` lies."""
    blocks = [*page.opening, *(block for section in page.sections for block in section.blocks)]
    script = page_script(templates, planner=any(block.kind == "planner" for block in blocks))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    # The page's content security policy allows this script only.
    values = {"page": page, "script": script, "allowed": f"'sha256-{digest}'"}
    return minify_html.minify(
        environment(templates).get_template(template).render(values), minify_css=True, **_PLAIN_ENOUGH
    )


def page_script(templates: Path, *, planner: bool = True) -> str:
    """The page's one script, minified: the files of templates/html/scripts in a scope of their own.

    Without a planner form on the page, planner.js is left out: it is a third of the whole.
    """
    names = [name for name in SCRIPTS if planner or name != "planner.js"]
    texts = [(templates / "html" / "scripts" / name).read_text(encoding="utf-8") for name in names]
    script: str = minify.string("application/javascript", "\n".join(['"use strict";(() => {', *texts, "})();"]))
    return script


@cache
def environment(templates: Path) -> Environment:
    """The project's Jinja environment over templates/html."""
    made = Environment(
        loader=FileSystemLoader(templates / "html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=with_sources,
    )
    made.filters |= {one.__name__: one for one in (bare, addressed, within, sides, script_json, inline, on_page)}
    made.filters["as_is"] = Markup
    made.globals["drawings"] = STYLE
    return made


def with_sources(value: Any) -> Any:
    """Wrap each number of a text that has an address in an element that carries it; other values stay unchanged.

    Only for text between tags; the text of an attribute must first go through `bare`.
    """
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    if bare(value) == value and not isinstance(value, SourcedText):
        return value
    return _spans(parts(value))


def within(text: str, file: str) -> Markup:
    """A text in a table of one file: addresses within that file are shortened and begin with #."""
    return _spans(_short_parts(text, file))


def _spans(pieces: Iterable[tuple[str, str]]) -> Markup:
    """Pieces of a text, each number in an element with its address."""
    return Markup("").join(
        Markup('<span data-source="{}">{}</span>').format(source, text) if source else escape(text)
        for source, text in pieces
    )


def inline(text: Text) -> Any:
    """A text with its looks, links and the addresses of its numbers as elements."""
    return with_sources(text) if isinstance(text, str) else Markup("").join(map(_element, text))


def _element(span: Span) -> Markup:
    words = escape(span.text)
    if span.look in get_args(Verdict):
        return Markup('<span class="verdict {}">{}</span>').format(span.look, words)
    if tag := {"strong": "strong", "emphasis": "em", "code": "code"}.get(span.look):
        words = Markup("<{0}>{1}</{0}>").format(Markup(tag), words)  # noqa: S704 - one of three names
    if span.href:
        source = Markup(' class="number" data-source="{}"').format(span.source) if span.source else Markup("")
        if span.text == PROVES:
            source = Markup(' class="proof" aria-label="Evidence in the appendix"')
        return Markup('<a href="{}"{}>{}</a>').format(span.href, source, words)
    return Markup('<span data-source="{}">{}</span>').format(span.source, words) if span.source else words


def addressed(block: Table) -> tuple[str, list[str], list[tuple[str, list[tuple[str, str | None, str | Markup]]]]]:
    """A table's list, the shared address of each column, and rows: entry, and each cell's entry, address and content.

    Most numbers of a column come from the same field of different list entries. The column's address is `@/field`; the
    row or the cell says which entry `@` stands for, by its number alone if the entry is in the table's list. A cell
    whose address is None has its column's address.
    """
    rows = [[_short_parts(text, block.source) for text in row] for row in block.rows]
    bases = [_most_common(_entry(source) for cell in row for source, _ in cell) for row in rows]
    entries = _most_common(base[: base.rfind("/") + 1] for base in bases)
    columns = [
        _most_common(_within(cell[0][0], _entry(cell[0][0])) for row in rows if len(cell := row[place]) == 1)
        for place in range(len(block.columns))
    ]
    cells = [
        [_cell(cell, base, column, entries) for cell, column in zip(row, columns, strict=True)]
        for row, base in zip(rows, bases, strict=True)
    ]
    return entries, columns, list(zip([_numbered(base, entries) for base in bases], cells, strict=True))


def _numbered(entry: str, entries: str) -> str:
    """Number of an entry that is in the list `entries`; the whole address of any other."""
    number = entry.removeprefix(entries)
    return number if number.isdigit() else entry


def _short_parts(text: str, file: str) -> list[tuple[str, str]]:
    """Pieces of a text with their addresses; addresses within the table's file are shortened and begin with #."""
    return [(source.replace(f"{file}#", "#"), piece) for source, piece in parts(text)]


def _most_common(found: Iterable[str]) -> str:
    (best, times), *_ = Counter(filter(None, found)).most_common(1) or [("", 0)]
    return best if times > 1 else ""


def _entry(source: str) -> str:
    """Address of the first list entry named in an address; "" if there is none."""
    found = _ENTRY.search(source)
    return found[0] if found else ""


def _within(source: str, base: str) -> str:
    return re.sub(rf"{re.escape(base)}(?![^/\s);])", "@", source) if base else source


def _cell(cell: list[tuple[str, str]], base: str, column: str, entries: str) -> tuple[str, str | None, str | Markup]:
    if len(cell) != 1:
        return "", "" if column else None, _spans((_within(source, base), text) for source, text in cell)
    ((source, text),) = cell
    own = _entry(source)
    if column and _within(source, own) == column:
        return "" if own == base else _numbered(own, entries), None, escape(text)
    bare_number = column and any(map(str.isdigit, text))  # text without digits may keep its column's address
    return "", _within(source, base) if source or bare_number else None, escape(text)


def sides(columns: Sequence[Column]) -> Markup:
    """CSS classes for columns of numbers and prose: n2 if the second has numbers, p3 if the third has prose."""
    found = [f"{one.content[0]}{place}" for place, one in enumerate(columns, start=1) if one.content != "text"]
    return Markup(' class="{}"').format(" ".join(found)) if found else Markup("")


def script_json(value: Any) -> Markup:
    """JSON for a script element: every < is escaped, so that no text in it can end the element."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c"))  # noqa: S704 - JSON without < has no markup
