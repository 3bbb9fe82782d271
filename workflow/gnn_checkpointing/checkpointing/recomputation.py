"""A function run again exactly as it ran the first time: same weights, buffers, random numbers, precision."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensor
from torch.func import functional_call
from torch.utils._python_dispatch import _disable_current_modes

from gnn_checkpointing.checkpointing.hooks import Hooks


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


class Recomputation:
    """The state in which `module` starts its forward pass; `again` runs a function in it and leaves no trace.

    Covers what a forward pass may read or change beside its arguments: parameters (also those that
    `torch.func.functional_call` puts in place for one call), buffers, plain attributes of the module and its parts, the
    random states of torch, Python and NumPy, and autocast.
    """

    def __init__(self, module: nn.Module, device: torch.device) -> None:
        self._module, self.name = module, type(module).__name__
        self.hooks = Hooks(module)
        self._parameters = dict(module.named_parameters(remove_duplicate=False))
        self._forms = {name: _form(tensor) for name, tensor in self._parameters.items()}
        self._versions: dict[str, int] = {}
        self._buffers = dict(module.named_buffers(remove_duplicate=False))
        self._before = {name: tensor.detach().clone() for name, tensor in self._buffers.items()}
        self._attributes = [(part, _attributes(part)) for part in module.modules()]
        self._earlier: list[tuple[nn.Module, dict[str, Any]]] = []
        self._random: RandomStates | None = RandomStates.now(device)
        self._autocast = (device.type, torch.get_autocast_dtype(device.type), torch.is_autocast_enabled(device.type))

    def forward_done(self) -> None:
        """Note the weights that were used, and drop what did not change: it need not be brought back."""
        self._versions = {name: tensor._version for name, tensor in self._parameters.items()}
        now = dict(self._module.named_buffers(remove_duplicate=False))
        for name, before in list(self._before.items()):
            # By value, which fake tensors lack: BatchNorm's kernels write past the version counters of buffers.
            known = now.get(name) is self._buffers[name] and not isinstance(now[name], FakeTensor)
            if known and torch.equal(before, now[name]):
                del self._before[name]
        self._earlier = [
            # Attributes that stayed as they were may be set between the passes, as `training` is.
            (part, {name: value for name, (value, _) in before.items()} | _changed(part, before))
            for part, before in self._attributes
        ]
        self._attributes = []
        if self._random is not None and self._random == RandomStates.now(self._random.device):
            self._random = None

    def again(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """What `function(*args, **kwargs)` returns in the state of the forward pass.

        Raises `RuntimeError` where a weight was changed in place since: its old value is gone.
        """
        for name, tensor in self._parameters.items():
            written = tensor._version != self._versions.get(name, tensor._version)
            if written or _form(tensor)[:2] != self._forms[name][:2]:
                raise RuntimeError(
                    f"the weight {name!r} of {self.name} was changed in place between its forward "
                    "and its backward pass, and its old value is gone; step the optimiser after backward()"
                )
        changed: dict[str, Tensor] = {name: tensor.clone() for name, tensor in self._before.items()}
        now = dict(self._module.named_parameters(remove_duplicate=False))
        changed |= {name: tensor for name, tensor in self._parameters.items() if now.get(name) is not tensor}
        device, dtype, enabled = self._autocast
        with (
            torch.autocast(device, dtype=dtype, enabled=enabled),
            self._learning_restored(),
            _attributes_restored(self._module, self._earlier),
            self.hooks.repeated(),
            random_restored(self._random),
        ):
            return with_tensors(self._module, changed, partial(function, *args, **kwargs))

    @contextmanager
    def _learning_restored(self) -> Iterator[None]:
        """Give the weights that were frozen or freed since the forward pass a gradient, or none, as they had in it."""
        changed = [t for name, t in self._parameters.items() if t.is_leaf and t.requires_grad != self._forms[name][2]]
        for tensor in changed:
            tensor.requires_grad_(not tensor.requires_grad)
        try:
            yield
        finally:
            for tensor in changed:
                tensor.requires_grad_(not tensor.requires_grad)


def _form(tensor: Tensor) -> tuple[torch.dtype, torch.device, bool]:
    return tensor.dtype, tensor.device, tensor.requires_grad


def with_tensors(module: nn.Module, tensors: dict[str, Tensor], function: Callable[[], Any]) -> Any:
    """What `function` returns while these tensors are the parameters and buffers of `module`, by name."""
    if not tensors:
        return function()
    return functional_call(_Shell(module, function), {f"module.{name}": tensor for name, tensor in tensors.items()}, ())


class _Shell(nn.Module):
    """A module around another one, so that `functional_call` can run any function with other tensors in it."""

    def __init__(self, module: nn.Module, function: Callable[[], Any]) -> None:
        super().__init__()
        self.module, self.forward = module, function


_INTERNAL = frozenset(vars(nn.Module())) - {"training"}
_MISSING = object()

Attributes = dict[str, tuple[Any, Any]]
"""A module's plain attributes by name: the value, and a copy of it where it is a list, a dictionary or a set."""


def _attributes(part: nn.Module) -> Attributes:
    return {
        name: (value, value.copy() if isinstance(value, list | dict | set) else value)
        for name, value in vars(part).items()
        if name not in _INTERNAL
    }


def _changed(part: nn.Module, before: Attributes) -> dict[str, Any]:
    """The earlier values of the attributes that have changed since; `_MISSING` for one that was not there."""
    now = vars(part)
    found = {name: copy for name, (value, copy) in before.items() if now.get(name) is not value or _grown(value, copy)}
    return found | {name: _MISSING for name in now if name not in before and name not in _INTERNAL}


def _grown(value: Any, copy: Any) -> bool:
    """Whether a list, a dictionary or a set has other members than its copy."""
    if value is copy:
        return False
    members = [(v.values() if isinstance(v, dict) else v) for v in (value, copy)]
    return len(value) != len(copy) or any(one is not other for one, other in zip(*members, strict=True))


@contextmanager
def _attributes_restored(module: nn.Module, earlier: list[tuple[nn.Module, dict[str, Any]]]) -> Iterator[None]:
    """Give modules their earlier attributes inside the context, and all of `module` its present ones back after it."""
    present = [(part, _attributes(part)) for part in module.modules()]
    try:
        for part, attributes in earlier:
            _set(part, attributes)
        yield
    finally:
        for part, before in present:
            _set(part, {name: before[name][0] if name in before else _MISSING for name in _changed(part, before)})
            for value, copy in before.values():
                if _grown(value, copy):
                    value.clear()
                    (value.extend if isinstance(value, list) else value.update)(copy)


def _set(part: nn.Module, attributes: dict[str, Any]) -> None:
    for name, value in attributes.items():
        if value is _MISSING:
            vars(part).pop(name, None)
        else:
            vars(part)[name] = value
