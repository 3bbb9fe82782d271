"""Both documents of every published study, rendered from the data beside them by the code as it is now."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from gnn_checkpointing.report.render import TEMPLATES, published_sources, read_inputs, render_report
from rebuilt import unpack

ROOT = Path(__file__).resolve().parents[2]
STUDIES = sorted(path.parent for path in ROOT.glob("report/*/*/study.json"))
DOCUMENTS = ("report", "appendix")

Rendered = Callable[[Path], Path]


@pytest.fixture(scope="session")
def rendered_study(tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    """A function from a published folder to one that holds its documents as they are rendered now."""

    @cache
    def render(folder: Path) -> Path:
        output = tmp_path_factory.mktemp(folder.name)
        sources = published_sources(folder)
        render_report(read_inputs(sources, folder / "analysis"), sources, TEMPLATES, output)
        unpack(output)
        return output

    return render


@pytest.fixture(scope="session", params=STUDIES, ids=lambda folder: folder.name)
def study(request: pytest.FixtureRequest, rendered_study: Rendered) -> Path:
    """Every published study in turn."""
    return rendered_study(request.param)


@pytest.fixture(scope="session", params=DOCUMENTS)
def document(request: pytest.FixtureRequest, study: Path) -> Path:
    """Every HTML document of every study in turn."""
    return study / f"{request.param}.html"
