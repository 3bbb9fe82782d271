"""The reference workload's memory bars: nine layers of GATv2, 64 channels as 4 heads x 16, 2,000 nodes, degree 128."""

from functools import cache
from pathlib import Path

import torch

from gnn_checkpointing.graphs.make import make_graph
from gnn_checkpointing.measurement.peak_memory import step_bytes
from gnn_checkpointing.measurement.sameness import compared, step_result
from gnn_checkpointing.measurement.workload import cell_task, contestant
from gnn_checkpointing.study.design import graph_cells
from gnn_checkpointing.study.graph_design import study_graphs
from gnn_checkpointing.study.reading import read_study

ROOT = Path(__file__).resolve().parents[2]
CPU = torch.device("cpu")


@cache
def measured(policy: str):
    """Return activation bytes, resident bytes added by the policy, and what the step computed."""
    study = read_study(ROOT / "workflow/studies/reference.yaml")
    (spec,) = study_graphs(study)
    (cell,) = graph_cells(study, spec)
    contest = contestant(cell, cell_task(make_graph(spec), cell, CPU), policy)
    loss = contest.forward()
    loss.backward()
    if policy.startswith(("compiled", "fused")):
        contest.drop_gradients()
        loss = contest.forward()
        loss.backward()
    result = step_result(contest.model, loss)
    contest.drop_gradients()
    del loss
    peak = step_bytes(contest.forward, CPU).peak
    contest.drop_gradients()
    return peak, contest.resident()[1], result


NODES, EDGES, LAYERS, CHANNELS, HEADS = 2000, 256_000, 9, 64, 4
NODE_MAPS = LAYERS * NODES * CHANNELS * 4
"""Each layer's input, float32."""


def test_edge_blocks_peaks_at_a_fiftieth_of_none() -> None:
    assert measured("edge_blocks")[0] * 50 <= measured("none")[0]


def test_compiled_and_fused_blocks_peak_at_a_hundredth_of_none(compiler: None) -> None:
    """Their kernels store of a block what cannot be fused; the least they could hold is every layer's input."""
    for policy in ("compiled_edge_blocks", "fused_edge_blocks"):
        assert NODE_MAPS < measured(policy)[0] <= measured("none")[0] / 100


def test_peaks_are_near_the_floors_that_the_modules_write_down(compiler: None) -> None:
    """`edge_blocks`: inputs, 4.6 MB, and six tensors of 16,000 edges x 64 channels, 24.6 MB.

    `fused_edge_blocks`: inputs and denominators, 4.9 MB, and of 64,000 edges (32 a node) x 4 heads two tensors, scores
    and shares, 2.0 MB, and the block's destinations, int64, 0.5 MB. `compiled_edge_blocks` the same but for the
    denominators. Bar 1.5, moonshot 1.25.
    """
    eager = NODE_MAPS + 6 * 8 * NODES * CHANNELS * 4
    compiled = NODE_MAPS + 32 * NODES * (2 * HEADS * 4 + 8)
    fused = compiled + LAYERS * NODES * HEADS * 4
    assert measured("edge_blocks")[0] <= 1.25 * eager
    assert measured("compiled_edge_blocks")[0] <= 1.5 * compiled
    assert measured("fused_edge_blocks")[0] <= 1.5 * fused


def test_edge_blocks_adds_at_most_16_bytes_an_edge_to_what_is_resident() -> None:
    assert measured("edge_blocks")[1] <= 16 * EDGES


def test_gradients_agree_with_none_to_1e_5(compiler: None) -> None:
    for policy in ("edge_blocks", "compiled_edge_blocks", "fused_edge_blocks"):
        same = compared(measured(policy)[2], measured("none")[2], 1e-5)
        assert same.same_loss and same.same_gradients
