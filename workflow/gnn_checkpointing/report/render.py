"""A study's report: both faces and the data beside them, whole or not at all."""

from __future__ import annotations

from pathlib import Path

from gnn_checkpointing.analysis.analyse import Findings, write_analysis
from gnn_checkpointing.artefacts import sha256_of, whole_file, write_json, write_text
from gnn_checkpointing.report.html import report_html
from gnn_checkpointing.report.inputs import ANALYSIS, CLAIMS, MEASUREMENTS, ReportInputs
from gnn_checkpointing.report.page import Page
from gnn_checkpointing.report.pdf import report_pdf
from gnn_checkpointing.report.sections.summary import report_page

HTML = "report.html"
PDF = "report.pdf"
SUMMARY = "summary.json"


def render_report(inputs: ReportInputs, measurements: Path, claims: Path, templates: Path, output_folder: Path) -> None:
    """Write report.html, report.pdf, the data they rest on and summary.json into `output_folder`.

    `measurements` and `claims` are the files that `inputs` were read from; they are copied byte for byte. Nothing
    is written before both faces are made.
    """
    page = report_page(inputs, {MEASUREMENTS: sha256_of(measurements), CLAIMS: sha256_of(claims)})
    html, pdf = report_html(page, templates), report_pdf(page, templates)
    _copy(measurements, output_folder / MEASUREMENTS)
    _copy(claims, output_folder / CLAIMS)
    found = Findings(inputs.effects, inputs.regressions, inputs.accuracy, inputs.quality)
    write_analysis(output_folder / ANALYSIS, found)
    write_json(output_folder / SUMMARY, _summary(inputs, page))
    with whole_file(output_folder / PDF) as stream:
        stream.write(pdf)
    write_text(output_folder / HTML, html)


def _copy(source: Path, target: Path) -> None:
    content = source.read_bytes()
    with whole_file(target) as stream:
        stream.write(content)


def _summary(inputs: ReportInputs, page: Page) -> dict[str, object]:
    """Return what the index needs to know of this report."""
    return {
        "hardware": {"slug": inputs.machine.slug, "label": inputs.machine.label},
        "study": {"name": inputs.study.name, "title": inputs.study.title},
        "measured_on": page.date,
        "cells": inputs.quality.cells,
        "answer": [{"text": sentence.text, "verdict": sentence.verdict} for sentence in page.answer],
    }
