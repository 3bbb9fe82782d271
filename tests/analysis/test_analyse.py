"""The whole analysis: its rows, its files, and training jobs beside none."""

import json
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from gnn_checkpointing.analysis.analyse import Findings, accuracies, analysis_files, read_analysis, write_analysis
from gnn_checkpointing.analysis.table import completed
from gnn_checkpointing.records.jobs import REORDERED, TrainingRecord
from gnn_checkpointing.records.measurements_table import read_table, write_table
from gnn_checkpointing.refusal import Refusal
from synthetic.changes import without
from synthetic.findings import analysed
from synthetic.graphs import Graph, generated_graphs, real_graphs
from synthetic.rows import Table, table
from synthetic.tables import trainings

ONE = generated_graphs((500,), (4.0,), 1)


@pytest.fixture(scope="module")
def rows() -> Table:
    return table(0, generated_graphs(replicates=1))


@pytest.fixture(scope="module")
def found(rows: Table) -> Findings:
    return analysed(rows)


def test_the_same_table_gives_the_same_bytes_in_any_order_of_rows(rows: Table, found: Findings, tmp_path: Path) -> None:
    write_analysis(tmp_path, found)
    files = analysis_files(analysed(rows[::-1]))
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == files
    assert set(files) == {f"{field.name}.json" for field in fields(Findings)}


def test_another_seed_moves_the_simulated_rule_and_no_effect(rows: Table, found: Findings) -> None:
    other = analysed(rows, seed=2)
    assert found.robustness.stopping != other.robustness.stopping
    for name in ("effects", "regressions", "accuracy", "quality"):
        assert getattr(found, name) == getattr(other, name), name


@pytest.mark.parametrize(
    ("graphs", "noise"),
    [
        (real_graphs(), 0.02),
        (real_graphs() + generated_graphs(replicates=1), 0.02),
        (ONE, 0.02),
        (generated_graphs((500, 1000), (4.0, 8.0), 1), 0.0),
        (generated_graphs(), 0.0),
    ],
    ids=["real only", "both", "one cell a convolution", "four cells", "no noise"],
)
def test_any_study_is_analysed_and_what_is_read_back_is_written_again_to_the_last_digit(
    graphs: list[Graph], noise: float, tmp_path: Path
) -> None:
    """What is read back is rounded, and rounding it once more changes nothing."""
    found = analysed(table(0, graphs, noise=noise))
    write_analysis(tmp_path, found)
    assert analysis_files(read_analysis(tmp_path)) == analysis_files(found)


def test_a_study_in_which_nothing_completed_is_analysed_and_one_policy_alone_is_refused() -> None:
    rows = table(0, ONE, convolutions=("GCN",))
    with pytest.raises(Refusal, match=r"^measurements\.csv: every row is of policy none, which leaves nothing to"):
        analysed(rows[:1])
    for policy in ("none", "layers", "edge_blocks"):
        rows = without(rows, "sbm-n500-d4-r0-GCN", policy, "out_of_memory")
    result = analysed(rows)
    assert result.effects.generated == result.effects.real == result.regressions.laws == []
    assert len(result.quality.failures) == 3


def test_a_damaged_file_is_refused_by_name(found: Findings, tmp_path: Path) -> None:
    write_analysis(tmp_path, found)
    path = tmp_path / "effects.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "confidence": "high"}))
    with pytest.raises(Refusal, match=r"effects\.json: field confidence: .*; make it again with `analyse`"):
        read_analysis(tmp_path)


def test_reading_findings_imports_no_statistics() -> None:
    code = "import sys, gnn_checkpointing.analysis.analyse; print('statsmodels' in sys.modules, 'scipy' in sys.modules)"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.split() == ["False", "False"]


GRAPHS = generated_graphs(num_nodes=(500,), degrees=(4.0, 8.0), replicates=1)
ROWS = table(0, GRAPHS, convolutions=("GCN",))
CELL = "sbm-n500-d4-r0-GCN"


def test_a_sound_table_gives_every_completed_row_in_any_order_and_from_csv(tmp_path: Path) -> None:
    assert len(completed(ROWS)) == len(ROWS) == 6
    assert completed(ROWS[::-1]) == completed(ROWS)
    write_table(tmp_path / "measurements.csv", ROWS)
    for read, row in zip(completed(read_table(tmp_path / "measurements.csv")), completed(ROWS), strict=True):
        assert vars(row).items() <= vars(read).items()
    left = completed(without(ROWS, CELL, "layers", "out_of_memory"))
    assert [row.policy for row in left if row.cell == CELL] == ["none", "edge_blocks"]


NONE, LAYERS, _ = trainings(convolutions=("GCN",), policies=("none", "layers"), drift=0.0)


def test_the_largest_difference_of_a_curve_is_a_share_of_the_first_loss_early_or_late() -> None:
    """The first loss is 2; a last loss of 0.5 grown by a quarter differs by 0.125, by a half by 0.25."""
    result = accuracies(trainings(convolutions=("GCN",), drift=0.25, control=0.5))
    assert [(job.policy, job.largest_loss_difference) for job in result] == [
        ("none", 0.0),
        ("layers", 0.0625),
        ("edge_blocks", 0.0625),
        (REORDERED, 0.125),
    ]
    assert (result[1].final_loss, result[1].test_accuracy, result[1].epochs) == (0.625, 0.8, 3)
    early = LAYERS.model_copy(update={"losses": [2.5, *LAYERS.losses[1:]]})
    assert accuracies([NONE, early])[1].largest_loss_difference == 0.25
    assert accuracies([]) == []


@pytest.mark.parametrize(
    ("jobs", "reason"),
    [
        ([LAYERS], "training of GCN with layers on sbm-n500-d4-r0: policy none was not trained"),
        ([NONE, NONE], r"training of GCN with none on .*: trained twice"),
        ([NONE, LAYERS.model_copy(update={"losses": [1.0, 2.0]})], ".*: 2 epochs, but 3 for none"),
        ([NONE.model_copy(update={"losses": []})], ".*: no losses in the record"),
    ],
)
def test_jobs_that_cannot_be_compared_are_refused(jobs: list[TrainingRecord], reason: str) -> None:
    with pytest.raises(Refusal, match=f"^{reason}"):
        accuracies(jobs)
