"""The peak of a step that is never run is the one that is counted when it is, to 1 %."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gnn_checkpointing.graphs.make import make_graph
from gnn_checkpointing.measurement.exact_peak import StepSizes, even_degrees, exact_peak
from gnn_checkpointing.measurement.peak_memory import step_bytes
from gnn_checkpointing.measurement.workload import cell_task, contestant
from gnn_checkpointing.records.measurements_table import read_table
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.architecture import Architecture
from gnn_checkpointing.study.design import graph_cells
from gnn_checkpointing.study.graph_design import study_graphs
from gnn_checkpointing.study.reading import read_study
from measurement.cells import CPU
from synthetic.studies import small_study

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"
POLICIES = ("none", "layers", "segments(2)", "edge_blocks", "edge_blocks(900)", "layers+edge_blocks")


@pytest.mark.parametrize(
    ("convolution", "family"),
    [(name, "erdos_renyi") for name in ("GCN", "SAGE", "SAGE-max", "GIN", "GAT", "EdgeConv")]
    + [("GATv2", "heavy_tail")],
)
def test_the_peak_is_the_counted_one(convolution: str, family: str) -> None:
    """400 nodes of degree 30, 3 layers of 32 channels; blocks as large as the rule has them, and smaller ones."""
    grid = {"family": family, "num_nodes": [400], "average_degrees": [30]}
    study = small_study([convolution], POLICIES, grid, {"hidden_channels": 32, "heads": 2})
    (spec,) = study_graphs(study)
    graph, cell = make_graph(spec), graph_cells(study, spec)[0]
    degrees = np.bincount(graph.edge_index[1], minlength=graph.num_nodes)
    sizes = StepSizes(degrees, graph.features.shape[1], graph.num_classes, int(graph.train_mask.sum()))
    task = cell_task(graph, cell, CPU)
    for policy in POLICIES:
        contest = contestant(cell, task, policy)
        contest.step()
        contest.drop_gradients()
        resident, _ = contest.resident()
        counted = resident + step_bytes(contest.forward, CPU).peak
        assert exact_peak(convolution, policy, study.architecture, sizes) == pytest.approx(counted, rel=0.01), policy


def test_a_step_far_too_large_for_any_machine_has_a_peak() -> None:
    """A million nodes of degree ten thousand, GATv2: terabytes, in a moment and a few of the machine's bytes."""
    values = {"convolutions": ["GATv2"], "num_layers": 2, "hidden_channels": 64, "heads": 4}
    sizes = StepSizes(even_degrees(10**6, 10**10), 64, 4, 10**5)
    found = exact_peak("GATv2", "none", Architecture.model_validate(values), sizes)
    assert found > 10**10 * 64 * 4 * 6


def test_even_degrees_add_up_and_differ_by_one_at_most() -> None:
    degrees = even_degrees(7, 24)
    assert degrees.sum() == 24
    assert degrees.max() - degrees.min() <= 1


def test_generated_kernels_have_no_exact_peak_and_say_why() -> None:
    values = {"convolutions": ["GCN"], "num_layers": 2, "hidden_channels": 8}
    with pytest.raises(Refusal, match="policy compiled: no exact peak"):
        exact_peak("GCN", "compiled", Architecture.model_validate(values), StepSizes(even_degrees(5, 10), 4, 2, 3))


@pytest.mark.skipif(not DATA.is_dir(), reason=f"no folder {DATA}: the real graphs are not part of the repository")
def test_the_peaks_of_real_graphs_are_those_that_were_published() -> None:
    """Five graphs, three convolutions, three policies: measured with tensors, computed here without any."""
    (folder,) = ROOT.glob("report/*/prediction")
    study = read_study(folder / "study.json").model_copy(update={"data_root": DATA})
    rows = [row for row in read_table(folder / "measurements.csv") if row["family"] == "real"]
    specs = {spec.id: spec for spec in study_graphs(study)}
    asked = 0
    for graph_id in dict.fromkeys(str(row["graph"]) for row in rows):
        graph = make_graph(specs[graph_id])
        degrees = np.bincount(graph.edge_index[1], minlength=graph.num_nodes)
        sizes = StepSizes(degrees, graph.features.shape[1], graph.num_classes, int(graph.train_mask.sum()))
        for row in (row for row in rows if row["graph"] == graph_id and row["outcome"] == "completed"):
            found = exact_peak(row["convolution"], str(row["policy"]), study.architecture, sizes)
            assert found == pytest.approx(row["peak_memory_bytes"], rel=0.01), row["cell"]
            asked += 1
    assert asked == 45
