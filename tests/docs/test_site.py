"""The documentation builds without a warning into a small site that asks no other server for anything."""

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from documentation import site as built
from rebuilt import ROOT

pytestmark = pytest.mark.slow

MOST_BYTES = 650_000


@pytest.fixture(scope="module")
def site() -> Path:
    return built()


class Links(HTMLParser):
    """What a page loads, what it links to, and the anchors it has."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.linked: list[str] = []
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.anchors.add(values.get("id", ""))
        if tag in {"script", "img", "iframe"} and "src" in values:
            self.loaded.append(values["src"])
        if tag == "link" and values.get("rel") in {"stylesheet", "preload", "icon"}:
            self.loaded.append(values["href"])
        if tag == "a" and "href" in values:
            self.linked.append(values["href"])


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Links]:
    found = {}
    for page in site.rglob("*.html"):
        found[page] = Links()
        found[page].feed(page.read_text(encoding="utf-8"))
    return found


def test_the_site_is_small(site: Path) -> None:
    assert sum(file.stat().st_size for file in site.rglob("*") if file.is_file()) <= MOST_BYTES


def test_nothing_is_loaded_from_another_server(pages: dict[Path, Links]) -> None:
    assert [(page.name, url) for page, links in pages.items() for url in links.loaded if urlsplit(url).netloc] == []


def test_links_lead_somewhere(site: Path, pages: dict[Path, Links]) -> None:
    broken = []
    for page, links in pages.items():
        for url in links.linked:
            address = urlsplit(url)
            if address.scheme or address.netloc:
                continue
            target = (page.parent / unquote(address.path)).resolve() if address.path else page
            anchors = pages[target].anchors if target in pages else set()
            if not target.is_file() or (
                address.fragment and target in pages and unquote(address.fragment) not in anchors
            ):
                broken.append((str(page.relative_to(site)), url))
    assert broken == []


def test_every_command_and_column_is_described(site: Path, pages: dict[Path, Links]) -> None:
    assert {"measure", "rebuild", "plan", "validate"} <= pages[site / "reference" / "commands.html"].anchors
    assert "peak_memory_bytes" in (site / "reference" / "columns.html").read_text(encoding="utf-8")


def test_the_published_site_is_what_the_pages_and_the_code_give(site: Path) -> None:
    """`make republish` builds it; its number of bytes is small, so it lies beside the reports that link to it."""
    published = ROOT / "report" / "docs"
    pages = {path.relative_to(site) for path in site.rglob("*.html")}
    assert pages == {path.relative_to(published) for path in published.rglob("*.html")}
    assert [str(page) for page in sorted(pages) if (site / page).read_bytes() != (published / page).read_bytes()] == []
