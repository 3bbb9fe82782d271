"""The line of a cell counts what holds today, and judges the time left by the pace of work, not by pauses."""

from pathlib import Path

import pytest

from gnn_checkpointing.artefacts import write_json
from gnn_checkpointing.design import graph_cells
from gnn_checkpointing.graph_design import study_graphs
from gnn_checkpointing.measurement.fingerprint import measuring_settings
from gnn_checkpointing.measurement.progress import Progress, time_left
from gnn_checkpointing.measurement.supervise import COMPLETE
from gnn_checkpointing.study import read_study

STUDY = read_study(Path(__file__).resolve().parents[2] / "workflow/studies/smoke.yaml")


def finished(folder: Path, graph_id: str, settings: str) -> None:
    for cell in graph_cells(STUDY, graph_id):
        write_json(folder / graph_id / f"{cell.id}.json", {})
    write_json(folder / graph_id / COMPLETE, {"settings": settings})


def test_graphs_measured_under_other_settings_do_not_count(tmp_path: Path) -> None:
    today, other, own = (spec.id for spec in study_graphs(STUDY)[:3])
    finished(tmp_path, today, measuring_settings(STUDY))
    finished(tmp_path, other, "another version of the code")
    finished(tmp_path, own, "under way")
    progress = Progress(STUDY, tmp_path, own)
    assert len(progress._finished) == len(STUDY.architecture.convolutions)


@pytest.mark.parametrize(
    ("stamps", "cells", "words"),
    [
        ([0.0, 2.0], 10, ""),
        ([0.0, 2.0, 4.0, 6.0], 14, "about 20 s left"),
        ([0.0, 30.0, 60.0, 90.0], 14, "about 5 min left"),
        ([0.0, 2.0, 4.0, 5000.0, 5002.0, 5004.0], 16, "about 20 s left"),
        ([0.0, 2.0, 4.0, 6.0], 4, ""),
    ],
)
def test_time_left(stamps: list[float], cells: int, words: str) -> None:
    assert time_left(stamps, cells).removeprefix(" · ") == words
