"""A headless Chromium, and pages opened in it; where it is missing a test is skipped, or fails where it is required."""

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from comparison.machines import in_json, in_table, index_of, page_of, scale_ratios, two
from documentation import site as built
from gnn_checkpointing.report.index import Compared, render_index
from gnn_checkpointing.report.render import TEMPLATES
from rebuilt import ROOT, once, rendered

AXE = Path(__file__).parent / "node_modules/axe-core/axe.min.js"
REQUIRED = "REQUIRE_BROWSER"
"""Set by `make test-browser`: there a missing browser is a failure."""

Opener = Callable[..., Any]


def lacking(what: str) -> None:
    """Skip with the reason, or fail where browsers are required."""
    reason = f"{what} is missing: `make test-browser` installs it"
    if os.environ.get(REQUIRED):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        lacking("Playwright")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        lacking("chromium")
    with sync_playwright() as tool:
        launched = tool.chromium.launch(executable_path=chromium)
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def axe() -> str:
    if not AXE.is_file():
        lacking("axe-core")
    return AXE.read_text()


@pytest.fixture
def opened(browser: Any) -> Iterator[Opener]:
    """Open a file in a page of its own; what it asks for, and what it complains of, is kept on the page."""
    contexts = []

    def open_page(path: Path, width: int = 1280, fragment: str = "", **options: Any) -> Any:
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        page.asked, page.complaints = [], []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("console", lambda message: page.complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.goto(path.as_uri() + fragment)
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def pages() -> Path:
    """A folder of reports as the code renders them now, with their index; no test opens a PDF."""
    # Two workers begin at either end.
    last_first = os.environ.get("PYTEST_XDIST_WORKER", "gw0") != "gw0"
    studies = [path.parent.name for path in sorted(ROOT.glob("report/*/*/study.json"), reverse=last_first)]
    folders = [rendered(study) for study in studies]

    def make(root: Path) -> None:
        for folder in folders:
            shutil.copytree(folder, root / folder.parent.name / folder.name)
        render_index(root, TEMPLATES, root / "index.html", Compared(()))

    return once("reports", make, "report")


@pytest.fixture(scope="session")
def site() -> Path:
    """The documentation as it is now."""
    return built()


@pytest.fixture(scope="session")
def report(pages: Path) -> Path:
    (found,) = pages.glob("*/default/report.html")
    return found


@pytest.fixture(scope="session")
def appendix(report: Path) -> Path:
    return report.with_name("appendix.html")


@pytest.fixture(scope="session")
def index(pages: Path) -> Path:
    return pages / "index.html"


@pytest.fixture(scope="session")
def comparison() -> Path:
    """The comparison of two machines that differ, beside its index."""

    def make(reports: Path) -> None:
        _, second = two(reports)
        scale_ratios(second, "layers", 1.25)
        in_table(second, lambda rows: rows[0].update(saved_activation_bytes="1234"))
        in_json(second, "claims.json", lambda values: values["claims"][0].update(verdict="refuted"))
        page_of(reports)
        index_of(reports)

    return once("compared", make, "tests/browser", "tests/comparison", "tests/synthetic") / "comparison.html"


@pytest.fixture(scope="session")
def compared(comparison: Path) -> Path:
    """The index that has a comparison."""
    return comparison.with_name("index.html")


def violations(page: Any, axe: str) -> list[str]:
    """What axe finds in a page that is not accessible."""
    page.evaluate(axe)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [f"{one['id']}: {one['nodes'][0]['html'][:200]} ({len(one['nodes'])} times)" for one in found["violations"]]


SCREENS = tuple(product((360, 1280), ("light", "dark")))
"""A phone and a desk, each in light and in dark."""


def violations_anywhere(
    opened: Opener, axe: str, path: Path, screens: Iterable[tuple[int, Any]] = SCREENS
) -> list[str]:
    """What axe finds on each of the screens."""
    page = opened(path, bypass_csp=True)
    found = []
    for width, scheme in screens:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        found += [f"{path.name}, {width}, {scheme}: {one}" for one in violations(page, axe)]
    page.close()
    return found


def silent_on_a_phone(opened: Opener, path: Path, own: str = "") -> bool:
    """Whether a page asks for nothing but itself, or files of its `own` folder, complains of nothing, and fits."""
    page = opened(path, 360)
    asked = [url for url in page.asked if not url.startswith((own or path.as_uri(), "data:"))]
    found = (asked, page.complaints, page.evaluate("document.documentElement.scrollWidth") <= 360)
    page.close()
    return found == ([], [], True)
