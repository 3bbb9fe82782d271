"""The documentation builds without a warning into a small site that asks no other server for anything."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from lxml.html import HtmlElement, fromstring

from documentation import site as built
from gnn_checkpointing import checkpointing, planning
from gnn_checkpointing.cli.app import COMMANDS
from gnn_checkpointing.records.measurements_table import COLUMNS
from rebuilt import ROOT

pytestmark = pytest.mark.slow

MOST_BYTES = 650_000


@pytest.fixture(scope="module")
def site() -> Path:
    return built()


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, HtmlElement]:
    return {page: fromstring(page.read_text(encoding="utf-8")) for page in site.rglob("*.html")}


def test_the_site_is_small(site: Path) -> None:
    assert sum(file.stat().st_size for file in site.rglob("*") if file.is_file()) <= MOST_BYTES


def test_nothing_is_loaded_from_another_server(pages: dict[Path, HtmlElement]) -> None:
    loads = (
        "//script/@src | //img/@src | //iframe/@src | //link[@rel='stylesheet' or @rel='preload' or @rel='icon']/@href"
    )
    assert [(path.name, url) for path, page in pages.items() for url in page.xpath(loads) if urlsplit(url).netloc] == []


def test_links_lead_somewhere(site: Path, pages: dict[Path, HtmlElement]) -> None:
    anchors = {path: set(page.xpath("//@id")) for path, page in pages.items()}
    broken = []
    for path, page in pages.items():
        for url in page.xpath("//a/@href"):
            address = urlsplit(url)
            if address.scheme or address.netloc:
                continue
            target = (path.parent / unquote(address.path)).resolve() if address.path else path
            fragment = unquote(address.fragment)
            if not target.is_file() or (fragment and fragment not in anchors.get(target, {fragment})):
                broken.append((str(path.relative_to(site)), url))
    assert broken == []


def test_every_command_column_and_public_name_is_described(site: Path, pages: dict[Path, HtmlElement]) -> None:
    reference = site / "reference"
    commands = {place.partition(":")[2] for place in COMMANDS}
    assert commands - set(pages[reference / "commands.html"].xpath("//@id")) == set()
    shown = pages[reference / "columns.html"].xpath("//td[1]//text()")
    assert {column.name for column in COLUMNS} - set(shown) == set()
    public = {f"{room.__name__}.{name}" for room in (checkpointing, planning) for name in room.__all__}
    assert public - set(pages[reference / "python.html"].xpath("//@id")) == set()


def test_the_published_site_is_what_the_pages_and_the_code_give(site: Path) -> None:
    """`make republish` builds it; its number of bytes is small, so it lies beside the reports that link to it."""
    published = ROOT / "report" / "docs"
    pages = {path.relative_to(site) for path in site.rglob("*.html")}
    assert pages == {path.relative_to(published) for path in published.rglob("*.html")}
    assert [str(page) for page in sorted(pages) if (site / page).read_bytes() != (published / page).read_bytes()] == []
