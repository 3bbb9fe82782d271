"""Both documents of every published study, rendered from the data beside them by the current code."""

from pathlib import Path

import numpy as np
import pytest

from gnn_checkpointing.claims.ledger import Ledger
from gnn_checkpointing.report.inputs import ReportInputs, in_series
from rebuilt import ROOT, once
from rebuilt import rendered as rendered_study
from synthetic import inputs as synthetic
from synthetic.changes import without
from synthetic.everything import everything
from synthetic.findings import ledger as judged
from synthetic.graphs import generated_graphs, real_graphs
from synthetic.rows import table
from synthetic.tables import protocol

from .test_report import render

STUDIES = sorted(path.parent for path in ROOT.glob("report/*/*/study.json"))
DOCUMENTS = ("report", "appendix")


@pytest.fixture(scope="session", params=STUDIES, ids=lambda folder: folder.name)
def study(request: pytest.FixtureRequest) -> Path:
    """Folder of each published study in turn, rendered."""
    return rendered_study(request.param.name)


@pytest.fixture(scope="session", params=DOCUMENTS)
def document(request: pytest.FixtureRequest, study: Path) -> Path:
    """Every HTML document of every study in turn."""
    return study / f"{request.param}.html"


@pytest.fixture(scope="session")
def rendered() -> Path:
    """Folder `out` with the report of the default synthetic inputs; its parent has the files it was made from."""
    return once("made-report", lambda folder: render(folder, synthetic.inputs()), "tests/synthetic") / "out"


@pytest.fixture(scope="session")
def predicted() -> ReportInputs:
    """Inputs of a study of generated and real graphs with predictions; one cell ran out of memory."""
    from gnn_checkpointing.analysis.laws.predictions import predictions
    from gnn_checkpointing.analysis.table import completed

    graphs = [*generated_graphs(num_nodes=(500, 1000, 4000), replicates=1), *real_graphs()]
    rows = table(np.random.default_rng(4), graphs)
    rows = without(rows, "sbm-n4000-d128-r0-GATv2", "none", "out_of_memory")
    found = predictions(rows, completed(rows), protocol(), np.random.default_rng(0))
    return synthetic.inputs(in_series(rows), predictions=found)


@pytest.fixture(scope="session")
def ledger() -> Ledger:
    """Every claim, judged."""
    return judged(everything())
