"""A kernel of Triton runs on the GPU that its tensors are on, and not on the present one."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch

from gnn_checkpointing.checkpointing.kernels.operators import beside_its_tensors


def test_the_gpu_of_the_tensors_is_the_present_one_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    present: list[torch.device] = []
    seen = []

    @contextmanager
    def device(where: torch.device) -> Iterator[None]:
        present.append(where)
        yield
        present.pop()

    monkeypatch.setattr(torch.cuda, "device", device)
    source = torch.empty(3)
    beside_its_tensors(lambda *given: seen.append((given, list(present))))("made", source, "rest")
    assert seen == [(("made", source, "rest"), [source.device])]
    assert present == []
