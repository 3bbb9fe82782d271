"""Find, record and restore the contents of containers and objects, at any depth.

Objects are instances of a user's own classes, data classes, namespaces, PyG's data, and modules that are no submodules.
"""

import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from functools import partial
from types import CellType, FunctionType, MappingProxyType, MemberDescriptorType, MethodType, ModuleType
from typing import Any

from torch import nn
from torch_geometric.data.data import BaseData

from gnn_checkpointing.checkpointing.given import ATOMS, by_class, is_opened, names_in, writes_globals


class _View(MutableMapping[str, Any]):
    """Some of the entries of a dictionary, seen as a dictionary."""

    def __init__(self, own: Any) -> None:
        self._own = own

    def __getitem__(self, name: str) -> Any:
        return self._own[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._own[name] = value

    def __delitem__(self, name: str) -> None:
        del self._own[name]

    def __len__(self) -> int:
        return sum(1 for _ in self)


class _Slots(_View):
    """The values in the slots of an object, as a dictionary."""

    def __init__(self, whole: Any) -> None:
        super().__init__(_slots_of(type(whole)))
        self._whole = whole

    def __getitem__(self, name: str) -> Any:
        try:
            return self._own[name].__get__(self._whole)
        except (AttributeError, ValueError):  # ValueError: an empty cell
            raise KeyError(name) from None

    def __setitem__(self, name: str, value: Any) -> None:
        self._own[name].__set__(self._whole, value)

    def __delitem__(self, name: str) -> None:
        self._own[name].__delete__(self._whole)

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._own if name in self)


@by_class
def _slots_of(kind: type) -> dict[str, Any]:
    if kind is CellType:
        return {"cell_contents": CellType.cell_contents}
    found = [vars(base) for base in kind.__mro__]
    return {name: slot for own in found for name, slot in own.items() if isinstance(slot, MemberDescriptorType)}


class _OfClass(_View):
    """The class attributes of a class, without methods and other descriptors, as a dictionary."""

    def __init__(self, kind: type) -> None:
        super().__init__(vars(kind))
        self._kind = kind

    def __setitem__(self, name: str, value: Any) -> None:
        setattr(self._kind, name, value)

    def __delitem__(self, name: str) -> None:
        delattr(self._kind, name)

    def __iter__(self) -> Iterator[str]:
        own = self._own.copy().items()
        return (name for name, value in own if not name.startswith("__") and not hasattr(type(value), "__get__"))


class _OfGlobals(_View):
    """The global variables that a function's code names, as a dictionary."""

    def __init__(self, function: FunctionType) -> None:
        super().__init__(function.__globals__)
        self._named = frozenset(names_in(function.__code__)) & self._own.keys()

    def __iter__(self) -> Iterator[str]:
        return (
            n for n in self._named if n in self._own and not isinstance(self._own[n], (*FUNCTIONS, type, ModuleType))
        )


def globals_of(function: Any) -> list[Any]:
    """The global variables that a callable object's own code names, as a list of at most one dictionary."""
    while isinstance(function, partial):
        function = function.func
    function = function if isinstance(function, FunctionType | MethodType) else type(function).__call__
    function = getattr(function, "__func__", function)
    return [_OfGlobals(function)] if isinstance(function, FunctionType) else []


@by_class
def class_attributes(kind: type) -> list[Any]:
    """Attributes of a user's own classes among this class and its bases, and globals they write, as dictionaries."""
    own = [base for base in kind.__mro__ if not _is_closed(base)]
    functions = (value for base in own for value in vars(base).values() if isinstance(value, FunctionType))
    return [*map(_OfClass, own), *(_OfGlobals(one) for one in functions if writes_globals(one.__code__))]


_MAPPINGS = (dict, _View)
_MUTABLE = (list, set, deque, bytearray, *_MAPPINGS)
_CONTAINERS = (tuple, *_MUTABLE)
FUNCTIONS = (FunctionType, MethodType, partial)
_CLOSED = {*sys.stdlib_module_names, "torch", "torch_geometric", "numpy", __name__.partition(".")[0]} - {"test"}
"""Packages whose objects are left alone: loggers, locks, files, internals of torch and PyG."""
_NEUTRAL = frozenset({"abc", "typing", "collections", "collections.abc", "_collections_abc"})


def _is_closed(defined: Any) -> bool:
    return (defined.__module__ or "").partition(".")[0] in _CLOSED


@by_class
def _is_own(kind: type) -> bool:
    """Whether a forward pass may write into such objects: instances of a user's own class, modules, and cells."""
    if is_opened(kind) or issubclass(kind, nn.Module) or kind is CellType:
        return True
    bases = set(kind.__mro__) - {object, *_CONTAINERS}
    inside = all(base.__module__ in _NEUTRAL or not _is_closed(base) for base in bases)
    return inside and not issubclass(kind, type) and (kind.__dictoffset__ != 0 or bool(_slots_of(kind)))


def _attributes_of(whole: Any) -> Iterable[Any]:
    """The dictionaries that hold an object's attributes."""
    if isinstance(whole, BaseData):
        return [store._mapping for store in whole.stores]
    kind = type(whole)
    own = [object.__getattribute__(whole, "__dict__")] if kind.__dictoffset__ != 0 else []
    return [*own, *class_attributes(kind), *([_Slots(whole)] if _slots_of(kind) else ())]


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
        if issubclass(kind, _View):
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
        elif kind is FunctionType and not _is_closed(value) and id(value) not in seen:
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
            mapping = isinstance(one, _MAPPINGS)
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
    if isinstance(container, _MAPPINGS):
        for name, value in content.items():  # a Counter's `update` would add
            container[name] = value
    else:
        (container.update if isinstance(container, set) else container.extend)(content)


def _values(container: Any) -> Iterable[Any]:
    return container.values() if isinstance(container, _MAPPINGS) else container


def _content(container: Any) -> Any:
    return dict(container) if isinstance(container, _MAPPINGS) else list(container)


def _same(container: Any, content: Any) -> bool:
    if len(container) != len(content) or not content:
        return len(container) == len(content)
    if isinstance(container, _MAPPINGS) and list(container) != list(content):
        return False
    pairs = zip(container, content, strict=True)
    return all(container[a] is content[b] if isinstance(container, _MAPPINGS) else a is b for a, b in pairs)
