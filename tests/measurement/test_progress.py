"""The line of a cell counts what holds today, and judges the time left by what its like has taken."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gnn_checkpointing.artefacts import write_json
from gnn_checkpointing.measurement.fingerprint import measuring_settings
from gnn_checkpointing.measurement.progress import Progress, time_left
from gnn_checkpointing.measurement.supervise import COMPLETE
from gnn_checkpointing.study.graph_design import study_graphs
from gnn_checkpointing.study.reading import read_study

STUDY = read_study(Path(__file__).resolve().parents[2] / "workflow/studies/smoke.yaml")


def finished(folder: Path, graph_id: str, settings: str) -> None:
    write_json(
        folder / graph_id / COMPLETE,
        {"graph": graph_id, "settings": settings, "seconds": 7.0, "cells": {}, "traces": {}},
    )


def test_graphs_measured_under_other_settings_do_not_count(tmp_path: Path) -> None:
    today, other, own = (spec.id for spec in study_graphs(STUDY)[:3])
    finished(tmp_path, today, measuring_settings(STUDY))
    finished(tmp_path, other, "another version of the code")
    finished(tmp_path, own, "under way")
    progress = Progress(STUDY, tmp_path, own)
    assert progress._others == len(STUDY.architecture.convolutions) * STUDY.measurement.processes
    assert progress._other_seconds == 7.0
    assert progress._all == progress._others * len(study_graphs(STUDY))


def test_a_line_is_safe_to_print(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Labels of graphs are the user's, and may hold what moves a terminal's cursor."""
    record: Any = SimpleNamespace(
        graph=SimpleNamespace(label="\x1b[2Jmine"),
        convolution="GCN",
        policies=[SimpleNamespace(policy="none", outcome="completed")],
        runs=[SimpleNamespace(round_orders=[], measured_seconds=0.0)],
        timed=True,
    )
    Progress(STUDY, tmp_path, study_graphs(STUDY)[0].id)(record, 1)
    line = capsys.readouterr().err
    assert line.split(": ", 1)[1].startswith("\\x1b[2Jmine · GCN · none · 0 rounds")
    assert line.rstrip("\n").isprintable()


@pytest.mark.parametrize(
    ("seconds_each", "waiting", "words"),
    [(2.0, 10, "about 20 s left"), (30.0, 10, "about 5 min left"), (2.0, 0, "")],
)
def test_time_left(seconds_each: float, waiting: int, words: str) -> None:
    assert time_left(seconds_each, waiting).removeprefix(" · ") == words
