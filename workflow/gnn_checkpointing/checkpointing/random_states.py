"""States of the random generators that a forward pass may use.

`Recomputation.again` restores them for a whole layer, `_Cut.backward` for the blocks of one `propagate`.
"""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor
from torch.utils._python_dispatch import _disable_current_modes

Own = torch.Generator | np.random.Generator | np.random.RandomState | random.Random
"""A random generator created by the user."""


@dataclass(frozen=True, eq=False)
class RandomStates:
    """States of torch, of the GPU if `device` is one, of Python and NumPy, and of the user's `own` generators.

    Without a `device`, only states of `own` generators.
    """

    device: torch.device | None
    own: Sequence[Own]
    states: tuple[Any, ...]

    @classmethod
    def now(cls, device: torch.device | None, own: Sequence[Own] = ()) -> Self:
        """Record the current states."""
        if device is None:
            return cls(None, own, tuple(map(_state, own)))
        cuda = torch.cuda.get_rng_state(device) if device.type == "cuda" else None
        common = (torch.get_rng_state(), cuda, random.getstate(), np.random.get_state())
        return cls(device, own, (*common, *map(_state, own)))

    def restore(self) -> None:
        """Set the generators to these states."""
        if self.device is not None:
            cpu, cuda, of_python, of_numpy = self.states[:4]
            torch.set_rng_state(cpu)
            if cuda is not None:
                torch.cuda.set_rng_state(cuda, self.device)
            random.setstate(of_python)
            np.random.set_state(of_numpy)
        for generator, state in zip(self.own, self.states[len(self.states) - len(self.own) :], strict=True):
            _set(generator, state)

    def __eq__(self, other: object) -> bool:
        """Whether nothing was drawn between the two."""
        if not isinstance(other, RandomStates):
            return NotImplemented
        # States are real tensors even inside a mode that makes all other tensors fake.
        with _disable_current_modes():
            return all(map(_same, self.states, other.states))


def _state(generator: Own) -> Any:
    match generator:
        case np.random.Generator():
            return generator.bit_generator.state
        case random.Random():
            return generator.getstate()
        case _:
            return generator.get_state()


def _set(generator: Own, state: Any) -> None:
    match generator:
        case np.random.Generator():
            generator.bit_generator.state = state
        case random.Random():
            generator.setstate(state)
        case _:
            generator.set_state(state)


def _same(one: Any, other: Any) -> bool:
    match one:
        case Tensor():
            return torch.equal(one, other)
        case np.ndarray():
            return np.array_equal(one, other)
        case dict():
            return all(_same(value, other[name]) for name, value in one.items())
        case tuple() if any(isinstance(part, np.ndarray) for part in one):
            return all(map(_same, one, other))
        case _:
            return bool(one == other)


@contextmanager
def random_restored(states: RandomStates | None) -> Iterator[None]:
    """Use earlier random states inside the context, and restore the current ones after it."""
    if states is None:
        yield
        return
    present = RandomStates.now(states.device, states.own)
    try:
        states.restore()
        yield
    finally:
        present.restore()
