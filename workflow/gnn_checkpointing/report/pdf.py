"""The PDF face: the page as JSON, typeset by Typst, so that no text of a user is ever markup."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import typst

from gnn_checkpointing.report.figures.paper import on_paper
from gnn_checkpointing.report.letters import FONTS, font_folder, is_drawn
from gnn_checkpointing.report.packing import packed
from gnn_checkpointing.report.page import Page
from gnn_checkpointing.sourced import bare


def report_pdf(page: Page, templates: Path) -> bytes:
    """Return the report as PDF/UA-1, the same bytes for the same page; `templates` is the folder that holds typst/."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        shutil.copyfile(templates / "typst" / "report.typ", root / "report.typ")
        (root / "page.json").write_text(json.dumps(_printable(asdict(page)), ensure_ascii=False), encoding="utf-8")
        for figure in page.figures():
            for panel in figure.panels:
                paper = on_paper(_mapped(panel.svg, _drawable_or_named))
                (root / f"{panel.id}.svg").write_text(paper.svg, encoding="utf-8")
                labels = {"width": paper.width, "labels": [asdict(label) for label in paper.labels]}
                (root / f"{panel.id}.json").write_text(json.dumps(labels, ensure_ascii=False), encoding="utf-8")
        fonts = root / "fonts"
        fonts.mkdir()
        for font in FONTS:
            shutil.copyfile(font_folder() / font, fonts / font)
        compiled: bytes = typst.compile(
            root / "report.typ",
            root=root,
            font_paths=[fonts],
            ignore_system_fonts=True,
            format="pdf",
            pdf_standards=["ua-1"],
            timestamp=datetime.combine(_day(page.date), datetime.min.time(), UTC),
        )
        return packed(compiled)


def _day(text: str) -> date:
    """Return the page's date; a page without one is dated by the epoch, never by the clock."""
    return date.fromisoformat(text) if text else date(1970, 1, 1)


def _printable(value: Any) -> Any:
    """Return the page's JSON without drawings and their data (they are files) and with every character drawable."""
    if isinstance(value, dict):
        return {key: _printable(item) for key, item in value.items() if key not in ("svg", "drawn", "knowledge")}
    if isinstance(value, list | tuple):
        return [_printable(item) for item in value]
    return _mapped(bare(value), _drawable_or_named) if isinstance(value, str) else value


def _mapped(text: str, replacement: Callable[[str], str]) -> str:
    return "".join(replacement(character) for character in text)


def _drawable_or_named(character: str) -> str:
    """Return the character, or its Unicode number in brackets where no embedded font has it."""
    if is_drawn(character):
        return character
    return " " if character.isspace() else f"[U+{ord(character):04X}]"
