"""One machine over time: a study that is measured again keeps its earlier measurements and draws all."""

import json
from pathlib import Path
from typing import Any

import pytest

from gnn_checkpointing.artefacts import write_json
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.report.appendix import section
from gnn_checkpointing.report.documents import documents
from gnn_checkpointing.report.sections.history import HISTORY, continued, read_history
from rebuilt import unprinted
from synthetic import inputs as synthetic

from .reading import block, render, words_in

BEFORE: dict[str, Any] = {
    "measured_on": "2026-01-02",
    "commit": "abc1234",
    "cells": 7,
    "speeds": [{"convolution": "GCN", "policy": "none", "nodes_per_second": 1000.0, "edges_per_second": 9000.0}],
}


def test_a_first_measurement_begins_the_history_and_is_not_drawn(rendered: Path) -> None:
    html = (rendered / "appendix.html").read_text()
    (only,) = json.loads((rendered / HISTORY).read_text())
    assert only["measured_on"] == "2026-11-24"
    assert only["cells"] == 108
    assert 'id="history"' not in html


def test_a_second_measurement_is_added_once_both_are_drawn_and_no_old_figure_stays(tmp_path: Path) -> None:
    write_json(tmp_path / HISTORY, [BEFORE])
    old = tmp_path / "out/figures/figure-old.csv"
    old.parent.mkdir(parents=True)
    old.write_text("old")
    for name in ("study.json", "records.jsonl"):  # of a run: in a folder that is none, files are not the report's
        (old.parents[1] / name).touch()
    with unprinted():
        html, _ = render(tmp_path, synthetic.inputs())
    assert not old.exists()
    found = read_history(tmp_path / "out" / HISTORY)
    assert [one.measured_on for one in found] == ["2026-01-02", "2026-11-24"]
    assert 'id="figure-history"' in html
    assert continued(found, synthetic.inputs()) == found


def test_the_chart_and_the_table_hold_plain_training_of_every_measurement(tmp_path: Path) -> None:
    """1,000 nodes a second before, 1,500 after."""
    write_json(tmp_path / HISTORY, [BEFORE, {**BEFORE, "measured_on": "2026-02-03"}])
    found = section(synthetic.inputs(), "history", history=read_history(tmp_path / HISTORY))
    assert [row[2] for row in block(found, "figure-history").panels[0].drawn.rows] == [1000.0, 1000.0]
    assert len(block(found, "table-history").rows) == 2
    assert len(continued(read_history(tmp_path / HISTORY), synthetic.inputs())) == 3


def test_the_report_says_how_far_plain_training_differs_between_measurements(tmp_path: Path) -> None:
    """From 1,000 to 1,300 nodes a second: 30 %."""
    faster = [{**BEFORE["speeds"][0], "nodes_per_second": 1300.0}]
    write_json(tmp_path / HISTORY, [BEFORE, {**BEFORE, "measured_on": "2026-02-03", "speeds": faster}])
    known = read_history(tmp_path / HISTORY)
    words = "plain training's nodes/s by up to 30 %"
    for history, is_said in ((known, True), (known[:1], False)):
        (limits,) = [
            one for one in documents(synthetic.inputs(), {}, history=history).report.sections if one.id == "limits"
        ]
        assert (words in words_in(limits.blocks).replace("\N{NO-BREAK SPACE}", " ")) == is_said


def test_a_history_of_another_form_is_refused_by_name(tmp_path: Path) -> None:
    write_json(tmp_path / HISTORY, [{**BEFORE, "cells": "many"}])
    with pytest.raises(Refusal, match=r"history\.json: field 0\.cells"):
        read_history(tmp_path / HISTORY)


def test_a_repeat_counts_the_same_bytes_and_names_the_conclusions_that_moved() -> None:
    (now,) = continued([], synthetic.inputs())
    verdicts = {"supported": "refuted", "refuted": "inconclusive", "inconclusive": "inconclusive"}
    first, *others = now.speeds
    before = now.model_copy(
        update={
            "measured_on": "2026-01-02",
            "speeds": (first.model_copy(update={"bytes": "other"}), *others),
            "verdicts": {claim: verdicts[verdict] for claim, verdict in now.verdicts.items()},
        }
    )
    found = continued([before], synthetic.inputs())
    assert found[0].repeats is None
    repeats = found[1].repeats
    assert repeats is not None
    assert (repeats.series, repeats.same_bytes) == (len(now.speeds), len(others))
    assert now.verdicts == {"flat-memory": "supported", "a-third": "refuted", "noise": "inconclusive"}
    assert (repeats.conclusions, repeats.reversed, repeats.unsettled) == (3, 1, 1)
    assert repeats.moved == ("a-third", "flat-memory")
    (row,) = block(section(synthetic.inputs(), "history", history=found), "table-repeats").rows
    assert row[-1] == "a-third, flat-memory"
