"""The comparison of machines in a browser: accessible, silent, whole without scripts, usable on a phone."""

from __future__ import annotations

from pathlib import Path

import pytest

from comparison.machines import in_json, in_table, index_of, page_of, scale_ratios, two

from .conftest import Opener
from .test_pages import DRAWINGS, violations, without_what_scripts_add


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the comparison of two machines that differ, and its index."""
    reports = tmp_path_factory.mktemp("reports")
    _, second = two(reports)
    scale_ratios(second, "layers", 1.25)
    in_table(second, lambda rows: rows[0].update(saved_activation_bytes="1234"))
    in_json(second, "claims.json", lambda values: values["claims"][0].update(verdict="refuted"))
    page_of(reports)
    index_of(reports)
    return reports


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["comparison.html", "index.html"])
def test_axe_finds_nothing(opened: Opener, axe: str, pages: Path, name: str, scheme: str, width: int) -> None:
    assert violations(opened(pages / name, width, color_scheme=scheme, bypass_csp=True), axe) == []


@pytest.mark.parametrize("name", ["comparison.html", "index.html"])
def test_it_is_silent_and_fits_a_phone(opened: Opener, pages: Path, name: str) -> None:
    page = opened(pages / name, 360)
    assert page.asked == [(pages / name).as_uri()]
    assert page.complaints == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_everything_is_there_without_scripts(opened: Opener, pages: Path) -> None:
    with_scripts, plain = (
        opened(pages / "comparison.html"),
        opened(pages / "comparison.html", java_script_enabled=False),
    )
    without_what_scripts_add(with_scripts)
    for selector in ("h2", "p", "figcaption", "caption", "dd", "tbody :is(th, td)"):
        shown = plain.locator(f"main {selector}").all_text_contents()
        assert shown
        assert shown == with_scripts.locator(f"main {selector}").all_text_contents()
    drawings = plain.locator(DRAWINGS)
    assert drawings.count() == 6  # three convolutions, bare and in practice
    assert all(drawing.is_visible() for drawing in drawings.all())


def test_a_policy_can_be_hidden_and_the_line_of_equal_times_stays(opened: Opener, pages: Path) -> None:
    page = opened(pages / "comparison.html")
    page.locator(".choices summary").click()
    page.locator(".choices label", has_text="layers").first.locator("input").uncheck()
    marks = page.locator("main figure svg").first.locator("[class*='p:layers']")
    assert marks.count() > 0
    assert all(mark.evaluate("one => getComputedStyle(one).display") == "none" for mark in marks.all())
    assert page.locator("main figure svg").first.locator("path.data").is_visible()
