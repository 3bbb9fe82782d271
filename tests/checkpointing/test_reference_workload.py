"""The reference workload's memory bars: nine layers of GATv2, 64 channels as 4 heads x 16, 2,000 nodes, degree 128."""

from functools import cache
from pathlib import Path

import pytest
import torch

from gnn_checkpointing.graphs.make import make_graph
from gnn_checkpointing.measurement.peak_memory import step_bytes
from gnn_checkpointing.measurement.sameness import compared, step_result
from gnn_checkpointing.measurement.workload import cell_task, contestant
from gnn_checkpointing.study.design import graph_cells
from gnn_checkpointing.study.graph_design import study_graphs
from gnn_checkpointing.study.reading import read_study

pytestmark = pytest.mark.slow

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
    if policy == "fused_edge_blocks":
        # A kernel's first use compiles it, which must not be counted.
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
NODE_MAP = NODES * CHANNELS * 4
"""Bytes of one float32 value per node and channel."""
POINTERS = NODES + 1


def test_edge_blocks_peaks_at_a_fiftieth_of_none() -> None:
    assert measured("edge_blocks")[0] * 50 <= measured("none")[0]


def test_fused_blocks_peak_at_a_220th_of_none(compiler: None) -> None:
    """The floor: of each layer its input and a log denominator a head, 4.9 MB, which the backward pass reads."""
    kept = LAYERS * (NODE_MAP + NODES * HEADS * 4)
    assert kept < measured("fused_edge_blocks")[0] <= measured("none")[0] / 220


def test_peaks_are_near_the_floors_that_the_modules_write_down(compiler: None) -> None:
    """`edge_blocks`: inputs, 4.6 MB, and six tensors of 16,000 edges x 64 channels, 24.6 MB. Bar 1.25.

    `fused_edge_blocks`: inputs and log denominators, 4.9 MB, and of the layer at hand the maps of keys and queries, a
    gradient of each and that of its output, 2.6 MB. Not all of them are alive at once: bar 1.
    """
    eager = LAYERS * NODE_MAP + 6 * 8 * NODES * CHANNELS * 4
    fused = LAYERS * (NODE_MAP + NODES * HEADS * 4) + 5 * NODE_MAP
    assert measured("edge_blocks")[0] <= 1.25 * eager
    assert measured("fused_edge_blocks")[0] <= fused


def test_tables_are_resident_once_for_all_layers(compiler: None) -> None:
    """The graph is sorted: `edge_blocks` copies its sources, 4 bytes an edge; kernels also read the order, 4 more."""
    assert measured("edge_blocks")[1] == 4 * EDGES + 8 * POINTERS
    assert measured("fused_edge_blocks")[1] == 8 * EDGES + 4 * POINTERS


def test_gradients_agree_with_none_to_1e_5(compiler: None) -> None:
    for policy in ("edge_blocks", "fused_edge_blocks"):
        same = compared(measured(policy)[2], measured("none")[2], 1e-5)
        assert same.same_loss and same.same_gradients
