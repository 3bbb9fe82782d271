"""`memory_budget(b)`: the share is respected by what is kept, and what is computed is what `none` computes."""

import pytest
from small_models import CHANNELS, NODES, adjacency, built, bytes_of, stepped
from torch._dynamo.utils import counters

from gnn_checkpointing.measurement.sameness import compared

pytestmark = pytest.mark.usefixtures("compiler")


def test_each_budget_is_compiled_for_itself_and_keeps_its_share() -> None:
    """Two models of one class in one process share no compiled code: a budget's bytes are its own.

    At 0 the model keeps its inputs alone, which are resident: what is left are the scores, N x 3, that the loss's
    `square` keeps, and the loss, 4 bytes. At 1 it keeps what `compiled` keeps.
    """
    graph = adjacency("SAGE-max")
    options = {"num_layers": 2}
    reference = stepped(built("SAGE-max", "none", **options), graph)
    before = counters["stats"]["unique_graphs"]
    saved = {}
    for policy in ("memory_budget(1)", "memory_budget(0.5)", "memory_budget(0)"):
        model = built("SAGE-max", policy, **options)
        same = compared(stepped(model, graph), reference, 1e-5)
        assert same.same_loss and same.same_gradients
        saved[policy] = bytes_of(model, graph).saved
    assert counters["stats"]["unique_graphs"] == before + 3
    assert saved["memory_budget(0)"] == NODES * 3 * 4 + 4
    assert saved["memory_budget(0.5)"] <= 0.5 * saved["memory_budget(1)"] + NODES * CHANNELS * 4
    assert saved["memory_budget(1)"] > 4 * saved["memory_budget(0)"]
