"""The HTML face: one self-contained file by Jinja, where every value is escaped and a missing one is an error."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from gnn_checkpointing.report.figures.palette import INK
from gnn_checkpointing.report.page import Page, Panel


def report_html(page: Page, templates: Path) -> str:
    """Return the report as one HTML file; `templates` is the folder that holds html/."""
    return environment(templates).get_template("report.html").render(page=page)


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
    return made


def drawing(panel: Panel) -> Markup:
    """Return a panel's SVG in the colour of the text around it; our own drawing, so not escaped."""
    svg = panel.svg.replace(INK, "currentColor").replace(' xmlns="http://www.w3.org/2000/svg"', "")
    return Markup(svg.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1))  # noqa: S704 - no user text inside: glyphs are paths
