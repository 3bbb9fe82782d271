"""Both documents of every published study, rendered from the data beside them by the current code.

What takes long is done by `make test-all` only: the PDFs of studies that no quick test rebuilds, and both documents of
`frontier-gpu`, which has the sections of `frontier` and the machine of `reddit-size`.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from _pytest.mark import ParameterSet

from gnn_checkpointing.claims.ledger import Ledger
from gnn_checkpointing.report.inputs import ReportInputs, in_series
from rebuilt import REBUILT, ROOT, once, rebuilt
from rebuilt import rendered as rendered_study
from synthetic import inputs as synthetic
from synthetic.changes import without
from synthetic.everything import everything
from synthetic.findings import ledger as judged
from synthetic.graphs import generated_graphs, real_graphs
from synthetic.rows import table
from synthetic.tables import protocol

from .reading import render

STUDIES = sorted(path.parent for path in ROOT.glob("report/*/*/study.json"))
DOCUMENTS = ("report", "appendix")


def _studies(quick: Callable[[str], bool]) -> list[ParameterSet]:
    """Every published study; those that are not quick are for `make test-all`."""
    names = [folder.name for folder in STUDIES]
    return [pytest.param(name, id=name, marks=[] if quick(name) else pytest.mark.slow) for name in names]


@pytest.fixture(scope="session", params=_studies(lambda name: name != "frontier-gpu"))
def study(request: pytest.FixtureRequest) -> Path:
    """Folder of each published study in turn, rendered; its PDFs may be empty."""
    return rendered_study(request.param)


@pytest.fixture(scope="session", params=_studies(REBUILT.__contains__))
def printed(request: pytest.FixtureRequest) -> Path:
    """Folder of each published study in turn, rebuilt with its PDFs."""
    return rebuilt(request.param)


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
    return judged(everything())
