"""Figures in a real browser: policies and convolutions hidden everywhere at once, axes made linear, views linked."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from gnn_checkpointing.packed import PACK, bounded_bytes
from gnn_checkpointing.report.html import environment, page_script
from gnn_checkpointing.report.texts import TEMPLATES
from report.reading import HOSTILE, render
from synthetic import inputs as synthetic

from .conftest import Opener, violations

SHOWN = """(name) => [...document.querySelectorAll(`figure svg [class~='p:${name}']`)]
  .map((part) => getComputedStyle(part).display)"""
LEVEL = "#figure-memory-level"
DRAWING = f"{LEVEL} .panel > [role=img]"


@pytest.fixture
def page(opened: Opener, report: Path) -> Any:
    """The report with its choices open."""
    made = opened(report)
    made.click(".choices summary")
    return made


def test_a_policy_is_hidden_in_every_figure_at_once_and_comes_back(page: Any) -> None:
    before = page.evaluate(SHOWN, "layers")
    assert len(before) > 10
    assert "none" not in before
    page.get_by_label("layers", exact=True).uncheck()
    assert set(page.evaluate(SHOWN, "layers")) == {"none"}
    assert "none" not in page.evaluate(SHOWN, "edge_blocks")
    assert "hide=layers" in page.evaluate("location.hash")
    page.get_by_label("layers", exact=True).check()
    assert page.evaluate(SHOWN, "layers") == before
    assert "hide" not in page.evaluate("location.hash")


def test_a_convolution_is_hidden_in_every_figure_at_once(opened: Opener, appendix: Path) -> None:
    page = opened(appendix)
    page.click(".choices summary")
    panels = page.locator(".panel[data-convolution='GATv2']")
    assert panels.count() > 4
    page.get_by_label("GATv2", exact=True).uncheck()
    assert not any(panel.is_visible() for panel in panels.all())
    assert all(panel.is_visible() for panel in page.locator(".panel[data-convolution='GCN']").all())


def test_logarithmic_axes_become_linear_and_logarithmic_again(page: Any) -> None:
    """A value's place on the linear axis is its share of the axis's end: read back from a marker of the drawing."""
    read = """(figure) => {
      const chart = document.querySelector(`${figure} .chart`);
      const [left, top, right, bottom] = chart.dataset.frame.split(" ").map(Number);
      const [low, high] = chart.dataset.y.split(" ").slice(1, 3).map(Number);
      const share = (mark) => 1 - Number(mark.getAttribute("d").match(/^M[^ ]+ ([-.0-9]+?)m/)[1]) / (bottom - top);
      const marks = [...chart.querySelectorAll("[class~='p:layers'] .mark")].map(share);
      const labels = [...chart.querySelectorAll(".y text")].map((text) => text.textContent);
      const said = document.querySelector(`${figure} .axes`).textContent;
      return { marks, low, high, labels, said };
    }"""
    logarithmic = page.evaluate(read, LEVEL)
    low, high = logarithmic["low"], logarithmic["high"]
    values = [low * (high / low) ** share for share in logarithmic["marks"]]
    page.get_by_label("Logarithmic axes").select_option("linear")
    linear = page.evaluate(read, LEVEL)
    assert len(values) > 4
    for share, value in zip(linear["marks"], values, strict=True):
        assert abs(share - value / high) < 0.002
    assert "0" in linear["labels"] and any("iB" in label for label in linear["labels"])
    assert (logarithmic["said"], linear["said"]) == ("Both axes are logarithmic.", "Both axes are linear.")
    assert "axes=linear" in page.evaluate("location.hash")
    page.get_by_label("Logarithmic axes").select_option("")
    assert page.evaluate(read, LEVEL) == logarithmic


def test_a_linked_view_is_the_view(opened: Opener, report: Path, appendix: Path) -> None:
    """Theme, hidden policy, axes, a table's order and filter, all from the address."""
    tables = "sort-table-law-activation=2.descending&find-table-audit=time"
    for document in (report, appendix):
        page = opened(document, fragment=f"#memory~theme=dark&hide=layers&axes=linear&{tables}")
        assert set(page.evaluate(SHOWN, "layers")) == {"none"}
        assert page.locator(".axes", has_text="linear").count() >= 1
        assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"
        assert page.complaints == []
    assert page.locator(".axes", has_text="linear").count() > 2
    assert page.locator("#table-law-activation th[aria-sort='descending']").count() == 1
    rows = page.locator("#table-audit tbody tr")
    assert 0 < sum(row.is_visible() for row in rows.all()) < rows.count()


@pytest.mark.parametrize("switches", ["", ",1,0"])
def test_a_linked_question_is_asked(opened: Opener, report: Path, switches: str) -> None:
    """With the form's switches, and as links were before it had them."""
    page = opened(report, fragment=f"#plan~plan=GCN,1000,32000,4,32,4,32,0.5{switches}")
    assert page.locator(".planner input[name='num_edges']").input_value() == "32000"
    assert page.locator(".planner input[name='self_loops']").is_checked() == bool(switches)
    assert page.locator(".planner input[name='memory_gib']").input_value() == "0.5"


