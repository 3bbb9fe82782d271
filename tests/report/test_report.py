import base64
import hashlib
import re
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pikepdf
import pytest

from gnn_checkpointing.artefacts import read_json
from gnn_checkpointing.packed import bounded_bytes
from gnn_checkpointing.records.record import machine_of
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.report.appendix import _column, section
from gnn_checkpointing.report.documents import documents
from gnn_checkpointing.report.html import report_html
from gnn_checkpointing.report.inputs import ReportInputs
from gnn_checkpointing.report.letters import unprinted
from gnn_checkpointing.report.page import Column, Figure, Note, Table, words_of
from gnn_checkpointing.report.render import published_sources, read_inputs, render_report
from gnn_checkpointing.report.run_folder import RunFolder
from gnn_checkpointing.report.texts import TEMPLATES
from gnn_checkpointing.sourced import bare
from gnn_checkpointing.study.reading import parse_study
from pages import whole
from rebuilt import published
from synthetic import inputs as synthetic
from synthetic.studies import VISION, changed

from .reading import HOSTILE, Text, appendix, block, pdf_text, prose, tables

SECTIONS = (
    "memory time timeline laws claims audit accuracy failed quality instrument machine method data redo".split()  # noqa: SIM905
)


def test_the_html_is_whole_small_and_asks_nobody_for_anything(rendered: Path) -> None:
    html = whole(rendered / "appendix.html")
    tags = Text(html).tags
    ids = [attributes["id"] for _, attributes in tags if attributes.get("id")]
    assert set(SECTIONS) <= set(ids)
    assert len(ids) == len(set(ids))
    assert {str(a["href"])[1:] for _, a in tags if str(a.get("href", "")).startswith("#")} <= set(ids)
    assert (rendered / "appendix.html").stat().st_size <= 1.5 * 1024**2
    # The namespace of drawings is only a name, which no browser requests.
    asked = html.replace('"http://www.w3.org/2000/svg"', "")
    assert not [scheme for scheme in ("http:", "https:", "javascript:", "@import") if scheme in asked]
    policy = next(a for tag, a in tags if tag == "meta" and a.get("http-equiv") == "Content-Security-Policy")
    (script,) = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    content = f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data:"
    assert str(policy["content"]).startswith(content)
    assert len(script.encode()) <= 34_000
    assert not re.search(r"fetch|XMLHttpRequest|WebSocket|import\(|innerHTML|eval\(", script)
    for name in ("report.html", "appendix.html"):
        tags = Text((rendered / name).read_text()).tags
        links = [str(a["href"]) for tag, a in tags if tag == "a" and not str(a["href"]).startswith(("#", "../../"))]
        assert {"claims.json", "data.tar.xz"} <= set(links)
        assert all((rendered / link.partition("#")[0]).is_file() for link in links)


def test_tables_and_figures_can_be_read_without_eyes(rendered: Path) -> None:
    html = whole(rendered / "appendix.html")
    tags = Text(html).tags
    assert html.count("<table") == html.count("<caption") > 10
    assert all(attributes.get("scope") for tag, attributes in tags if tag == "th")
    html = whole(rendered / "report.html")
    both = [*tags, *Text(html).tags]
    labels = {str(a["aria-label"]) for _, a in both if a.get("role") == "img"}
    assert all(labels)
    of_one = tuple(f"Line chart, {convolution}" for convolution in synthetic.CONVOLUTIONS)
    drawn = [label for label in labels if label.startswith(of_one) and ": throughput" not in label]
    assert len(drawn) == 12
    # Bytes are exact: their ratios have a span over graphs instead.
    assert all(("interval" in label or "span" in label) and "per edge" in label for label in drawn)


def test_the_pdf_says_what_the_html_says_is_accessible_and_packed(rendered: Path) -> None:
    path = rendered / "appendix.pdf"
    text = pdf_text(path).replace("\u00a0", " ")
    assert "None failed: all 324 measurements" in text
    assert "Contents" in text
    for claim in synthetic.ledger().claims:
        assert (claim.sentence in text) == (claim.verdict != "untested")
    assert "400 (392\N{EN DASH}407)" in text
    assert path.stat().st_size <= 400_000  # 1.6 MB if objects were not compressed together
    with pikepdf.open(path) as document:
        assert document.Root.MarkInfo.Marked and {"/StructTreeRoot", "/Outlines"} <= set(document.Root.keys())
        assert b"pdfuaid" in document.Root.Metadata.read_bytes()
        fonts = [one for one in document.objects if isinstance(one, pikepdf.Dictionary) and "/FontName" in one]
        assert fonts and all("/FontFile3" in font or "/FontFile2" in font for font in fonts)
        heads = [one for one in document.objects if isinstance(one, pikepdf.Dictionary) and one.get("/S") == "/TH"]
        assert heads and all(head.A[0].Scope in ("/Column", "/Row") for head in heads)


