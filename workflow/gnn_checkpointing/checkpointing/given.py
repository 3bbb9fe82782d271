"""What a function was given, as it was: its arguments in parts, its containers, its own random generators.

A forward pass may write into what it is given, as models that pass a PyG `Data` from layer to layer do, or a list of
all earlier outputs. Who runs it again must give it the same once more.
"""

from __future__ import annotations

import copy
import dataclasses
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any

from torch import Tensor
from torch.nn.parameter import is_lazy
from torch.utils import _pytree as pytree
from torch_geometric.data.data import BaseData


class _Opened:
    """An object by its values: `tree_flatten` sees them, and `tree_unflatten` gives a new object that has them."""

    def __init__(self, whole: Any) -> None:
        self.form = copy.copy(whole)
        stores = _stores(self.form)
        self.values = [{name: opened(value) for name, value in store.items()} for store in stores]
        for store in stores:
            for name in list(store):
                store[name] = None

    @staticmethod
    def made(values: Iterable[Any], form: Any) -> Any:
        """A new object of this form."""
        whole = copy.copy(form)
        for store, given in zip(_stores(whole), values, strict=True):
            for name, value in given.items():
                store[name] = value
        return whole


pytree.register_pytree_node(_Opened, lambda whole: (whole.values, whole.form), _Opened.made)


def _is_object(value: Any) -> bool:
    if isinstance(value, BaseData | SimpleNamespace):
        return True
    return dataclasses.is_dataclass(value) and not isinstance(value, type) and hasattr(value, "__dict__")


def _stores(whole: Any) -> list[Any]:
    return list(whole.stores) if isinstance(whole, BaseData) else [vars(whole)]


def opened(values: Any) -> Any:
    """`values` with PyG's data, data classes and namespaces in a form that `pytree` takes apart."""
    return pytree.tree_map(lambda part: _Opened(part) if _is_object(part) else part, values)


def is_tensor(value: Any) -> bool:
    """Whether a value is a tensor and not something in place of one."""
    return issubclass(type(value), Tensor)


def versions_of(values: Any) -> list[int]:
    """How often each tensor in `values` was written into; those of inference mode do not tell."""
    tensors = [part for part in pytree.tree_leaves(values) if is_tensor(part)]
    return [0 if not is_lazy(tensor) and tensor.is_inference() else tensor._version for tensor in tensors]


def members(values: Any) -> Iterator[Any]:
    """Yield `values` and all that is in its lists, tuples, dictionaries and sets, each container once."""
    waiting, seen = [values], set()
    while waiting:
        value = waiting.pop()
        yield value
        if isinstance(value, list | tuple | dict | set | deque) and id(value) not in seen:
            seen.add(id(value))
            waiting.extend(value.values() if isinstance(value, dict) else value)


class Contents:
    """What lists, dictionaries and sets hold now."""

    def __init__(self, containers: Sequence[Any]) -> None:
        self._held = [(one, _content(one)) for one in containers if isinstance(one, list | dict | set | deque)]

    def changed(self) -> Contents:
        """Those of the containers that hold something else by now."""
        found = Contents(())
        found._held = [(one, content) for one, content in self._held if not _same(_content(one), content)]
        return found

    def __bool__(self) -> bool:
        """Whether there is any container."""
        return bool(self._held)

    def give_back(self, replaced: Callable[[Any], Any] = lambda value: value) -> None:
        """Let each container hold what it held, or what replaces it."""
        for one, content in self._held:
            if _same(_content(one), content) and not any(replaced(value) is not value for value in members(content)):
                continue
            one.clear()
            if isinstance(one, dict):
                one.update({name: replaced(value) for name, value in content.items()})
            else:
                (one.update if isinstance(one, set) else one.extend)([replaced(value) for value in content])


def _content(container: Any) -> Any:
    return dict(container) if isinstance(container, dict) else list(container)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        return list(one) == list(other) and all(one[name] is other[name] for name in one)
    return len(one) == len(other) and all(a is b for a, b in zip(one, other, strict=True))
