"""The same data are analysed, judged and rendered once for all tests and workers: most tests spoil what comes after."""

import hashlib
import pickle
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gnn_checkpointing.audit import again, pages
from gnn_checkpointing.report.inputs import ReportInputs
from gnn_checkpointing.report.provenance import CRATE
from gnn_checkpointing.report.render import SUMMARY, Sources, render_report
from rebuilt import once


@pytest.fixture(autouse=True)
def concluded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for conclude in (again.analyse, again.judge):
        monkeypatch.setattr(again, conclude.__name__, partial(_once, conclude))
    monkeypatch.setattr(pages, "render_report", _render_once)


def _once(conclude: Callable[..., Any], *given: Any) -> Any:
    def make(folder: Path) -> None:
        (folder / "found").write_bytes(pickle.dumps(conclude(*given)))

    measured = hashlib.sha256(pickle.dumps(given)).hexdigest()[:32]
    return pickle.loads((once(f"{conclude.__name__}-{measured}", make) / "found").read_bytes())


def _render_once(inputs: ReportInputs, sources: Sources, templates: Path, output_folder: Path) -> None:
    """Render what the files of a folder say, but for its pages, drawings and what describes them."""
    folder = sources["study.json"].parent
    files = (path for kind in ("*.json*", "*.csv", "*.xz", "analysis/*") for path in sorted(folder.glob(kind)))
    read = hashlib.sha256(b"".join(path.read_bytes() for path in files if path.name not in (CRATE, SUMMARY)))
    name = f"page-{folder.name}-{read.hexdigest()[:32]}"
    made = once(name, lambda place: render_report(inputs, sources, templates, place))
    shutil.copytree(made, output_folder, dirs_exist_ok=True)