def test_the_data_beside_the_report_are_the_files_it_was_made_from(rendered: Path) -> None:
    html = (rendered / "appendix.html").read_text()
    published = ("measurements.csv", "claims.json", "audit.json", "traces.json", "demonstration.json")
    for name in (*published, "records.jsonl", "hardware.json", "study.json"):
        assert bounded_bytes(rendered / name) == (rendered.parent / name).read_bytes()
        assert hashlib.sha256((rendered.parent / name).read_bytes()).hexdigest() in html
    assert not [path for path in rendered.iterdir() if path.name.startswith(".")]


def test_the_summary_has_what_the_index_needs(rendered: Path) -> None:
    summary = read_json(rendered / "summary.json")
    assert summary["hardware"] == {"slug": "laptop", "label": "Laptop, 2 cores"}
    assert summary["measured_on"] == "2026-11-24"
    assert summary["cells"] == 108
    assert summary["answer"][0]["verdict"] == "supported"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """HTML, and the PDF's text, of a study with markup, strange letters and long words in its names, which must build.

    It has few sections, and real graphs.
    """
    place = tmp_path_factory.mktemp("hostile")
    names = {"study": synthetic.study(f"{HOSTILE} \U0001f40d \u56fe x"), "machine": synthetic.machine(HOSTILE)}
    titles = [HOSTILE, "x" * 200, "y" * 200]
    html, _ = appendix(place, replace(synthetic.real_inputs(titles), **names))
    return html, pdf_text(place / "out" / "appendix.pdf")


def test_hostile_text_is_text_in_both_faces(hostile: tuple[str, str]) -> None:
    html, flat = hostile
    page = Text(html)
    assert [tag for tag, _ in page.tags].count("script") == 1  # the page's own
    assert "label" not in {tag for tag, _ in page.tags}
    assert page.text.count(" ".join(HOSTILE.split())) >= 4
    assert HOSTILE in flat


def test_a_character_that_no_font_has_is_named_instead_of_failing_the_build(hostile: tuple[str, str]) -> None:
    html, flat = hostile
    assert "\U0001f40d" in html
    assert "{{ 7*7 }} [U+1F40D] [U+56FE] x" in flat


@pytest.mark.parametrize(
    ("title", "lost"),
    [("Graphs", ""), ("Größe, ثقيل, Ωμέγα", ""), ("Graphs \u56fe \U0001f40d", "\u56fe (U+56FE), \U0001f40d (U+1F40D)")],
)
def test_letters_without_a_glyph_are_named_before_anything_is_measured(title: str, lost: str) -> None:
    asked = {"weights": "w.pth", "validation": {"images": title}}
    for study in (synthetic.study(title), parse_study(changed(VISION, "explained", asked), "")):
        said = unprinted(study)
        assert said == "" if not lost else f"no font of the PDF has {lost};" in said


def seen(inputs: ReportInputs) -> str:
    """The text of the appendix in HTML."""
    return Text(report_html(documents(inputs, {}, TEMPLATES).appendix, TEMPLATES, "appendix.html")).text


def test_a_study_of_real_graphs_alone_shows_each_of_them() -> None:
    rows = block(section(synthetic.real_inputs(), "variants.real-graphs"), "table-real").rows
    assert Counter(row[0] for row in rows) == {"Cora": 9, "amherst41": 9, "tolokers": 9}
    text = seen(synthetic.real_inputs())
    assert "No law was fitted in this study." in text
    assert not re.search(r"[a-z]\.\.", text)
    assert "--configfile workflow/studies/real.yaml --config data_root=" in text


def test_failed_cells_are_listed_with_their_reason_and_a_report_of_nothing_else_comes_out() -> None:
    lost = ("activation_bytes", "activation_ratio", "step_time_seconds", "time_ratio", "peak_memory_bytes")
    *rows, last = synthetic.generated_rows()
    failed = {**last, **dict.fromkeys(lost), "outcome": "out_of_memory", "message": "9 GiB & <more>"}
    found = section(synthetic.inputs([*rows, failed]), "quality.failed")
    text = " ".join([prose(found), *(cell for table in tables(found) for row in table.rows for cell in row)])
    assert all(words in text for words in ("1 of 324 measurements", "out of memory", "9 GiB & <more>"))
    rows = [{**row, **dict.fromkeys(lost), "outcome": "timed_out"} for row in synthetic.generated_rows()]
    inputs = synthetic.inputs(rows, effects=synthetic.effects([]).model_copy(update={"generated": []}))
    assert "324 of 324 measurements" in seen(replace(inputs, regressions=synthetic.real_inputs().regressions))


