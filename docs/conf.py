"""Sphinx configuration: `make docs` builds the site from these pages and from the code."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import minify
import minify_html

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "workflow"))

from gnn_checkpointing.records.measurements_table import COLUMNS  # noqa: E402 - found there

project = "Should I checkpoint my GNN?"
author = "The gnn-checkpointing authors"
project_copyright = "the gnn-checkpointing authors, MIT licence"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["generated/*", "convolutions.md"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
# The key reference and the table of convolutions are also read on their own: their links point into the repository.
suppress_warnings = ["myst.xref_missing", "myst.header"]
autodoc_typehints = "description"
autodoc_member_order = "bysource"
html_theme = "furo"
html_title = project
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_last_updated_fmt = None


def _help(*words: str) -> str:
    """What a command prints when it is asked for help, at a fixed width."""
    return subprocess.run(
        [sys.executable, "-m", "gnn_checkpointing", *words, "--help"],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "100", "TERM": "dumb", "NO_COLOR": "1", "PYTHONPATH": sys.path[0]},
    ).stdout


def _commands() -> str:
    names = re.findall(r"^  ([a-z]+):", _help(), flags=re.MULTILINE)
    return "\n".join(f"## `{name}`\n\n```text\n{_help(name)}```\n" for name in names)


def _columns() -> str:
    rows = [f"| `{one.name}` | {one.kind} | {one.unit} | {one.meaning} |" for one in COLUMNS]
    return "\n".join(["| column | type | unit | meaning |", "|---|---|---|---|", *rows, ""])


_ACCESSIBLE = {
    '<p class="caption" role="heading">': '<p class="caption" role="heading" aria-level="2">',
    '<aside class="sidebar-drawer">': '<aside class="sidebar-drawer" aria-label="All pages">',
    '<aside class="toc-drawer': '<aside aria-label="On this page" class="toc-drawer',
    # What is wide scrolls, by keyboard too.
    "<pre>": '<pre tabindex="0">',
    '<div class="table-wrapper': '<div tabindex="0" class="table-wrapper',
    '<div id="search-results">': '<h1>Search</h1>\n<div id="search-results">',
}
"""What the theme leaves out."""


_UNUSED = re.compile(r'<symbol id="svg-(?:pencil|eye)".*?</symbol>', re.DOTALL)
"""The theme's icons of links to sources, which these pages lack."""


def _finish(app: Any, _error: object) -> None:
    """Make the pages accessible and small, and leave out the theme's source maps, an eighth of the site."""
    for path in Path(app.outdir).rglob("*.html"):
        text = _UNUSED.sub("", path.read_text(encoding="utf-8"))
        for old, new in _ACCESSIBLE.items():
            text = text.replace(old, new)
        text = minify_html.minify(text, keep_html_and_head_opening_tags=True, minify_doctype=False, minify_css=True)
        path.write_text(text, encoding="utf-8")
    for path in Path(app.outdir).rglob("*.js"):
        path.write_text(minify.string("application/javascript", path.read_text(encoding="utf-8")), encoding="utf-8")
    for path in Path(app.outdir).rglob("*.map"):
        path.unlink()


def setup(app: Any) -> None:
    """Write the pages that are made from the code."""
    app.connect("build-finished", _finish)
    generated = HERE / "generated"
    generated.mkdir(exist_ok=True)
    (generated / "commands.md").write_text(_commands(), encoding="utf-8")
    (generated / "columns.md").write_text(_columns(), encoding="utf-8")
