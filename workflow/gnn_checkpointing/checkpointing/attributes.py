"""Save and restore the plain attributes of a module, and everything they hold, around a forward pass.

A forward pass may count or store something in a list, an array or an object of a user's own class. To rerun it, all of
that is first set back to what it was, and afterwards no trace of the second run remains.
"""

import hashlib
from ast import literal_eval
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count, islice
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from gnn_checkpointing.checkpointing.contents import Contents, holds, members
from gnn_checkpointing.checkpointing.given import is_tensor, version_of, versions_of
from gnn_checkpointing.checkpointing.random_states import Own
from gnn_checkpointing.checkpointing.views import FUNCTIONS, class_attributes, globals_of, globals_reached
from gnn_checkpointing.refusal import Refusal

MESSAGE_HOOKS = tuple(
    f"_{method}_forward_{when}hooks"
    for method in ("propagate", "message", "aggregate", "message_and_aggregate", "edge_update")
    for when in ("pre_", "")
)
_OF_PYG = ("_user_args", "_fused_user_args", "_edge_user_args", *MESSAGE_HOOKS)
_INTERNAL = frozenset((*vars(nn.Module()), *_OF_PYG)) - {"training"}
"""Attributes internal to torch and PyG: submodules, hooks, and the argument names of a layer's methods."""
_MISSING = object()
_SMALL_BYTES = 2**20
TINY_BYTES = 2**12
"""Largest size of a tensor whose copy is kept for the backward pass, in case it is written into before then."""
_NEAREST = 1000
"""Number of objects considered among all that a hook or a global can reach, which may be a whole program."""


class Attributes:
    """The plain attributes of a module's submodules and other `values`, with everything they hold.

    Tensors among them may be written into like buffers, so small ones are copied first.
    """

    @classmethod
    def of(cls, module: nn.Module, given: Iterable[Any] = ()) -> Self:
        """Attributes of a module, of its classes, and of objects among the arguments `given`."""
        before = [(part, _plain(part)) for part in module.modules()]
        plain = (value for _, own in before for value in own.values())
        kinds = {type(part) for part, _ in before}
        shared = (own for kind in kinds for own in class_attributes(kind))
        named = (own for kind in kinds for own in globals_reached(kind))
        objects = (value for value in given if holds(type(value)) or issubclass(type(value), Own))
        known = [part for part, _ in before]
        found = (*members((*plain, *shared, *objects), known), *islice(members(named, known), _NEAREST))
        return cls(type(module).__name__, before, found)

    @classmethod
    def reached_by(cls, hook: Any, name: str, parts: Iterable[nn.Module]) -> Self:
        """What a hook can change besides `parts`, the modules around it."""
        found = islice(members((hook, *globals_of(hook)), parts), _NEAREST)
        values = (value for value in found if not isinstance(value, np.ndarray) or value.nbytes <= TINY_BYTES)
        return cls(name, (), values, TINY_BYTES)

    def __init__(
        self, name: str, before: Sequence[tuple[nn.Module, Any]], found: Iterable[Any], small: int = _SMALL_BYTES
    ) -> None:
        self._name, self._before, values = name, before, [*found]
        self._contents = Contents(values)
        self.generators = [value for value in values if issubclass(type(value), Own)]
        tensors = {id(value): value for value in values if is_tensor(value) and not is_lazy(value)}
        self._tensors = [
            (tensor, version_of(tensor), tensor.clone() if _is_small(tensor, small) else None)
            for tensor in tensors.values()
        ]
        self._changed, self._done = set[int](), False
        arrays = _arrays(values)
        self._arrays = _copied(array for array in arrays if array.nbytes <= small)
        self._large = [(array, _digest(array)) for array in arrays if array.nbytes > small]
        self._counters = {id(value): repr(value) for value in values if type(value) is count}

    def forward_done(self) -> None:
        """Note what has changed. Raises `Refusal` if a large tensor or array was written: its old value is gone."""
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
                        f"{self._name} writes into a tensor {list(tensor.shape)} that is no buffer, and would again "
                        "when it is recomputed; make it a buffer by register_buffer"
                    )
            elif copied is not None and copied.nbytes > TINY_BYTES:
                copied = None
            self._tensors[place] = (tensor, now, copied)
        self._before = [(part, before | _new(part, before)) for part, before in self._before]
        self._done = True

    def _written(self) -> Iterator[Any]:
        return (array for array, digest in self._large if _digest(array) != digest)

    def _is_reached(self, tensor: Tensor) -> bool:
        """Whether a tensor can be replaced: it is an attribute, or in a container that is not a tuple."""
        attributes = (value for _, plain in self._before for value in plain.values())
        return any(value is tensor for value in (*attributes, *self._contents.values()))

    @contextmanager
    def restored(self, fresh: dict[int, Any]) -> Iterator[None]:
        """Use the forward pass's attributes inside the context, and restore the current ones after it.

        `fresh` maps the identity of a tensor to another tensor that replaces it.
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
        parts = [part for part, _ in self._before]
        present = [(part, _plain(part)) for part in parts]
        values = members((value for _, own in present for value in own.values()), known=parts)
        contents = Contents([*self._contents.containers(), *values])
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
    """Whether values differ (False if unreadable); needed because some kernels bypass the buffers' version counters."""
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
    """A function that says whether anything held by `value` has been written since, apart from the modules `parts`."""
    found = list(members([value], known=parts))
    contents, versions = Contents(found), versions_of(found)
    arrays = [(array, _digest(array)) for array in _arrays(found)]

    def is_changed() -> bool:
        written = any(_digest(array) != before for array, before in arrays)
        return written or contents.changed() or versions_of(found) != versions

    return is_changed


def plain_attributes(module: nn.Module) -> Iterator[tuple[str, Any]]:
    """The plain attributes of a module and its submodules, by qualified name, without functions."""
    for path, part in module.named_modules():
        values = (entry for entry in _plain(part).items() if type(entry[1]) not in FUNCTIONS)
        yield from ((f"{path}.{name}" if path else name, value) for name, value in values)


def _is_small(tensor: Tensor, small: int) -> bool:
    dense = tensor.layout == torch.strided and not tensor.is_inference()
    return dense and not tensor.requires_grad and tensor.nbytes <= small


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
