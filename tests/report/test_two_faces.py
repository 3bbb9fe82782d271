"""The PDF says what the HTML says: the same sentences, table cells and figures, read back from both files."""

import os
import re
from itertools import pairwise
from pathlib import Path

import pypdfium2
import pytest
from lxml.html import document_fromstring

from pages import whole

from .conftest import DOCUMENTS

GAP = 1600
"""Maximum number of letters between two successive cells: a running head, a repeated heading, footnotes, and below a
claim its rule, conditions and reasons, which take 1,260 for six series."""


PROSE = " or ".join(f"self::{tag}" for tag in ("p", "li", "dd", "dt", "figcaption"))


class Face:
    """Texts of the page that must be in the PDF: sentences, tables, and the number of figures.

    Excludes what is for screens only: the planner's form, links within the page, and the expandable details of figures,
    whose content is also in a table.
    """

    def __init__(self, html: str) -> None:
        page = document_fromstring(html)
        for screen in page.xpath("//script|//style|//svg|//nav|//summary|//pre|//header|//*[@class='screen']"):
            screen.drop_tree()
        for drawer in page.xpath("//*[contains(@class, 'planner') or contains(@class, 'provenance')]"):
            drawer.drop_tree()
        self.figures = len(page.xpath("//figure"))
        self.alternatives = page.xpath("//*[@role='img']/@aria-label")
        found = page.xpath(f"//*[{PROSE}][not(ancestor::table)][not(descendant::*[{PROSE}])]")
        self.sentences = [text for one in found if (text := one.text_content()).strip()]
        cells = f"tbody//*[self::th or self::td][not(descendant::*[{PROSE}])]"
        self.tables = {
            table.xpath("string(caption)"): [cell.text_content() for cell in table.xpath(cells)]
            for table in page.xpath("//table")
        }
        self.rows = {table.xpath("string(caption)"): len(table.xpath("tbody/tr")) for table in page.xpath("//table")}


def squeezed(text: str) -> str:
    """The text without spaces and line-breaking characters."""
    return re.sub(r"[\s\u00a0\u200b\ufffe\xad\x02-]+", "", text)  # a line may end in a hyphen of the text itself


FOOT = r"(§ leads to the evidence in the appendix\.)? ?(\d+ / \d+)?"


def sheets(path: Path) -> list[str]:
    """Squeezed text of each page of a PDF, without running heads, page numbers and the foot beside them."""
    pages = []
    for page in pypdfium2.PdfDocument(path):
        lines = page.get_textpage().get_text_range().splitlines()
        pages.append([line for line in lines if not re.fullmatch(FOOT, line.strip())])
    texts = [squeezed("\n".join(page)) for page in pages]
    head = os.path.commonprefix(texts[1:])  # noqa: RUF071 - letter by letter is what is meant
    return [text.removeprefix(head) for text in texts]


def is_told(sentence: str, pages: list[str]) -> bool:
    """Whether the squeezed sentence is on the pages; it may continue from the end of one at the foot of the next."""
    if sentence in "".join(pages):
        return True
    for page, following in pairwise(pages):
        begun = next((length for length in range(len(sentence), 0, -1) if sentence[:length] in page), 0)
        if begun >= 20 and sentence[begun:] in following:
            return True
    return False


def missing(wanted: list[str], text: str, gap: int) -> list[str]:
    """Texts that do not follow their predecessors in `text` within `gap` letters."""
    lost, place = [], 0
    for one in wanted:
        found = text.find(one, place, place + gap + len(one))
        if found < 0:
            lost.append(one)
        else:
            place = found + len(one)
    return lost


@pytest.fixture(scope="module", params=DOCUMENTS)
def faces(request: pytest.FixtureRequest, printed: Path) -> tuple[Face, list[str]]:
    document = printed / request.param
    return Face(whole(document.with_suffix(".html"))), sheets(document.with_suffix(".pdf"))


def test_every_sentence_of_the_html_is_in_the_pdf(faces: tuple[Face, list[str]]) -> None:
    html, pages = faces
    assert len(html.sentences) > 20
    lost = [sentence for sentence in html.sentences if not is_told(squeezed(sentence), pages)]
    assert not lost, f"{len(lost)} sentences are not in the PDF, such as {lost[:3]}"


def test_every_cell_of_every_table_is_in_the_pdf_in_its_order(faces: tuple[Face, list[str]]) -> None:
    html, pages = faces
    pdf = "".join(pages)
    assert len(html.tables) > 0
    for caption, cells in html.tables.items():
        start = pdf.find(squeezed(caption))
        assert start >= 0, f"the table {caption[:60]!r} is not in the PDF"
        lost = missing([squeezed(cell) for cell in cells], pdf[start:], GAP)
        assert not lost, f"{caption[:60]!r}: {len(lost)} cells are not in the PDF, such as {lost[:5]}"


SHORT = 12
"""Maximum number of rows of a table of the report that is never broken between pages."""


def test_no_table_of_the_report_goes_on_below_a_figure_and_short_ones_stay_on_a_page(printed: Path) -> None:
    page, pages = Face(whole(printed / "report.html")), sheets(printed / "report.pdf")
    assert page.tables
    for caption, cells in page.tables.items():
        wanted = [squeezed(cell) for cell in cells]
        texts = [text.partition(squeezed(caption))[2] for text in ("".join(pages), *pages)]
        assert page.rows[caption] > SHORT or any(missing(wanted, text, GAP) == [] for text in texts[1:]), caption
        end = 0
        for cell in wanted:
            end = texts[0].index(cell, end) + len(cell)
        assert not re.search(r"Figure\d+:", texts[0][:end]), caption


def test_both_faces_have_the_same_figures(faces: tuple[Face, list[str]]) -> None:
    html, pages = faces
    assert len(set(re.findall(r"Figure(\d+):", "".join(pages)))) == html.figures
    assert len(html.alternatives) >= html.figures


def test_a_sentence_may_go_on_at_the_next_pages_foot_and_nowhere_else() -> None:
    pages = ["abcdefghijklmnopqrstuvwxyz0123", "a table456", "789"]
    assert is_told("opqrstuvwxyz", pages)
    assert is_told("efghijklmnopqrstuvwxyz0123456", pages)
    assert not is_told("efghijklmnopqrstuvwxyz0123789", pages)


def test_a_cell_that_differs_is_found() -> None:
    assert missing(["12.3", "4.5"], "xx12.3yy4.5", 10) == []
    assert missing(["12.3", "4.6"], "xx12.3yy4.5", 10) == ["4.6"]
    assert missing(["4.5", "12.3"], "xx12.3yy4.5", 10) == ["12.3"]
