"""Fake tensors read the peak that the allocator counts, without allocating, and so does torch's own MemTracker."""

import pytest
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.distributed._tools.mem_tracker import MemTracker

from gnn_checkpointing.measurement.fake_tensors import LiveBytes, fake_tensor_bytes
from gnn_checkpointing.measurement.peak_memory import step_bytes
from gnn_checkpointing.measurement.workload import cell_task, contestant
from measurement.cells import CPU, cell_of, small_study

pytestmark = pytest.mark.slow

RANDOM_STATE = 5056  # bytes of the CPU generator's state, held while a layer runs that may draw


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
    contest = contestant(cell, cell_task(graph, cell, CPU), policy)
    contest.step()
    contest.drop_gradients()
    exact = step_bytes(contest.forward, CPU).peak
    fake, why_not = fake_tensor_bytes(cell, contest)
    assert why_not == ""
    assert fake is not None and 0 <= exact - fake <= unseen


def test_a_policy_of_compiled_code_has_no_reading_and_says_why() -> None:
    cell, graph = cell_of(small_study())
    contest = contestant(cell, cell_task(graph, cell, CPU), "none")
    fake, why_not = fake_tensor_bytes(cell, type(contest)("compiled", contest.model, contest.task))
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
