"""The reference workload's memory bars: nine layers of GATv2, 64 channels as 4 heads x 16, 2,000 nodes, degree 128."""

from functools import cache
from pathlib import Path

import torch

from gnn_checkpointing.design import graph_cells, study_graphs
from gnn_checkpointing.graphs.make import make_graph
from gnn_checkpointing.measurement.peak_memory import step_bytes
from gnn_checkpointing.measurement.sameness import compared, step_result
from gnn_checkpointing.measurement.workload import cell_task, contestant
from gnn_checkpointing.study import read_study

ROOT = Path(__file__).resolve().parents[2]
CPU = torch.device("cpu")


@cache
def measured(policy: str):
    """Return activation bytes, resident bytes added by the policy, and what the step computed."""
    study = read_study(ROOT / "workflow/studies/reference.yaml")
    (spec,) = study_graphs(study)
    (cell,) = graph_cells(study, spec.id)
    contest = contestant(cell, cell_task(make_graph(spec), cell, CPU), policy)
    loss = contest.forward()
    loss.backward()
    result = step_result(contest.model, loss)
    contest.drop_gradients()
    del loss
    peak = step_bytes(contest.forward, CPU).peak
    contest.drop_gradients()
    return peak, contest.resident()[1], result


def test_edge_blocks_peaks_at_a_forty_fifth_of_none() -> None:
    assert measured("edge_blocks")[0] * 45 <= measured("none")[0]


def test_edge_blocks_adds_at_most_16_bytes_an_edge_to_what_is_resident() -> None:
    assert measured("edge_blocks")[1] <= 16 * 256_000


def test_gradients_agree_with_none_to_1e_5() -> None:
    same = compared(measured("edge_blocks")[2], measured("none")[2], 1e-5)
    assert same.same_loss and same.same_gradients
