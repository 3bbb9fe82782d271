"""The documentation: accessible, silent, whole without scripts, usable on a phone."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Opener
from .test_pages import violations


def pages_of(site: Path) -> list[Path]:
    found = sorted(site.rglob("*.html"))
    assert len(found) >= 15
    return found


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(opened: Opener, axe: str, site: Path, scheme: str, width: int) -> None:
    found = {}
    for path in pages_of(site):
        page = opened(path, width, color_scheme=scheme, bypass_csp=True)
        if complaints := violations(page, axe):
            found[path.name] = complaints
        page.close()
    assert found == {}


def test_every_page_asks_for_its_own_files_alone_and_fits_a_phone(opened: Opener, site: Path) -> None:
    for path in pages_of(site):
        page = opened(path, 360)
        assert [url for url in page.asked if not url.startswith((site.as_uri(), "data:"))] == []
        assert page.complaints == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path


def test_the_search_finds_a_page_offline(opened: Opener, site: Path) -> None:
    page = opened(site / "search.html", fragment="?q=tutorial")
    page.wait_for_selector("ul.search li a", timeout=10_000)
    assert page.locator("ul.search li a", has_text="Tutorial").count() >= 1


def test_the_text_is_there_without_scripts(opened: Opener, site: Path) -> None:
    for name in ("tutorial.html", "reference/study.html"):
        with_scripts, plain = opened(site / name), opened(site / name, java_script_enabled=False)
        shown = plain.locator("article :is(h1, h2, p, td)").all_inner_texts()
        assert len(shown) >= 10
        assert shown == with_scripts.locator("article :is(h1, h2, p, td)").all_inner_texts()
