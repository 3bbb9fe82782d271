"""Fake tensors read the peak that the allocator counts, also of a step that never runs, and so does torch's tracker."""

import numpy as np
import pytest
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.distributed._tools.mem_tracker import MemTracker

from gnn_checkpointing.graphs.graph import Graph
from gnn_checkpointing.graphs.make import make_graph
from gnn_checkpointing.measurement.fake_tensors import LiveBytes, StepSizes, even_degrees, exact_peak, fake_tensor_bytes
from gnn_checkpointing.measurement.peak_memory import step_bytes
from gnn_checkpointing.measurement.workload import Subject, cell_task, subject_of
from gnn_checkpointing.records.measurements_table import read_table
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.architecture import Architecture
from gnn_checkpointing.study.design import Cell
from gnn_checkpointing.study.graph_design import study_graphs
from gnn_checkpointing.study.reading import read_study
from measurement.cells import CPU, cell_of, small_study
from synthetic.studies import ROOT
from synthetic.studies import small_study as study_of

pytestmark = pytest.mark.slow

RANDOM_STATE = 5056  # bytes of the CPU generator's state, held while a layer runs that may draw


def sizes_of(graph: Graph) -> StepSizes:
    degrees = np.bincount(graph.edge_index[1], minlength=graph.num_nodes)
    return StepSizes(degrees, graph.features.shape[1], graph.num_classes, int(graph.train_mask.sum()))


def after_a_step(cell: Cell, graph: Graph, policy: str) -> Subject:
    subject = subject_of(cell, cell_task(graph, cell, CPU), policy)
    subject.step()
    subject.drop_gradients()
    return subject


@pytest.mark.parametrize("convolution", ["GCN", "GATv2", "SAGE-max", "EdgeConv"])
@pytest.mark.parametrize(
    ("policy", "unseen"),
    [
        ("none", 0),
        ("edge_blocks(50)", 3 * RANDOM_STATE),
        ("layers", 2 * RANDOM_STATE),
        ("layers+edge_blocks(50)", 4 * RANDOM_STATE),
    ],
)
def test_fake_equals_real_but_for_the_random_states(convolution: str, policy: str, unseen: int) -> None:
    """Nothing is drawn, so none is kept; while a layer runs, its state and that of its blocks wait to be compared.

    One for the checkpoint, one for the layer that is cut and one for its blocks, and the one they are compared with.
    Gradients are added up in place on real tensors and not on fake ones, and counted as if they were.
    """
    cell, graph = cell_of(small_study(convolution, norm="batch", residual=True))
    subject = after_a_step(cell, graph, policy)
    exact = step_bytes(subject.forward, CPU).peak
    fake, why_not = fake_tensor_bytes(cell, subject)
    assert why_not == ""
    assert fake is not None and 0 <= exact - fake <= unseen


def test_a_policy_of_compiled_code_has_no_reading_and_says_why() -> None:
    cell, graph = cell_of(small_study())
    subject = subject_of(cell, cell_task(graph, cell, CPU), "none")
    fake, why_not = fake_tensor_bytes(cell, type(subject)("compiled", subject.model, subject.task))
    assert fake is None
    assert "past the dispatcher of operators" in why_not


def test_the_count_is_that_of_torchs_own_tracker() -> None:
    with FakeTensorMode():
        model = nn.Sequential(nn.Linear(30, 50), nn.ReLU(), nn.Linear(50, 20), nn.Softmax(-1))
        x = torch.empty(70, 30)
        with LiveBytes([*model.parameters(), x]) as ours:
            model(x).sum().backward()
        model.zero_grad(set_to_none=True)
        theirs = MemTracker()
        theirs.track_external(model, x)
        before = theirs.get_tracker_snapshot("current")[CPU]["Total"]
        with theirs:
            model(x).sum().backward()
    assert ours.peak == theirs.get_tracker_snapshot("peak")[CPU]["Total"] - before
    assert ours.peak > 2 * 70 * 50 * 4  # both hidden maps are held for backward


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
    study = study_of([convolution], POLICIES, grid, {"hidden_channels": 32, "heads": 2})
    cell, graph = cell_of(study)
    for policy in POLICIES:
        subject = after_a_step(cell, graph, policy)
        counted = subject.resident()[0] + step_bytes(subject.forward, CPU).peak
        found = exact_peak(convolution, policy, study.architecture, sizes_of(graph))
        assert found == pytest.approx(counted, rel=0.01), policy


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
    """Measured with tensors, computed here without any: on each of five graphs each convolution and policy once.

    All pairs of a convolution and a policy are tried on the drawn graphs above.
    """
    (folder,) = ROOT.glob("report/*/prediction")
    study = read_study(folder / "study.json").model_copy(update={"data_root": DATA})
    rows = [row for row in read_table(folder / "measurements.csv") if row["family"] == "real"]
    specs = {spec.id: spec for spec in study_graphs(study)}
    asked = 0
    for graph_id in dict.fromkeys(str(row["graph"]) for row in rows):
        sizes = sizes_of(make_graph(specs[graph_id]))
        own = [row for row in rows if row["graph"] == graph_id and row["outcome"] == "completed"]
        orders = ([*dict.fromkeys(str(row[name]) for row in own)] for name in ("convolution", "policy"))
        pairs = set(zip(*orders, strict=True))
        for row in (row for row in own if (row["convolution"], row["policy"]) in pairs):
            found = exact_peak(row["convolution"], str(row["policy"]), study.architecture, sizes)
            assert found == pytest.approx(row["peak_memory_bytes"], rel=0.01), row["cell"]
            asked += 1
    assert asked == 15