def test_intervals_wider_than_the_target_are_listed_widest_first() -> None:
    """Half of an interval of 0.2 around 1.2 is 8.3 %; the target is 3 %."""
    reach = {"layers": 0.1, "edge_blocks": 0.01}
    rows = [
        {**row, "time_ratio": 1.2, "time_ratio_low": 1.2 - number * each, "time_ratio_high": 1.2 + number * each}
        for number, row in enumerate(synthetic.generated_rows()[:6], start=1)
        for each in [reach.get(str(row["policy"]), 0.0)]
    ]
    found = section(synthetic.inputs(rows), "quality")
    shown = [row[3].replace("\N{NO-BREAK SPACE}", " ") for row in block(found, "table-wide").rows]
    assert shown == ["42 %", "17 %", "5.0 %"]
    assert "Every time ratio's interval is within the target." not in prose(found)
    quality = synthetic.inputs().quality.model_copy(update={"within_target": 0.81})
    timed = section(synthetic.inputs(quality=quality), "trends.time")
    (note,) = [bare(words_of(one.text)).replace("\u00a0", " ") for one in timed.blocks if isinstance(one, Note)]
    assert "19 % of the time ratios have an interval wider than the target" in note
    assert "Differences smaller than that are noise." in note
    steady = section(synthetic.inputs([{**row, "time_ratio_high": row["time_ratio_low"]} for row in rows]), "quality")
    assert "Every time ratio's interval is within the target." in prose(steady)


def test_nothing_is_written_when_a_face_fails(tmp_path: Path) -> None:
    frozen = published("ten-million")
    templates = tmp_path / "templates"
    shutil.copytree(TEMPLATES, templates)
    (templates / "html" / "appendix.html").write_text("{{ page.no_such_thing }}")
    with pytest.raises(Exception, match="no_such_thing"):
        render_report(read_inputs(RunFolder(frozen)), published_sources(frozen), templates, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_every_text_is_read_from_the_templates_that_are_named(tmp_path: Path) -> None:
    inputs, first = synthetic.inputs(), r"^(# [\w-]+: |## [\w-]+\n\n(?!(\{%.*%\}\n)?- ))"
    templates = shutil.copytree(TEMPLATES, tmp_path / "templates")
    for path in (templates / "appendix").glob("*.md"):
        path.write_text(re.sub(first, r"\1X ", path.read_text(), flags=re.MULTILINE))

    def captions(folder: Path) -> list[str]:
        made = documents(inputs, {}, folder)
        blocks = [block for page in (made.report, made.appendix) for one in page.sections for block in one.blocks]
        found = [block.caption for block in (made.report.lead, *blocks) if isinstance(block, Figure | Table)]
        return [*found, *(section.title for section in made.appendix.sections)]

    changed, usual = captions(templates), captions(TEMPLATES)
    assert len(changed) == len(usual) > 50
    assert [one for one in changed if not one.startswith("X ")] == [one for one in usual if one.startswith("X ")] == []


def test_a_row_of_the_wrong_length_is_refused_when_made() -> None:
    with pytest.raises(ValueError, match="table t, row 0: 1 cells for 2 columns"):
        Table("t", "caption", (Column("a"), Column("b")), (("1",),), "source")


@pytest.mark.parametrize(
    ("line", "error"),
    [("Graph base", "not a column of a table"), ("Graph: base | nowhere", "no such filter"), ("Graph: bass", "bass")],
)
def test_a_column_that_names_nothing_is_refused(line: str, error: str) -> None:
    with pytest.raises((ValueError, AttributeError), match=error):
        _column(line, {}).cell(synthetic.effects().rows[0])


def test_a_hardware_file_without_facts_is_refused() -> None:
    with pytest.raises(Refusal, match="facts"):
        machine_of({"slug": "x", "label": "X"})


def test_every_template_opens_with_what_it_prints_and_reads() -> None:
    folders = ("html", "report", "appendix")
    templates = [path for name in folders for path in (TEMPLATES / name).rglob("*") if path.is_file()]
    assert templates
    for path in templates:
        first = r"// \w+.*" if path.suffix == ".js" else r"\{# Prints .*Reads .*#\}"
        assert re.match(first, path.read_text()), path
    assert (TEMPLATES / "typst" / "report.typ").read_text().startswith("// Prints")
