"""Both documents of every published study, rendered from the data beside them by the code as it is now."""

from __future__ import annotations

from pathlib import Path

import pytest

from rebuilt import ROOT, once
from rebuilt import rendered as rendered_study
from synthetic import inputs as synthetic

from .test_report import render

STUDIES = sorted(path.parent for path in ROOT.glob("report/*/*/study.json"))
DOCUMENTS = ("report", "appendix")


@pytest.fixture(scope="session", params=STUDIES, ids=lambda folder: folder.name)
def study(request: pytest.FixtureRequest) -> Path:
    """Every published study in turn."""
    return rendered_study(request.param.name)


@pytest.fixture(scope="session", params=DOCUMENTS)
def document(request: pytest.FixtureRequest, study: Path) -> Path:
    """Every HTML document of every study in turn."""
    return study / f"{request.param}.html"


@pytest.fixture(scope="session")
def rendered() -> Path:
    """The report of the default made inputs: the files that it was made from, and `out`, what was made."""
    return once("made-report", lambda folder: render(folder, synthetic.inputs()), "tests/synthetic") / "out"
