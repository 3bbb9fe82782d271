"""A function run again exactly as it ran the first time: same weights, buffers, random numbers, precision."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensor
from torch.func import functional_call
from torch.nn.parameter import is_lazy

from gnn_checkpointing.checkpointing.given import Contents, holds, is_tensor, members
from gnn_checkpointing.checkpointing.hooks import MESSAGE_HOOKS, Hooks
from gnn_checkpointing.checkpointing.random_states import Own, RandomStates, random_restored
from gnn_checkpointing.refusal import Refusal


class Recomputation:
    """The state in which `module` starts its forward pass; `again` runs a function in it and leaves no trace.

    Covers what a forward pass may read or change beside its arguments: parameters (also those that
    `torch.func.functional_call` puts in place for one call), buffers, plain attributes of the module and its parts,
    random states, those of generators that it is `given` or has among its attributes too, and autocast.
    """

    def __init__(self, module: nn.Module, given: Sequence[Any] = (), device: torch.device | None = None) -> None:
        self._module, self.name = module, type(module).__name__
        self.hooks = Hooks(module)
        self._parameters = _named(module, "_parameters")
        self.weights = tuple(
            {id(tensor): tensor for tensor in self._parameters.values() if not is_lazy(tensor)}.values()
        )
        """The module's parameters, each once."""
        self._forms = {name: _form(tensor) for name, tensor in self._parameters.items()}
        self._versions: dict[str, int] = {}
        self._buffers = _named(module, "_buffers")
        self._before = {name: tensor.detach().clone() for name, tensor in self._buffers.items()}
        self._attributes = _Attributes(module)
        if device is None:
            tensors = (part for part in (*given, *self._parameters.values()) if isinstance(part, Tensor))
            device = next((tensor.device for tensor in tensors), torch.device("cpu"))
        self.generators = [part for part in (*given, *self._attributes.values) if isinstance(part, Own)]
        self._random: RandomStates | None = RandomStates.now(device, self.generators)
        self._autocast = (device.type, torch.get_autocast_dtype(device.type), torch.is_autocast_enabled(device.type))

    def forward_done(self) -> None:
        """Note the weights that were used, and drop what did not change: it need not be brought back."""
        self._versions = {name: tensor._version for name, tensor in self._parameters.items()}
        now = _named(self._module, "_buffers") if self._before else {}
        for name, before in list(self._before.items()):
            # By value, which fake tensors lack: BatchNorm's kernels write past the version counters of buffers.
            known = now.get(name) is self._buffers[name] and not isinstance(now[name], FakeTensor)
            if known and torch.equal(before, now[name]):
                del self._before[name]
        self._attributes.forward_done()
        if self._random is not None and self._random == RandomStates.now(self._random.device, self.generators):
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
        now = _named(self._module, "_parameters")
        changed |= {name: tensor for name, tensor in self._parameters.items() if now.get(name) is not tensor}
        device, dtype, enabled = self._autocast
        with (
            torch.autocast(device, dtype=dtype, enabled=enabled),
            self._learning_restored(),
            self._attributes.restored(),
            self.hooks.repeated(),
            random_restored(self._random),
        ):
            return with_tensors(self._module, changed, partial(function, *args, **kwargs))

    @contextmanager
    def _learning_restored(self) -> Iterator[None]:
        """Restore `requires_grad` of weights that were frozen or unfrozen since the forward pass."""
        changed = [t for name, t in self._parameters.items() if t.is_leaf and t.requires_grad != self._forms[name][2]]
        for tensor in changed:
            tensor.requires_grad_(not tensor.requires_grad)
        try:
            yield
        finally:
            for tensor in changed:
                tensor.requires_grad_(not tensor.requires_grad)


def _named(module: nn.Module, kind: str) -> dict[str, Tensor]:
    """The module's parameters or buffers by name; one that has two names has both."""
    found: dict[str, Tensor] = {}
    for part, one in module.named_modules(remove_duplicate=False):
        named = getattr(one, kind).items()
        found |= {f"{part}.{name}" if part else name: tensor for name, tensor in named if tensor is not None}
    return found


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


_OF_PYG = ("_user_args", "_fused_user_args", "_edge_user_args", *MESSAGE_HOOKS)
_INTERNAL = frozenset((*vars(nn.Module()), *_OF_PYG)) - {"training"}
"""What torch and PyG keep for themselves: parts, hooks, and the names of the arguments of a layer's methods."""
_MISSING = object()
_SMALL_BYTES = 2**20


class _Attributes:
    """The plain attributes of a module's parts, with what their containers hold, before and after a forward pass.

    Tensors among them may be written into as buffers are: small ones are copied first.
    """

    def __init__(self, module: nn.Module) -> None:
        self._module = module
        self._before = [(part, _plain(part)) for part in module.modules()]
        self.values = list(members([plain for _, plain in self._before]))
        self._contents = Contents(self.values)
        tensors = [value for value in self.values if is_tensor(value) and not value.is_inference()]
        self._tensors = [(tensor, tensor._version) for tensor in tensors]
        self._written = {id(tensor): tensor.clone() for tensor in tensors if _is_small(tensor)}

    def forward_done(self) -> None:
        """Drop what did not change. Raises `Refusal` where a large tensor was written into: its old value is gone."""
        self._tensors = [(tensor, version) for tensor, version in self._tensors if tensor._version != version]
        written = [tensor for tensor, _ in self._tensors]
        self._contents = self._contents.changed(written)
        reached = {id(value) for _, plain in self._before for value in plain.values()}
        reached |= {id(value) for value in self._contents.values()} if written else set()
        for tensor in written:
            if id(tensor) not in self._written or id(tensor) not in reached:
                raise Refusal(
                    f"{type(self._module).__name__} writes into a tensor {list(tensor.shape)} that is a plain "
                    "attribute, and would again when it is recomputed; make it a buffer by register_buffer"
                )
        self._written = {id(tensor): self._written[id(tensor)] for tensor in written}
        self._before = [(part, before | _new(part, before)) for part, before in self._before]
        self.values = []

    @contextmanager
    def restored(self) -> Iterator[None]:
        """Use the forward pass's attributes inside the context, and restore the present ones after it."""
        present = [(part, _plain(part)) for part in self._module.modules()]
        values = (value for _, plain in (*present, *self._before) for value in plain.values())
        contents = Contents(list(members([value for value in values if holds(value)])))
        fresh = {number: before.clone() for number, before in self._written.items()}
        self._contents.give_back(lambda value: fresh.get(id(value), value))
        for part, attributes in self._before:
            _set(part, {name: fresh.get(id(value), value) for name, value in attributes.items()})
        try:
            yield
        finally:
            for part, before in present:
                _set(part, before | _new(part, before))
            contents.give_back()


def _is_small(tensor: Tensor) -> bool:
    return not tensor.requires_grad and tensor.nbytes <= _SMALL_BYTES


def _plain(part: nn.Module) -> dict[str, Any]:
    return {name: value for name, value in vars(part).items() if name not in _INTERNAL}


def _new(part: nn.Module, before: dict[str, Any]) -> dict[str, Any]:
    """Markers that remove attributes added since."""
    return {name: _MISSING for name in vars(part) if name not in before and name not in _INTERNAL}


def _set(part: nn.Module, attributes: dict[str, Any]) -> None:
    for name, value in attributes.items():
        if value is _MISSING:
            vars(part).pop(name, None)
        else:
            vars(part)[name] = value
