"""`offloaded`: unavailable without CUDA; there, what is saved leaves the device and the gradients stay the same."""

import pytest
import torch
from small_models import FEATURES, adjacency, built
from torch import nn

from gnn_checkpointing.checkpointing import apply
from gnn_checkpointing.measurement.peak_memory import step_bytes
from gnn_checkpointing.measurement.sameness import compared, step_result
from gnn_checkpointing.refusal import Unavailable


def test_a_model_on_the_cpu_has_nowhere_to_offload_to() -> None:
    with pytest.raises(Unavailable, match="needs a CUDA device: on CPU there is nowhere to offload to"):
        built("SAGE", "offloaded")


@pytest.mark.parametrize("options", [{}, {"norm": "batch", "dropout": 0.3}], ids=str)
def test_on_cuda_saved_bytes_leave_the_device(cuda: torch.device, options: dict[str, object]) -> None:
    """The same operators run once each, and less than a tenth of the saved bytes stays."""
    features = FEATURES.repeat(100, 1).to(cuda)
    edges = adjacency("GATv2").edge_index
    edge_index = torch.cat([edges + 60 * copy for copy in range(100)], dim=1).to(cuda)
    results, saved = [], []
    for policy in ("none", "offloaded"):
        model = apply(built("GATv2", "none", **options).to(cuda), policy)

        def loss(model: nn.Module = model) -> torch.Tensor:
            return model(features, edge_index).square().mean()

        torch.manual_seed(11)
        value = loss()
        value.backward()
        results.append(step_result(model, value))
        del value
        model.zero_grad(set_to_none=True)
        saved.append(step_bytes(loss, cuda).saved)
    same = compared(results[1], results[0], 1e-5)
    assert same.same_loss and same.same_gradients and same.same_buffers
    assert saved[1] * 10 < saved[0]
