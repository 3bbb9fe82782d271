"""Helpers for tests of a report: inputs with real findings, rendered documents, and readers of pages and sections."""

from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pypdfium2
from lxml.html import fromstring

from gnn_checkpointing.analysis.analyse import analyse
from gnn_checkpointing.claims.judge import judge
from gnn_checkpointing.report.documents import documents
from gnn_checkpointing.report.html import report_html
from gnn_checkpointing.report.inputs import ReportInputs, in_series
from gnn_checkpointing.report.page import Block, Paragraph, Section, Table, words_of
from gnn_checkpointing.report.pdf import report_pdf
from gnn_checkpointing.report.render import render_report
from gnn_checkpointing.report.texts import TEMPLATES
from gnn_checkpointing.sourced import bare
from gnn_checkpointing.study.study import Study
from pages import whole
from synthetic import inputs as synthetic
from synthetic.rows import Table as Rows
from synthetic.tables import protocol

HOSTILE = '<script>alert(1)</script> #panic("x") *b* $x$ `raw` @ref <label> {{ 7*7 }}'


def render(folder: Path, inputs: ReportInputs) -> tuple[str, bytes]:
    """Render into `folder`/out; returns the HTML and the PDF."""
    folder.mkdir(parents=True, exist_ok=True)
    render_report(inputs, synthetic.data_files(folder, inputs), TEMPLATES, folder / "out")
    return whole(folder / "out" / "appendix.html"), (folder / "out" / "appendix.pdf").read_bytes()


def appendix(folder: Path, inputs: ReportInputs) -> tuple[str, bytes]:
    """Render only the appendix into `folder`/out, which takes a third of the time of a whole report."""
    page = documents(inputs, {}, TEMPLATES).appendix
    html, pdf = report_html(page, TEMPLATES, "appendix.html"), report_pdf(page, TEMPLATES)
    (folder / "out").mkdir(parents=True)
    (folder / "out" / "appendix.html").write_text(html)
    (folder / "out" / "appendix.pdf").write_bytes(pdf)
    return whole(folder / "out" / "appendix.html"), pdf


def pdf_text(pdf: Path) -> str:
    """The PDF's text with single spaces; a character marks lines that end within a word."""
    pages = (page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(pdf))
    return " ".join("\n".join(pages).replace("\ufffe\r\n", "-").replace("\u200b", "").split())


class Text:
    """The tags, attributes and text of a page as a browser would see them."""

    def __init__(self, html: str) -> None:
        page = fromstring(html)
        self.tags = [(one.tag, dict(one.attrib)) for one in page.iter()]
        self.text = " ".join(" ".join(page.itertext()).split())


def block(found: Section | None, id: str) -> Any:
    """The section's table or figure with this id."""
    assert found is not None
    return next(one for one in found.blocks if getattr(one, "id", "") == id)


def tables(found: Section | None) -> list[Table]:
    assert found is not None
    return [one for one in found.blocks if isinstance(one, Table)]


def texts(table: Table, *heads: str) -> list[str]:
    """The cells after `heads` in the only row that begins with them."""
    (row,) = [row for row in table.rows if tuple(cell for cell in row[: len(heads)]) == heads]
    return list(row[len(heads) :])


def prose(found: Section | None) -> str:
    assert found is not None
    return bare(" ".join(words_of(one.text) for one in found.blocks if isinstance(one, Paragraph)))


def words_in(blocks: Iterable[Block]) -> str:
    """All words in some blocks: titles, paragraphs, items of lists."""
    texts = [text for one in blocks for text in getattr(one, "items", [getattr(one, "text", "")])]
    return " ".join(bare(words_of(text)) for text in texts if isinstance(text, str | tuple))


def analysed(rows: Rows, study: Study, **more: Any) -> ReportInputs:
    """Inputs with the analysis's own findings of `rows`, and no traces unless they are given."""
    found = analyse(rows, [], protocol(), encodings=more.pop("encodings", ()))
    parts = {field.name: getattr(found, field.name) for field in fields(found)}
    known = {"ledger": judge(found, study.name, "laptop"), "traces": [], **more}
    return synthetic.inputs(in_series(rows), study=study, **{**parts, **known})
