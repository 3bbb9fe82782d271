"""What a function was given, as it was: its arguments in parts, its containers, its own random generators.

A forward pass may write into what it is given, as models that pass a PyG `Data` from layer to layer do, or a list of
all earlier outputs. Who runs it again must give it the same once more.
"""

import copy
import dataclasses
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any, Self

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


def flattened(values: Any) -> tuple[list[Any], pytree.TreeSpec]:
    """The leaves of `values` and their structure, with PyG's data, data classes and namespaces taken apart."""
    leaves, structure = pytree.tree_flatten(values)
    return pytree.tree_flatten(opened(values)) if any(map(_is_object, leaves)) else (leaves, structure)


def opened(values: Any) -> Any:
    """`values` with PyG's data, data classes and namespaces in a form that `pytree` takes apart."""
    return pytree.tree_map(lambda part: _Opened(part) if _is_object(part) else part, values)


def is_tensor(value: Any) -> bool:
    """Whether a value is a tensor and not something in place of one."""
    return issubclass(type(value), Tensor)


def versions_of(values: Any) -> list[int]:
    """How often each tensor in `values` was written into; those of inference mode do not tell."""
    tensors = [part for part in _leaves(values) if is_tensor(part)]
    return [0 if not is_lazy(tensor) and tensor.is_inference() else tensor._version for tensor in tensors]


_MUTABLE = (list, dict, set, deque)
_CONTAINERS = (tuple, *_MUTABLE)


def holds(value: Any) -> bool:
    """Whether a value holds others that `members` finds."""
    return isinstance(value, _CONTAINERS) or (type(value) not in ATOMS and _is_object(value))


def _dictionaries(whole: Any) -> list[dict[str, Any]]:
    return [store._mapping for store in whole.stores] if isinstance(whole, BaseData) else [vars(whole)]


ATOMS = frozenset((type(None), bool, int, float, str))
"""Types of values that nobody can write into."""


def _leaves(values: Any) -> Iterator[Any]:
    """Yield the leaves of `pytree`, in its order, those in the usual containers without its overhead."""
    kind = type(values)
    if kind is tuple or kind is list or kind is dict:
        for value in values.values() if kind is dict else values:
            yield from _leaves(value)
    elif kind not in ATOMS:
        yield from (values,) if is_tensor(values) else pytree.tree_leaves(values)


def members(values: Any) -> Iterator[Any]:
    """Yield `values` and all that is in its containers and objects but `ATOMS`, each container once.

    Of an object, as `opened` takes them apart, the dictionaries that hold its values are among the containers.
    """
    waiting, seen = [values], set()
    while waiting:
        value = waiting.pop()
        if type(value) in ATOMS:
            continue
        yield value
        if holds(value) and id(value) not in seen:
            seen.add(id(value))
            waiting.extend(_values(value) if isinstance(value, _CONTAINERS) else _dictionaries(value))


class Contents:
    """What lists, dictionaries and sets hold now."""

    def __init__(self, containers: Sequence[Any]) -> None:
        self._held = [(one, _content(one)) for one in containers if isinstance(one, _MUTABLE)]

    def changed(self, written: Sequence[Any] = ()) -> Self:
        """Those of the containers that hold something else by now, or what was `written` into."""
        found, known = type(self)(()), {id(value) for value in written}
        found._held = [
            (one, content)
            for one, content in self._held
            if not _same(one, content) or any(id(value) in known for value in _values(content))
        ]
        return found

    def values(self) -> Iterator[Any]:
        """What the containers held, themselves apart."""
        return (value for _, content in self._held for value in _values(content))

    def __bool__(self) -> bool:
        """Whether there is any container."""
        return bool(self._held)

    def give_back(self, replaced: Callable[[Any], Any] | None = None) -> None:
        """Let each container hold what it held, or what replaces it."""
        for one, content in self._held:
            if replaced is None and _same(one, content):
                continue
            given = replaced or (lambda value: value)
            one.clear()
            if isinstance(one, dict):
                one.update({name: given(value) for name, value in content.items()})
            else:
                (one.update if isinstance(one, set) else one.extend)([given(value) for value in content])


def _values(container: Any) -> Iterable[Any]:
    return container.values() if isinstance(container, dict) else container


def _content(container: Any) -> Any:
    return dict(container) if isinstance(container, dict) else list(container)


def _same(container: Any, content: Any) -> bool:
    if len(container) != len(content) or not content:
        return len(container) == len(content)
    if isinstance(container, dict) and list(container) != list(content):
        return False
    pairs = zip(container, content, strict=True)
    return all(container[a] is content[b] if isinstance(container, dict) else a is b for a, b in pairs)
