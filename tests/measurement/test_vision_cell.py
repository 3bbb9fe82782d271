"""A Vision GNN as a cell: images from patches, both tasks, and a recomputation that computes the same, bit for bit."""

import pytest
import torch

from gnn_checkpointing.collecting import cell_traces
from gnn_checkpointing.collecting.rows import cell_rows
from gnn_checkpointing.graphs.families.images import images_of, normalised
from gnn_checkpointing.graphs.graph import Graph
from gnn_checkpointing.graphs.make import make_graph, stream
from gnn_checkpointing.measurement.cell import Bench
from gnn_checkpointing.measurement.workload import cell_task, images_of_patches
from gnn_checkpointing.study.design import Cell, graph_cells
from gnn_checkpointing.study.graph_design import study_graphs
from gnn_checkpointing.study.study import Study
from measurement.cells import CPU
from measurement.test_cell import CONTEXT, no_marks
from synthetic.studies import small_study

pytestmark = pytest.mark.slow

POLICIES = ("none", "layers", "segments(4)", "edge_blocks", "fused_edge_blocks", "reversible")


def vision_study() -> Study:
    grid = {"family": "images", "num_nodes": [392], "average_degrees": [4]}
    measurement = {"device": "cpu", "rounds": {"at_least": 3, "at_most": 3}}
    return small_study(["ViG-Ti"], POLICIES, grid, {"tasks": ["patches", "images"]}, measurement=measurement)


def cells() -> tuple[Study, Graph, dict[str, Cell]]:
    study = vision_study()
    (spec,) = study_graphs(study)
    return study, make_graph(spec), {cell.model: cell for cell in graph_cells(study, spec)}


def test_images_come_back_from_their_patches() -> None:
    (spec,) = study_graphs(vision_study())
    pixels, _ = images_of(spec, stream(spec, "images"))
    found = images_of_patches(torch.from_numpy(make_graph(spec).features))
    assert len(found) == 2
    assert torch.equal(found[0], torch.from_numpy(normalised(pixels[0])).permute(2, 0, 1))


def test_labels_are_patches_or_the_shape_of_the_image() -> None:
    _, graph, by_task = cells()
    patches, images = (cell_task(graph, by_task[name], CPU) for name in ("", "images"))
    assert patches.labels.tolist() == graph.labels[graph.train_mask].tolist()
    assert (patches.num_classes, images.num_classes) == (2, 4)
    assert images.labels.tolist() == [0, 1]


@pytest.mark.parametrize("model", ["", "images"])
def test_a_cell_is_measured_whole(model: str) -> None:
    """Twelve blocks: what each keeps grows with its neighbours, and recomputed ones keep their input alone."""
    study, graph, by_task = cells()
    record, traces = Bench(study, graph, CPU).measure(by_task[model], {}, lambda *_: None, no_marks, CONTEXT)
    found = {policy.policy: policy for policy in record.policies}
    assert [found[policy].outcome for policy in POLICIES] == ["completed"] * 5 + ["refused"]
    assert "not made of reversible blocks" in found["reversible"].message
    for policy in ("layers", "segments(4)"):
        assert (same := found[policy].sameness) is not None
        assert (same.loss_error, same.gradient_error, same.buffer_error) == (0.0, 0.0, 0.0)
    assert record.model == model
    # The published 7.18 million less a head of 1,000 classes, with one of 2 or 4.
    assert record.parameters == pytest.approx(7.18e6 - 1025 * (1000 - (4 if model else 2)), abs=5000)
    rows = {row["policy"]: row for row in cell_rows(record, study.analysis)}
    # Of so few images, gradients of the weights are much of the peak: what is kept for backward tells more.
    kept = {policy: float(rows[policy]["saved_activation_bytes"] or 0) for policy in ("none", "layers", "edge_blocks")}
    assert kept["layers"] < 0.2 * kept["none"]
    assert kept["edge_blocks"] < 0.9 * kept["none"]
    none, layers = (
        next(trace for trace in cell_traces(record, traces) if trace.policy == policy) for policy in ("none", "layers")
    )
    assert none.block_degrees == [4, 4, 4, 5, 5, 5, 6, 6, 6, 7, 7, 8]
    added = [after - before for before, after in zip(none.block_bytes, none.block_bytes[1:], strict=False)]
    assert added[-1] > added[3] > added[1]
    own = [after - before for before, after in zip(layers.block_bytes, layers.block_bytes[1:], strict=False)]
    for policy in ("edge_blocks", "fused_edge_blocks"):
        blocked = found[policy].sameness
        assert blocked is not None and blocked.same_gradients and blocked.same_buffers
    map_bytes = 392 * 192 * 4
    assert all(map_bytes <= size < 1.2 * map_bytes for size in own)
