"""Rerun a function exactly as it ran the first time, and tell from saved tensors whether it computed the same."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Self
from weakref import WeakSet

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensor
from torch.nn.parameter import is_lazy
from torch.utils._python_dispatch import _disable_current_modes

from gnn_checkpointing.checkpointing.attached import with_tensors
from gnn_checkpointing.checkpointing.attributes import TINY_BYTES, Attributes
from gnn_checkpointing.checkpointing.given import version_of
from gnn_checkpointing.checkpointing.hooks import Hooks, alone
from gnn_checkpointing.checkpointing.random_states import RandomStates, random_restored
from gnn_checkpointing.checkpointing.views import names_used

_CONFIRMED: WeakSet[nn.Module] = WeakSet()
"""Modules of which a second run has once computed the same as the first."""


@dataclass(frozen=True)
class Form:
    """A tensor without its values, but with marks of them, the sum and the norm, if two runs are to be compared."""

    shape: torch.Size
    dtype: torch.dtype
    device: torch.device
    marks: tuple[float, float] | None = None

    @classmethod
    def of(cls, tensor: Tensor, *, marked: bool = False) -> Self:
        """The form of a tensor.

        On a GPU it has no marks: atomic additions differ between runs, and some kernels save memory that they pad.
        """
        marks = None
        if marked and type(tensor) is Tensor and tensor.is_floating_point() and tensor.device.type == "cpu":
            wide = torch.promote_types(tensor.dtype, torch.float32)
            with torch.no_grad(), _disable_current_modes():
                values = tensor.detach()
                marks = float(values.sum(dtype=wide)), float(torch.linalg.vector_norm(values, dtype=wide))
        return cls(tensor.shape, tensor.dtype, tensor.device, marks)

    def fits(self, other: Self) -> bool:
        """Whether two forms are equal and, if both have marks, these too, up to rounding."""
        if (self.shape, self.dtype, self.device) != (other.shape, other.dtype, other.device):
            return False
        if self.marks is None or other.marks is None:
            return True
        (total, norm), (other_total, other_norm) = self.marks, other.marks
        near = _ROUNDING * norm
        # Written so that NaN is like NaN.
        return not (abs(norm - other_norm) > near or abs(total - other_total) > near * self.shape.numel() ** 0.5)

    def stand_in(self) -> Tensor:
        """A tensor of this form that takes the memory of one number."""
        return torch.zeros((), dtype=self.dtype, device=self.device).expand(self.shape)


_ROUNDING = 1e-5
"""Relative difference of marks that rounding may leave: some kernels add in an order that depends on addresses."""


def other_than_before(layer: str) -> RuntimeError:
    """Error for a layer whose second run differs from its first."""
    return RuntimeError(
        f"{layer} computes something else when its forward pass runs again for its gradients: it reads "
        "what is neither an argument nor an attribute of it; remove the layer's policy"
    )


def changed_in_place(layer: str) -> RuntimeError:
    """Error for a layer whose features were changed in place before its backward pass, which PyG might not need."""
    return RuntimeError(
        f"an argument of {layer} was changed in place before its backward pass, which reads it again: write x = x + "
        "conv(x) instead of x += conv(x), or remove the policy"
    )


class Recomputation:
    """State in which `module` starts its forward pass; `again` runs a function in this state and leaves no trace.

    Covers everything a forward pass may read or change besides its arguments: parameters (also those that
    `torch.func.functional_call` substitutes for one call), buffers, plain attributes of the module and its submodules,
    objects among the arguments `given`, random states (also of generators found in these places), and autocast.
    """

    def __init__(self, module: nn.Module, given: Sequence[Any] = (), device: torch.device | None = None) -> None:
        self._module, self.name = module, type(module).__name__
        # A segment is a new list in each step, of the same blocks.
        self._confirmed = module[0] if isinstance(module, nn.ModuleList) else module
        # In evaluation mode, RReLU saves memory that it has neither written nor reads.
        self.unconfirmed = self._confirmed not in _CONFIRMED and all(
            part.training for part in module.modules() if {"rrelu", "rrelu_"} & names_used(type(part))
        )
        """Whether the values of a second run are yet to be compared with those of the first."""
        self._parameters, self._buffers = _named(module, "_parameters"), _named(module, "_buffers")
        self.weights = tuple(
            {id(tensor): tensor for tensor in self._parameters.values() if not is_lazy(tensor)}.values()
        )
        """The module's parameters, each once."""
        self._forms = {name: _form(tensor) for name, tensor in self._parameters.items()}
        self._began = {id(tensor): version_of(tensor) for tensor in self.weights}
        self._versions: dict[str, int] = {}
        # Optimisers that step a weight during the backward pass, as soon as it has its gradient, use such hooks.
        stepped = [tensor for tensor in self.weights if tensor._post_accumulate_grad_hooks]
        self._old = {id(tensor): tensor.detach().clone().requires_grad_(tensor.requires_grad) for tensor in stepped}
        # Assigning to a weight's `data` gives it a new storage; the old one is kept, as autograd keeps it.
        self._stored = {id(tensor): tensor.detach() for tensor in self.weights}
        real = [tensor for tensor in self._buffers.values() if not is_lazy(tensor)]
        self._before = {id(tensor): tensor.detach().clone() for tensor in real}
        self._changed: set[int] = set()
        self._attributes = Attributes.of(module, given)
        if device is None:
            tensors = (part for part in (*given, *self._parameters.values()) if isinstance(part, Tensor))
            device = next((tensor.device for tensor in tensors), torch.device("cpu"))
        self.hooks, self.generators = Hooks(module, device), self._attributes.generators
        self._random: RandomStates | None = RandomStates.now(device, self.generators)
        self._autocast = (device.type, torch.get_autocast_dtype(device.type), torch.is_autocast_enabled(device.type))

    def forward_done(self) -> None:
        """Note the tensors' versions and which buffers have changed; drop copies of large buffers that have not."""
        tensors = (self._parameters | self._buffers).items()
        self._versions = {name: version_of(tensor) for name, tensor in tensors if not is_lazy(tensor)}
        for name, tensor in self._parameters.items():
            began = self._began.get(id(tensor))
            if began not in (None, self._versions.get(name)):  # reruns write into a copy, and not once more
                self._old[id(tensor)] = tensor.detach().clone().requires_grad_(tensor.requires_grad)
                self._versions[name] = began
        now = _named(self._module, "_buffers") if self._before else {}
        for name, tensor in self._buffers.items():
            before = self._before.get(id(tensor))
            # Compares values, which fake tensors lack: BatchNorm's kernels bypass the version counters of buffers.
            known = now.get(name) is tensor and not isinstance(tensor, FakeTensor)
            if before is None or not known or not torch.equal(before, tensor):
                self._changed.add(id(tensor))
            elif before.nbytes > TINY_BYTES:
                del self._before[id(tensor)]
        self._attributes.forward_done()
        if self._random is not None and self._random == RandomStates.now(self._random.device, self.generators):
            self._random = None

    def again(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Run `function(*args, **kwargs)` in the state of the forward pass.

        Raises `RuntimeError` if a weight or a large tensor was changed in place since, because its old value is gone.
        """
        device, dtype, enabled = self._autocast
        with alone(self._module):
            changed = self._changed_weights() | self._changed_buffers()
            fresh = {id(self._parameters[name]): tensor for name, tensor in changed.items() if name in self._parameters}
            with (
                torch.autocast(device, dtype=dtype, enabled=enabled),
                self._learning_restored(),
                self._attributes.restored(fresh),
                self.hooks.repeated(),
                random_restored(self._random),
            ):
                return with_tensors(self._module, changed, partial(function, *args, **kwargs))

    def form_of(self, tensor: Tensor) -> Form:
        """Form of a tensor that the forward pass saves, without marks for a buffer, which may be changed after that."""
        buffers = (_place(buffer) for buffer in self._buffers.values())
        return Form.of(tensor, marked=self.unconfirmed and _place(tensor) not in (None, *buffers))

    def confirm(self) -> None:
        """Note that a second run has computed the same, so that later ones need not be compared."""
        _CONFIRMED.add(self._confirmed)

    def weight_in_use(self, weight: Tensor) -> Tensor:
        """The tensor that `again` uses for one of the `weights`: its value in the forward pass."""
        if id(weight) in self._old and self._is_written(weight):
            return self._old[id(weight)]
        stored = self._stored.get(id(weight))  # None if the weight was lazy then
        if stored is None or _place(weight) == _place(stored):
            return weight
        return stored.requires_grad_(weight.requires_grad)

    def _is_written(self, weight: Tensor) -> bool:
        return any(t is weight and self._versions.get(name) != t._version for name, t in self._parameters.items())

    def _changed_weights(self) -> dict[str, Tensor]:
        """Weights of the forward pass that have been replaced since, by name."""
        now, found = _named(self._module, "_parameters"), {}
        for name, tensor in self._parameters.items():
            used = self.weight_in_use(tensor)
            written = used is tensor and tensor._version != self._versions.get(name, tensor._version)
            if written or _form(tensor)[:2] != self._forms[name][:2]:
                raise RuntimeError(
                    f"the weight {name!r} of {self.name} was changed in place between its forward "
                    "and its backward pass, and its old value is gone; step the optimiser after backward()"
                )
            if now.get(name) is not used:
                found[name] = used
        return found

    def _changed_buffers(self) -> dict[str, Tensor]:
        """Buffers as the forward pass found them, if it changed them or they were replaced since, by name."""
        now, found = _named(self._module, "_buffers"), {}
        copies = {number: before.clone() for number, before in self._before.items()}
        for name, tensor in self._buffers.items():
            if is_lazy(tensor):
                continue
            before, same = copies.get(id(tensor)), now.get(name) is tensor
            written = version_of(tensor) != self._versions.get(name, version_of(tensor))
            if before is None and written:
                raise RuntimeError(
                    f"the buffer {name!r} of {self.name} was changed in place between its forward and its backward "
                    "pass, and its old value is gone"
                )
            if written or not same or id(tensor) in self._changed or not self._versions:
                found[name] = tensor.clone() if before is None else before  # None: lazy, or replaced since
        return found

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
    """The module's parameters or buffers by name; a tensor with two names appears under both."""
    found: dict[str, Tensor] = {}
    for part, one in module.named_modules(remove_duplicate=False):
        named = getattr(one, kind).items()
        found |= {f"{part}.{name}" if part else name: tensor for name, tensor in named if tensor is not None}
    return found


def _form(tensor: Tensor) -> tuple[torch.dtype, torch.device, bool]:
    return tensor.dtype, tensor.device, tensor.requires_grad


def _place(tensor: Tensor) -> tuple[int, int] | None:
    """Storage of a tensor and offset in it, also for fake tensors; None for sparse tensors."""
    strided = tensor.layout == torch.strided
    return (tensor.untyped_storage()._cdata, int(tensor.storage_offset())) if strided else None
