"""The report's grades of itself stand on its first page, in full in a section, in its summary and in the index."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from gnn_checkpointing.artefacts import read_json
from gnn_checkpointing.packed import bounded_bytes
from gnn_checkpointing.report.index import Compared, render_index
from pages import whole

from .test_report import TEMPLATES, Text, pdf_text

SCORE = "1 of 2 checks passed; 1 more does not apply to this study."
FAILED = "Was the machine steady?"


def test_the_report_says_its_score_and_what_failed_in_both_faces(rendered: Path) -> None:
    assert SCORE in Text(whole(rendered / "appendix.html")).text
    html = Text(whole(rendered / "report.html")).text
    flat = pdf_text(rendered / "report.pdf")
    for page in (html.replace("1 of 2 .", "1 of 2."), flat):
        assert "passes 1 of 2" in page.replace(" 1  of  2", " 1 of 2")
        assert FAILED in page


def test_every_check_is_listed_with_a_word_for_its_answer(rendered: Path) -> None:
    html = whole(rendered / "appendix.html")
    table = html[html.index('id="table-audit"') :]
    rows = [Text(row).text for row in re.split("<tr[^>]*>", table[: table.index("</table>")])[2:]]
    assert len(rows) == 3
    assert "alone on the machine? passed 0 of 108 cells overlapped another" in rows[0]
    assert "steady? FAILED median drift: 5.607 %" in rows[1]
    assert "predicted? does not apply no real graph lies within what a law was fitted on" in rows[2]
    assert "analysis/quality.json: sentinel_drift.median" in rows[1]


def test_the_grades_are_published_and_told_to_the_index(rendered: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(rendered, tmp_path / "reports" / "laptop" / "default"))
    assert bounded_bytes(folder / "audit.json") == (rendered.parent / "audit.json").read_bytes()
    told = {"passed": 1, "applicable": 2, "failed": ["Was the machine steady?"]}
    assert read_json(folder / "summary.json")["audit"] == told
    render_index(tmp_path / "reports", TEMPLATES, tmp_path / "reports" / "index.html", Compared(()))
    assert "audit: 1 of 2 checks passed" in (tmp_path / "reports" / "index.html").read_text()
