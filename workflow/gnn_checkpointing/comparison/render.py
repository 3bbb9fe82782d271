"""A comparison as files: `comparison.json`, and the page that prints it."""

from __future__ import annotations

from pathlib import Path

from gnn_checkpointing.artefacts import write_json, write_text
from gnn_checkpointing.comparison.folders import COMPARISON, PAGE
from gnn_checkpointing.comparison.page import comparison_page
from gnn_checkpointing.comparison.results import Comparison
from gnn_checkpointing.report.html import report_html


def render_comparison(comparison: Comparison, templates: Path, output_folder: Path) -> None:
    """Write comparison.json and comparison.html into `output_folder`; nothing before the page is made."""
    html = report_html(comparison_page(comparison), templates, "comparison.html")
    write_json(output_folder / COMPARISON, comparison.model_dump(mode="json"))
    write_text(output_folder / PAGE, html)
