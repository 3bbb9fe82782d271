"""The random states that a forward pass may draw from: torch's, Python's and NumPy's."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils._python_dispatch import _disable_current_modes


@dataclass(frozen=True, eq=False)
class RandomStates:
    """The random states that a forward pass may draw from."""

    device: torch.device
    cpu: Tensor
    cuda: Tensor | None
    python: Any
    numpy: Any

    @classmethod
    def now(cls, device: torch.device) -> RandomStates:
        """The present states; that of the GPU only where `device` is one."""
        cuda = torch.cuda.get_rng_state(device) if device.type == "cuda" else None
        return cls(device, torch.get_rng_state(), cuda, random.getstate(), np.random.get_state())

    def restore(self) -> None:
        """Make these the present states."""
        torch.set_rng_state(self.cpu)
        if self.cuda is not None:
            torch.cuda.set_rng_state(self.cuda, self.device)
        random.setstate(self.python)
        np.random.set_state(self.numpy)

    def __eq__(self, other: object) -> bool:
        """Whether nothing was drawn between the two."""
        if not isinstance(other, RandomStates):
            return NotImplemented
        same_numpy = self.numpy[2] == other.numpy[2] and np.array_equal(self.numpy[1], other.numpy[1])
        # States are real tensors also where a mode makes all others fake ones.
        with _disable_current_modes():
            on_device = self.cuda is None or (other.cuda is not None and torch.equal(self.cuda, other.cuda))
            return on_device and torch.equal(self.cpu, other.cpu) and self.python == other.python and same_numpy

    __hash__ = None  # type: ignore[assignment] # states are compared, never looked up


@contextmanager
def random_restored(states: RandomStates | None) -> Iterator[None]:
    """Draw from earlier random states inside the context, without moving the present ones."""
    if states is None:
        yield
        return
    present = RandomStates.now(states.device)
    try:
        states.restore()
        yield
    finally:
        present.restore()
