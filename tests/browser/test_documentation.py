"""The documentation: accessible, silent, whole without scripts, usable on a phone."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Opener, silent_on_a_phone, violations_anywhere


@pytest.mark.parametrize("part", range(6))
def test_axe_finds_nothing(opened: Opener, axe: str, site: Path, part: int) -> None:
    pages = sorted(site.rglob("*.html"))
    assert len(pages) >= 15
    assert [one for path in pages[part::6] for one in violations_anywhere(opened, axe, path)] == []


def test_every_page_asks_for_its_own_files_alone_and_fits_a_phone(opened: Opener, site: Path) -> None:
    assert [path for path in site.rglob("*.html") if not silent_on_a_phone(opened, path, site.as_uri())] == []


def test_the_search_finds_a_page_offline(opened: Opener, site: Path) -> None:
    page = opened(site / "search.html", fragment="?q=tutorial")
    page.wait_for_selector("ul.search li a", timeout=10_000)
    assert page.locator("ul.search li a", has_text="Tutorial").count() >= 1


def test_the_text_is_there_without_scripts(opened: Opener, site: Path) -> None:
    for name in ("tutorial.html", "reference/study.html"):
        pages = opened(site / name), opened(site / name, java_script_enabled=False)
        shown, plain = (page.locator("article :is(h1, h2, p, td)").all_inner_texts() for page in pages)
        assert len(plain) >= 10
        assert plain == shown
