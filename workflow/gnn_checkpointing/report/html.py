"""The HTML face: one self-contained file by Jinja, where every value is escaped and a missing one is an error."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from gnn_checkpointing.report.figures.palette import INK
from gnn_checkpointing.report.page import Page, Panel

SCRIPTS = ("numbers.js", "elements.js", "planner.js", "tables.js", "view.js")
"""In the order in which they need each other."""


def report_html(page: Page, templates: Path) -> str:
    """Return the report as one HTML file; `templates` is the folder that holds html/."""
    script = page_script(templates)
    return environment(templates).get_template("report.html").render(page=page, script=script, allowed=allowed(script))


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
    )
    made.filters["drawing"] = drawing
    made.filters["script_json"] = script_json
    made.filters["as_is"] = Markup
    return made


def script_json(value: Any) -> Markup:
    """Return JSON that no text inside can end the script element with: every < is written as an escape."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c"))  # noqa: S704 - JSON without < has no markup


def drawing(panel: Panel) -> Markup:
    """Return a panel's SVG in the colour of the text around it; our own drawing, so not escaped."""
    svg = panel.svg.replace(INK, "currentColor").replace(' xmlns="http://www.w3.org/2000/svg"', "")
    return Markup(svg.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1))  # noqa: S704 - no user text inside: glyphs are paths
