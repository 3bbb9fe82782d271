"""`preview.png`: the default study's answer and leading figure, as README and social pages show them."""

from __future__ import annotations

import csv
import json
import shutil
import tempfile
from pathlib import Path

import typst

from gnn_checkpointing.packed import bounded_bytes, is_there
from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.figures.lines import Line, Point, line_panel
from gnn_checkpointing.report.figures.palette import by_convolution, looks
from gnn_checkpointing.report.letters import FONTS, font_folder

PREVIEW = "preview.png"
_FIGURE = "figures/figure-lead.csv"
_COLUMNS = ("panel", "convolution", "average degree (edges per node)", "activation memory / none's", "low", "high")


def render_preview(study: Path, headline: str, machine: str, templates: Path, output: Path) -> None:
    """Write a picture of 1200 by 630 from what a published study's leading figure draws; none of another figure."""
    drawn = study / _FIGURE
    if not is_there(drawn):
        return
    header, *rows = csv.reader(bounded_bytes(drawn).decode().splitlines())
    if tuple(header) != _COLUMNS:
        return
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for font in FONTS:
            shutil.copyfile(font_folder() / font, root / font)
        shutil.copyfile(templates / "typst" / "preview.typ", root / "preview.typ")
        panels = list(dict.fromkeys(row[0] for row in rows))
        for panel in panels:
            (root / f"{panel}.svg").write_text(_drawing(panel, rows), encoding="utf-8")
        values = {"headline": headline, "machine": machine, "panels": panels, "axis": _COLUMNS[3]}
        (root / "preview.json").write_text(json.dumps(values), encoding="utf-8")
        picture: bytes = typst.compile(
            root / "preview.typ", root=root, font_paths=[root], ignore_system_fonts=True, format="png", ppi=72
        )
    output.write_bytes(picture)


def _drawing(panel: str, rows: list[list[str]]) -> str:
    convolutions = list(dict.fromkeys(row[1] for row in rows))
    numbers = [
        (row[0], row[1], Point(x=float(row[2]), y=float(row[3]), low=float(row[4]), high=float(row[5]))) for row in rows
    ]
    x = scales.degree_scale([point.x for _, _, point in numbers], _COLUMNS[2])
    y = scales.ratio_scale([point.y for _, _, point in numbers], _COLUMNS[3])
    lines = [
        Line(one, tuple(point for policy, convolution, point in numbers if (policy, convolution) == (panel, one)))
        for one in convolutions
    ]
    return line_panel(panel, lines, by_convolution(convolutions, looks([panel])[panel].colour), x, y, reference=1.0)
