"""The HTML face: one self-contained file by Jinja, where every value is escaped and a missing one is an error."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from gnn_checkpointing.claims.ledger import Verdict
from gnn_checkpointing.report.page import PROVES, Column, Page, Span, Text
from gnn_checkpointing.sourced import SourcedText, bare, parts

SCRIPTS = ("numbers.js", "elements.js", "view.js", "planner.js", "tables.js", "figures.js", "reading.js", "start.js")
"""In the order in which they need each other."""


def report_html(page: Page, templates: Path, template: str = "report.html") -> str:
    """Return the page as one HTML file; `templates` is the folder that holds html/, where `template` lies."""
    script = page_script(templates)
    values = {"page": page, "script": script, "allowed": allowed(script)}
    return environment(templates).get_template(template).render(values)


def page_script(templates: Path) -> str:
    """Return the page's one script: the files of templates/html/scripts in a scope of their own.

    Comments and indentation stay behind: a report is read by many who do not read its script.
    """
    texts = [(templates / "html" / "scripts" / name).read_text(encoding="utf-8") for name in SCRIPTS]
    lines = [line.strip() for text in texts for line in text.splitlines()]
    kept = [line for line in lines if line and not line.startswith("//")]
    return "\n".join(['"use strict";', "{", *kept, "}", ""])


def allowed(script: str) -> str:
    """Return what the page's security policy lets run: this script, by its digest, and no other."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def environment(templates: Path) -> Environment:
    """Return the project's Jinja environment over templates/html."""
    made = Environment(
        loader=FileSystemLoader(templates / "html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=with_sources,
    )
    made.filters["bare"] = bare
    made.filters["wholes"] = wholes
    made.filters["side"] = side
    made.filters["sides"] = sides
    made.filters["script_json"] = script_json
    made.filters["as_is"] = Markup
    made.filters["inline"] = inline
    return made


def with_sources(value: Any) -> Any:
    """Return a text with every number that knows its address in an element that tells it; any other value as it is.

    For text between tags; what stands in an attribute is first made `bare`.
    """
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    if bare(value) == value and not isinstance(value, SourcedText):
        return value
    return Markup("").join(
        Markup('<span data-source="{}">{}</span>').format(source, text) if source else escape(text)
        for source, text in parts(value)
    )


def inline(text: Text) -> Any:
    """Return a text with its looks, links and the addresses of its numbers as elements."""
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


def whole(text: str, file: str) -> tuple[str, str]:
    """Return address and number of a table cell that is one number, else nothing and the text itself.

    Within a table of one `file` an address begins with the field, as a link within a page does.
    """
    found = parts(text)
    if len(found) != 1 or not found[0][0]:
        return "", text
    source, number = found[0]
    inside = source.startswith(f"{file}#") and " " not in source
    return source[len(file) :] if inside else source, number


def wholes(row: Sequence[str], file: str) -> tuple[str, list[tuple[str, str]]]:
    """Return the place in `file` that all addresses of a row begin with, and its cells with the rest of theirs."""
    cells = [whole(text, file) for text in row]
    inside = [source for source, _ in cells if source.startswith("#") and " " not in source]
    begin = os.path.commonprefix(inside).rpartition("/")[0] if len(inside) > 1 else ""  # noqa: RUF071 - by letter
    if not begin:
        return "", cells
    return begin, [(source.removeprefix(begin) if source in inside else source, text) for source, text in cells]


def side(column: Column, only: str = "") -> Markup:
    """Return the class of a column's cells as an attribute; text, the most of them, needs none."""
    named = column.content != "text" and only in ("", column.content)
    return Markup(' class="{}"').format(column.content) if named else Markup("")


def sides(columns: Sequence[Column]) -> Markup:
    """Return which columns of a table line up on the right, as classes of the table: r2 is its second."""
    right = [f"r{place}" for place, column in enumerate(columns, start=1) if column.content == "number"]
    return Markup(' class="{}"').format(" ".join(right)) if right else Markup("")


def script_json(value: Any) -> Markup:
    """Return JSON that no text inside can end the script element with: every < is written as an escape."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c"))  # noqa: S704 - JSON without < has no markup
