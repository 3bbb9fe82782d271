"""Find, record and restore the contents of containers and objects, at any depth.

Objects are instances of a user's own classes, data classes, namespaces, PyG's data, and modules that are no submodules.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from types import CellType, FunctionType, MappingProxyType, MethodType
from typing import Any

from torch import nn
from torch_geometric.data.data import BaseData

from gnn_checkpointing.checkpointing.given import ATOMS, by_class, is_opened
from gnn_checkpointing.checkpointing.views import MAPPINGS, VIEW, class_attributes, is_closed, slots_in, slots_of

_MUTABLE = (list, set, deque, bytearray, *MAPPINGS)
_CONTAINERS = (tuple, *_MUTABLE)
_NEUTRAL = frozenset({"abc", "typing", "collections", "collections.abc", "_collections_abc"})


@by_class
def _is_own(kind: type) -> bool:
    """Whether a forward pass may write into such objects: instances of a user's own class, modules, and cells."""
    if is_opened(kind) or issubclass(kind, nn.Module) or kind is CellType:
        return True
    bases = set(kind.__mro__) - {object, *_CONTAINERS}
    inside = all(base.__module__ in _NEUTRAL or not is_closed(base) for base in bases)
    return inside and not issubclass(kind, type) and (kind.__dictoffset__ != 0 or bool(slots_in(kind)))


def _attributes_of(whole: Any) -> Iterable[Any]:
    """The dictionaries that hold an object's attributes."""
    if isinstance(whole, BaseData):
        return [store._mapping for store in whole.stores]
    kind = type(whole)
    own = [object.__getattribute__(whole, "__dict__")] if kind.__dictoffset__ != 0 else []
    return [*own, *class_attributes(kind), *slots_of(whole)]


@by_class
def holds(kind: type) -> bool:
    """Whether `members` looks into values of this class."""
    return issubclass(kind, _CONTAINERS) or (kind not in ATOMS and _is_own(kind))


def members(values: Iterable[Any], known: Iterable[Any] = ()) -> Iterator[Any]:
    """Yield `values` and everything inside their containers and objects except `ATOMS`, visiting each container once.

    The dictionaries that hold an object's attributes count as containers. Objects in `known` are not searched. The
    search is breadth-first.
    """
    waiting, seen = deque(values), set(map(id, known))
    while waiting:
        value = waiting.popleft()
        kind = type(value)
        if kind in ATOMS:
            continue
        yield value
        if issubclass(kind, VIEW):
            waiting.extend(value.values())
        elif holds(kind) and id(value) not in seen:
            seen.add(id(value))
            if issubclass(kind, _CONTAINERS):
                waiting.extend(_values(value))
            if _is_own(kind):
                waiting.extend(_attributes_of(value))
        elif issubclass(kind, type):
            waiting.extend(class_attributes(value))
        elif kind is MethodType:
            waiting.append(value.__self__)
        elif kind is partial:
            waiting += (value.func, value.args, value.keywords)
        elif kind is FunctionType and not is_closed(value) and id(value) not in seen:
            seen.add(id(value))
            waiting += (value.__dict__, value.__defaults__, value.__kwdefaults__, *(value.__closure__ or ()))


class Contents:
    """A record of what lists, dictionaries, sets and other mutable containers hold now."""

    def __init__(self, containers: Iterable[Any]) -> None:
        self._held: list[tuple[Any, Any]] = [
            (one, _content(one)) for one in containers if issubclass(type(one), _MUTABLE)
        ]

    def changed(self) -> bool:
        """Whether the contents of a container have changed since."""
        return any(not _same(one, content) for one, content in self._held)

    def containers(self) -> list[Any]:
        """The containers themselves."""
        return [one for one, _ in self._held]

    def values(self) -> Iterator[Any]:
        """The values that the containers held."""
        return (value for _, content in self._held for value in _values(content))

    def give_back(self, fresh: Mapping[int, Any] = MappingProxyType({})) -> None:
        """Restore each container's contents; `fresh` maps the identity of an old value to a replacement."""
        for one, content in self._held:
            mapping = isinstance(one, MAPPINGS)
            wanted = content
            if fresh and mapping:
                wanted = {name: fresh.get(id(value), value) for name, value in content.items()}
            elif fresh:
                wanted = [fresh.get(id(value), value) for value in content]
            if _same(one, wanted):
                continue
            if mapping:
                _fill(one, wanted)  # before removing entries, since another thread may read an object's attributes
                for name in [name for name in one if name not in wanted]:
                    del one[name]
            if not mapping or list(one) != list(wanted):
                one.clear()
                _fill(one, wanted)


def _fill(container: Any, content: Any) -> None:
    if isinstance(container, MAPPINGS):
        for name, value in content.items():  # a Counter's `update` would add
            container[name] = value
    else:
        (container.update if isinstance(container, set) else container.extend)(content)


def _values(container: Any) -> Iterable[Any]:
    return container.values() if isinstance(container, MAPPINGS) else container


def _content(container: Any) -> Any:
    return dict(container) if isinstance(container, MAPPINGS) else list(container)


def _same(container: Any, content: Any) -> bool:
    if len(container) != len(content) or not content:
        return len(container) == len(content)
    if isinstance(container, MAPPINGS) and list(container) != list(content):
        return False
    pairs = zip(container, content, strict=True)
    return all(container[a] is content[b] if isinstance(container, MAPPINGS) else a is b for a, b in pairs)