@pytest.mark.parametrize(("name", "least"), [("report", 3), ("appendix", 7)])
def test_each_figure_offers_its_numbers_and_says_where_they_are_from(
    opened: Opener, report: Path, name: str, least: int
) -> None:
    figures = opened(report.with_name(f"{name}.html")).locator("figure")
    assert figures.count() >= least
    for figure in figures.all():
        assert figure.locator("a[download]").get_attribute("href") == PACK
        numbers = bounded_bytes(report.parent / "figures" / f"{figure.get_attribute('id')}.csv")
        assert len(numbers.splitlines()) > 2
        assert figure.locator("details.provenance code").count() >= 2


def test_keys_reach_every_choice_and_every_mark(opened: Opener, report: Path) -> None:
    page = opened(report)
    page.focus(".choices summary")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.type") == "checkbox"
    page.keyboard.press("Space")
    assert "hide=" in page.evaluate("location.hash")
    page.keyboard.press("Space")
    page.locator(DRAWING).first.focus()
    tip = page.locator(f"{LEVEL} .tip:visible")
    first = tip.inner_text()
    page.keyboard.press("ArrowRight")
    assert "MiB" in first and tip.inner_text() != first
    page.keyboard.press("Tab")
    assert tip.count() == 0


def test_a_mark_is_read_by_pointing_and_a_box_is_zoomed_into_and_left_again(page: Any) -> None:
    drawing = page.locator(DRAWING).first
    drawing.scroll_into_view_if_needed()
    box = drawing.locator(".mark").nth(3).bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert " at " in page.locator(f"{LEVEL} .tip:visible").inner_text()
    ticks = drawing.locator(".x > text, .y > text")
    before = ticks.all_inner_texts()
    box = drawing.bounding_box()
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.3 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.6 * box["height"])
    page.mouse.up()
    zoomed = ticks.all_inner_texts()
    assert zoomed != before and len(zoomed) >= 4
    drawing.focus()
    page.keyboard.press("Escape")
    assert ticks.all_inner_texts() == before


def test_each_drawing_is_saved_as_svg_and_png_with_its_style(page: Any, tmp_path: Path) -> None:
    for kind in ("SVG", "PNG"):
        with page.expect_download() as download:
            page.locator(f"{LEVEL} .drawing-tools button", has_text=kind).first.click()
        download.value.save_as(tmp_path / kind)
    assert Image.open(tmp_path / "PNG").size[0] > 900
    drawn = (tmp_path / "SVG").read_text()
    assert drawn.startswith("<svg") and "average degree" in drawn
    assert ".plot{" in drawn.partition("<style")[2].replace(" ", "")
    assert page.complaints == []


def test_hostile_text_is_text_to_a_browser(opened: Opener, tmp_path: Path) -> None:
    """Nothing runs, nothing becomes an element, all is read."""
    rows = [*synthetic.generated_rows(), *synthetic.real_rows([HOSTILE])]
    names = {"study": synthetic.study(HOSTILE), "machine": synthetic.machine(HOSTILE)}
    render(tmp_path, synthetic.inputs(rows, effects=synthetic.effects(), **names))
    page = opened(tmp_path / "out" / "report.html")
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    assert page.title() == page.locator("h1").inner_text() == HOSTILE
    assert page.locator("body label:not(.choices label, .theme, .planner label)").count() == 0
    assert page.locator("script").count() == 2 - (page.locator("#planner-knowledge").count() == 0)
    assert dialogs == page.complaints == []


def test_the_policy_stops_a_script_that_was_slipped_in(opened: Opener, report: Path, tmp_path: Path) -> None:
    slipped = report.read_text().replace("</main>", "<script>document.title = 'taken'</script><img src='x.png'></main>")
    (tmp_path / "report.html").write_text(slipped)
    Image.new("RGB", (8, 8)).save(tmp_path / "x.png")
    page = opened(tmp_path / "report.html")
    assert page.title() != "taken"
    assert any("Content Security Policy" in text for text in page.complaints)
    assert page.evaluate("document.querySelector('img[src=\"x.png\"]').naturalWidth") == 0


def test_the_scripts_are_small() -> None:
    assert len(page_script(TEMPLATES).encode()) <= 40_000
    assert environment(TEMPLATES).autoescape


def test_axe_finds_nothing_in_the_choices_and_on_linear_axes(opened: Opener, axe: str, report: Path) -> None:
    page = opened(report, fragment="#~axes=linear&hide=layers", bypass_csp=True)
    assert page.locator(".choices fieldset").first.is_visible()
    page.locator("figure details.provenance summary").first.click()
    assert violations(page, axe) == []


def test_in_a_comparison_a_policy_can_be_hidden_and_the_line_of_equal_times_stays(
    opened: Opener, comparison: Path
) -> None:
    page = opened(comparison)
    page.locator(".choices summary").click()
    page.locator(".choices label", has_text="layers").first.locator("input").uncheck()
    drawing = page.locator("main figure svg").first
    marks = drawing.locator("[class*='p:layers']")
    assert marks.count() > 0
    assert all(mark.evaluate("one => getComputedStyle(one).display") == "none" for mark in marks.all())
    assert drawing.locator("path.rule").is_visible()
