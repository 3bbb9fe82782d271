"""Reports suit their readers: the answer is on the first screen, sentences are short, each number has evidence."""

import csv
import html
import json
import re
from pathlib import Path
from statistics import median

import pypdfium2
import pytest

from gnn_checkpointing.report.documents import documents
from pages import whole
from synthetic import inputs as synthetic
from synthetic.changes import without
from synthetic.frontier import frontier_table

from .reading import words_in

MOST_WORDS, MOST_PAGES, MOST_FIRST = 4500, 12, 150
LEAST_FILL = 0.7
"""Every page but the last is printed down to at least this fraction."""
MEDIAN_SENTENCE, LONGEST_SENTENCE = 18, 35
FACTORS = {
    "default": ("edges per node", "GATv2", "bare GCN and SAGE", "edge_blocks", "on 400 nodes", "on 8,000"),
    "frontier": ("edges per node", "fused_edge_blocks", "compiled", "memory_budget"),
    "frontier-gpu": ("edges per node", "compiled", "memory_budget"),
    "reddit-size": ("edges per node", "fused_edge_blocks", "compiled failed"),
    "ten-million": ("20 GiB", "10,000,000 edges", "edge_blocks", "none"),
    "depth": ("layers", "segments(14)", "Reversible", "intervals", "times as long"),
    "ego": ("ego networks", "times as much memory", "encoded", "Counting the encodings"),
    "vision": ("neighbours a patch", "Vision GNN"),
    "batches": ("mini-batches", "neighbours a layer", "clusters"),
    "families": ("family",),
    "real": ("Cora", "amherst41", "tolokers"),
    "prediction": ("Laws", "predict", "real graphs"),
}
"""Words for what each study varies, which its headline must contain."""


def text_of(markup: str) -> str:
    seen = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", markup, flags=re.DOTALL)
    return html.unescape(re.sub(r"<[^>]+>", " ", seen)).replace("\N{NO-BREAK SPACE}", "")  # 5 % is one word


def words(markup: str) -> int:
    """Number of words of a page; punctuation alone, such as a full stop after a tag, is no word."""
    return sum(any(map(str.isalnum, word)) for word in text_of(markup).split())


def opening(page: str) -> str:
    found = re.search(r'<div class="answer">.*?</div>', page, re.DOTALL)
    assert found
    return found[0]


def prose(page: str) -> list[str]:
    """Sentences of the report's paragraphs and lists, without captions, tables, references and titles of sections."""
    seen = re.sub(
        r'<section id="references".*?</section>|<figure.*?</figure>|<table.*?</table>', " ", page, flags=re.DOTALL
    )
    blocks = re.findall(r"<(?:p|li)>(.*?)</(?:p|li)>", seen, re.DOTALL)
    texts = [" ".join(html.unescape(re.sub(r"<[^>]+>", "", block)).split()) for block in blocks]
    found = [sentence for text in texts for sentence in re.split(r"(?<=[.!?:;])\s+(?=[A-Za-z`])", text)]
    return [sentence for sentence in found if len(sentence.split()) > 2]


def fill_of(page: pypdfium2.PdfPage) -> float:
    """Fraction of a PDF page, above the page number, at which its print ends."""
    grey = page.render(scale=0.2).to_pil().convert("L")
    within = grey.crop((0, 0, grey.width, round(0.93 * grey.height)))
    return float(within.point(lambda value: 255 * (value < 200)).getbbox()[3] / within.height)


def test_a_report_is_short_enough_to_be_read(study: Path) -> None:
    page = whole(study / "report.html")
    main = re.search(r"<main.*?</main>", page, re.DOTALL)
    assert main
    assert words(main[0]) <= MOST_WORDS
    lengths = sorted((len(sentence.split()), sentence) for sentence in prose(page))
    assert median(length for length, _ in lengths) <= MEDIAN_SENTENCE
    assert lengths[-1][0] <= LONGEST_SENTENCE, lengths[-1]


def test_the_example_of_the_planner_was_not_measured(study: Path) -> None:
    page = whole(study / "appendix.html")
    if 'id="table-plan"' in page:
        words = r"An example, a graph that was not measured: ([\d,]+) nodes and ([\d,]+) directed edges"
        found = re.search(words, " ".join(text_of(page).split()))
        assert found
        asked = tuple(int(number.replace(",", "")) for number in found.groups())
        with (study / "measurements.csv").open() as rows:
            measured = {(int(row["num_nodes"]), int(row["num_edges"])) for row in csv.DictReader(rows)}
        assert asked not in measured
        for size, sizes in zip(asked, zip(*measured, strict=True), strict=True):
            assert min(sizes) <= size <= max(sizes)


def test_a_sentence_that_ends_with_a_degree_says_something_about_it(study: Path) -> None:
    """One that only announces a table must not name one degree, since the table has others, too."""
    ends = [one for one in prose(whole(study / "report.html")) if re.search(r"\bdegree [\d,]+\.$", one)]
    assert [one for one in ends if "%" not in one] == []


