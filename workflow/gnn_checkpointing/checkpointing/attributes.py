"""The plain attributes of a module, and all that they hold, before and after a forward pass.

A forward pass may count, note or keep something in a list, an array or an object of a user's own class. Who runs it
again gives it all that as it was, and afterwards leaves no trace of the second run.
"""

import hashlib
from ast import literal_eval
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from gnn_checkpointing.checkpointing.contents import FUNCTIONS, Contents, class_attributes, holds, members
from gnn_checkpointing.checkpointing.given import is_tensor, version_of, versions_of
from gnn_checkpointing.checkpointing.hooks import MESSAGE_HOOKS
from gnn_checkpointing.refusal import Refusal

_OF_PYG = ("_user_args", "_fused_user_args", "_edge_user_args", *MESSAGE_HOOKS)
_INTERNAL = frozenset((*vars(nn.Module()), *_OF_PYG)) - {"training"}
"""What torch and PyG keep for themselves: parts, hooks, and the names of the arguments of a layer's methods."""
_MISSING = object()
_SMALL_BYTES = 2**20
TINY_BYTES = 2**12
"""Of a tensor that is kept for the backward pass in case that somebody else writes into it until then."""


class Attributes:
    """The plain attributes of a module's parts, with what they hold, and what the objects that it is `given` hold.

    Tensors among them may be written into as buffers are: small ones are copied first.
    """

    def __init__(self, module: nn.Module, given: Iterable[Any] = ()) -> None:
        self._parts, self._name = list(module.modules()), type(module).__name__
        self._before = [(part, _plain(part)) for part in self._parts]
        shared = (own for kind in {type(part) for part in self._parts} for own in class_attributes(kind))
        self.values = [*self._members(self._before, (*shared, *filter(holds, given)))]
        self._contents = Contents(self.values)
        tensors = {id(value): value for value in self.values if is_tensor(value) and not is_lazy(value)}
        self._tensors = [
            (tensor, version_of(tensor), tensor.clone() if _is_small(tensor) else None) for tensor in tensors.values()
        ]
        self._changed, self._done = set[int](), False
        arrays = _arrays(self.values)
        self._arrays = _copied(array for array in arrays if array.nbytes <= _SMALL_BYTES)
        self._large = [(array, _digest(array)) for array in arrays if array.nbytes > _SMALL_BYTES]
        self._counters = {id(value): repr(value) for value in self.values if type(value) is count}

    def _members(self, plain: Any, more: Iterable[Any] = ()) -> Iterator[Any]:
        return members((*(value for _, own in plain for value in own.values()), *more), known=self._parts)

    def forward_done(self) -> None:
        """Note what has changed. Raises `Refusal` where a large tensor or array was written: the old one is gone."""
        for array in self._written():
            raise Refusal(
                f"{self._name} writes into an array {list(array.shape)}, and would again when it is recomputed; make "
                "it a tensor, and a buffer by register_buffer"
            )
        for place, (tensor, version, copied) in enumerate(self._tensors):
            now = version_of(tensor)
            if version != now or _differs(tensor, copied):
                self._changed.add(id(tensor))
                if version != now and (copied is None or not self._is_reached(tensor)):
                    raise Refusal(
                        f"{self._name} writes into a tensor {list(tensor.shape)} that is a plain attribute, and would "
                        "again when it is recomputed; make it a buffer by register_buffer"
                    )
            elif copied is not None and copied.nbytes > TINY_BYTES:
                copied = None
            self._tensors[place] = (tensor, now, copied)
        self._before = [(part, before | _new(part, before)) for part, before in self._before]
        self.values, self._done = [], True

    def _written(self) -> Iterator[Any]:
        return (array for array, digest in self._large if _digest(array) != digest)

    def _is_reached(self, tensor: Tensor) -> bool:
        """Whether a tensor can be replaced: it is an attribute, or in a container that is not a tuple."""
        attributes = (value for _, plain in self._before for value in plain.values())
        return any(value is tensor for value in (*attributes, *self._contents.values()))

    @contextmanager
    def restored(self, fresh: dict[int, Any]) -> Iterator[None]:
        """Use the forward pass's attributes inside the context, and restore the present ones after it.

        `fresh` has tensors that stand in for others, by the identity of these.
        """
        fresh = {**fresh}
        for array in self._written():
            raise RuntimeError(
                f"an array {list(array.shape)} that {self._name} reads was changed between its forward and its "
                "backward pass, and its old value is gone"
            )
        for tensor, version, copied in self._tensors:
            late = version_of(tensor) != version and id(tensor) not in fresh
            if late and (copied is None or not self._is_reached(tensor)):
                raise RuntimeError(
                    f"a tensor {list(tensor.shape)} that {self._name} reads was changed in place between its forward "
                    "and its backward pass, and its old value is gone"
                )
            if copied is not None and (late or not self._done or id(tensor) in self._changed):
                fresh[id(tensor)] = copied.clone()
        fresh |= {number: count(*literal_eval(f"({at[6:-1]},)")) for number, at in self._counters.items()}
        present = [(part, _plain(part)) for part in self._parts]
        contents = Contents([*self._contents.containers(), *self._members(present)])
        arrays = _copied(array for array, _ in self._arrays)
        self._contents.give_back(fresh)
        for array, before in self._arrays:
            np.copyto(array, before)
        for part, attributes in self._before:
            _set(part, {name: fresh.get(id(value), value) for name, value in attributes.items()})
        try:
            yield
        finally:
            for part, now in present:
                _set(part, now | _new(part, now))
            for array, copied in arrays:
                np.copyto(array, copied)
            contents.give_back()


def _differs(tensor: Tensor, copied: Tensor | None) -> bool:
    """By value, as kernels write past the version counters of buffers; only where values can be read."""
    readable = type(tensor) is Tensor and tensor.layout == torch.strided and not tensor.is_meta
    return copied is not None and readable and not torch.equal(tensor, copied)


def _arrays(values: Iterable[Any]) -> list[Any]:
    return [value for value in values if issubclass(type(value), np.ndarray) and value.flags.writeable]


def _copied(arrays: Iterable[Any]) -> list[tuple[Any, Any]]:
    return [(array, array.copy()) for array in arrays]


def _digest(array: Any) -> bytes:
    dense = np.ascontiguousarray(array)
    return hashlib.blake2b(dense.tobytes() if dense.dtype.hasobject else dense.reshape(-1).view(np.uint8).data).digest()


def watched(value: Any, parts: Iterable[nn.Module]) -> Callable[[], bool]:
    """Whether from now on anything is written into what `value` holds, without these parts of the layer."""
    found = list(members([value], known=parts))
    contents, versions = Contents(found), versions_of(found)
    arrays = [(array, _digest(array)) for array in _arrays(found)]

    def is_changed() -> bool:
        written = any(_digest(array) != before for array, before in arrays)
        return written or contents.changed() or versions_of(found) != versions

    return is_changed


def plain_attributes(module: nn.Module) -> Iterator[tuple[str, Any]]:
    """The plain attributes of a module's parts by their names in the module, functions apart."""
    for path, part in module.named_modules():
        values = (entry for entry in _plain(part).items() if type(entry[1]) not in FUNCTIONS)
        yield from ((f"{path}.{name}" if path else name, value) for name, value in values)


def _is_small(tensor: Tensor) -> bool:
    dense = tensor.layout == torch.strided and not tensor.is_inference()
    return dense and not tensor.requires_grad and tensor.nbytes <= _SMALL_BYTES


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