def test_the_printed_report_has_few_and_full_pages(printed: Path) -> None:
    sheets = pypdfium2.PdfDocument(printed / "report.pdf")
    pages = [fill_of(one) for one in sheets]
    assert len(pages) <= MOST_PAGES
    assert min(pages[:-1]) > LEAST_FILL, pages
    texts = [one.get_textpage().get_text_range() for one in sheets]
    assert all(words in texts[0] + texts[1] for words in ("Read the answer with these limits.", "Allocator:"))
    assert "Measured on" in texts[0]
    assert "Data and how to redo it" in texts[-1]
    assert "White. A heteroskedasticity-consistent" in texts[-1]  # the last reference: no page for one short section


def test_the_first_screen_answers_in_few_words_what_the_study_varies(study: Path) -> None:
    page, summary = whole(study / "report.html"), json.loads((study / "summary.json").read_text())
    found, name = opening(page), summary["study"]["name"]
    assert words(found) <= MOST_FIRST
    assert len(re.findall(r'class="verdict', found)) >= 2
    assert "Do this:" in found
    headline = summary["headline"].replace("\N{NO-BREAK SPACE}", " ")
    assert [factor for factor in FACTORS[name] if factor not in headline] == []
    box = page[page.index('<section id="limits"') :].partition("</section>")[0]
    for said in ("Hardware:", "thread", "Graphs:", "optimiser", "Allocator:"):
        assert said in box
    assert ("Nothing was measured on a GPU" in box) != ("NVIDIA" in box)
    assert "per second" in page or "a second" in page
    if name in ("default", "frontier", "families", "prediction"):
        assert 'id="figure-throughput"' in page
        assert 'id="table-throughput"' in page


def test_every_number_section_and_paragraph_leads_to_its_evidence(study: Path) -> None:
    page, appendix = (whole(study / f"{name}.html") for name in ("report", "appendix"))
    places = set(re.findall(r'href="appendix\.html#([^"]+)"', page))
    assert places
    for document in (page, appendix):
        ids = re.findall(r'\bid="([^"]+)"', document)
        assert len(ids) == len(set(ids))
        assert set(re.findall(r'(?:href="#|url\(#)([^")]+)', document)) <= set(ids)
    assert places <= set(ids)
    for section in re.findall(r'<section id="(?!answer|limits|references)[^"]+".*?</section>', page, re.DOTALL):
        assert "appendix.html" in section
    for number in re.findall(r'<span data-source="([^"]+)">[\d.,]+', opening(page)):
        assert number.startswith("study.json"), number
    others = r'<figure.*?</figure>|<form.*?</form>|<nav.*?</nav>|<section id="references".*?</section>'
    text = re.sub(others, "", page[page.index("<main") : page.index("</main>")], flags=re.DOTALL)
    written = [one for one in re.findall(r"<(?:p|li)>(.*?)</(?:p|li)>", text, re.DOTALL) if len(one.split()) > 2]
    assert len(written) > 15
    titles = r"<strong>[^<]*</strong>"
    assert [one for one in written if "href=" not in one and not re.fullmatch(titles, one)] == []


@pytest.mark.parametrize(
    "policies",
    [
        ("none", "selective"),
        ("none", "compiled"),
        ("none", "segments(2)", "segments(3)"),
        ("none", "edge_blocks"),
        ("none", "memory_budget(0.5)", "reversible"),
        ("none", "layers", "edge_blocks", "compiled", "reversible"),
    ],
    ids=" and ".join,
)
def test_the_answer_is_about_policies_that_were_measured(policies: tuple[str, ...]) -> None:
    inputs = synthetic.frontier_inputs(policies=policies, convolutions=("GATv2",), allocators=("retaining",))
    text = words_in(documents(inputs, {}).report.opening)
    assert any(policy in text for policy in policies[1:])
    for other in {"layers", "edge_blocks", "fused_edge_blocks"} - set(policies):
        assert not re.search(rf"(?<![\w+-]){other}(?![\w+-])", text), other


@pytest.mark.parametrize(
    ("lost", "said"),
    [
        (("layers",), "edge blocks leaves"),
        (("none",), "In no cell did training without checkpointing and another policy both complete"),
        (("layers", "edge_blocks"), "In no cell did training without checkpointing and another policy both complete"),
        (("none", "layers", "edge_blocks"), "In no cell did training without checkpointing and another policy both"),
    ],
    ids=lambda value: " and ".join(value) if isinstance(value, tuple) else "",
)
@pytest.mark.parametrize("outcome", ["failed", "out_of_memory", "timed_out"])
def test_a_policy_that_completed_nowhere_leaves_the_answer_to_the_others(
    lost: tuple[str, ...], said: str, outcome: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_them(**asked: object) -> list[dict[str, object]]:
        rows = frontier_table(**asked)
        for row in rows:
            if row["policy"] in lost:
                rows = without(rows, str(row["cell"]), str(row["policy"]), outcome)
        return rows

    monkeypatch.setattr("synthetic.inputs.frontier_table", without_them)
    policies = ("none", "layers", "edge_blocks")
    inputs = synthetic.frontier_inputs(policies=policies, convolutions=("GATv2",), allocators=("retaining",))
    assert said in words_in(documents(inputs, {}).report.opening).replace("_", " ")
