"""Slots, class attributes and globals, seen as dictionaries."""

import sys
from collections.abc import Iterable, Iterator, MutableMapping
from functools import partial
from types import CellType, FunctionType, MemberDescriptorType, MethodType, ModuleType
from typing import Any

from gnn_checkpointing.checkpointing.given import by_class, globals_in, names_in, writes_globals

FUNCTIONS = (FunctionType, MethodType, partial)
_CLOSED = {*sys.stdlib_module_names, "torch", "torch_geometric", "numpy", __name__.partition(".")[0]} - {"test"}
"""Packages whose objects are left alone: loggers, locks, files, internals of torch and PyG."""


def is_closed(defined: Any) -> bool:
    """Whether an object is defined in a package whose objects are left alone."""
    name = defined.__name__ if isinstance(defined, ModuleType) else defined.__module__
    return (name or "").partition(".")[0] in _CLOSED


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
        super().__init__(slots_in(type(whole)))
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


VIEW, MAPPINGS = _View, (dict, _View)
"""What is seen as a dictionary, and with dictionaries themselves."""


def slots_of(whole: Any) -> list[Any]:
    """The values in the slots of an object, as a list of at most one dictionary."""
    return [_Slots(whole)] if slots_in(type(whole)) else []


@by_class
def slots_in(kind: type) -> dict[str, Any]:
    """The slots of the objects of a class, by name."""
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
    """The global variables that a function's code names, or attributes of a `module` with these names."""

    def __init__(self, function: FunctionType, module: ModuleType | None = None) -> None:
        super().__init__(vars(module) if module else function.__globals__)
        self._named = frozenset(names_in(function.__code__)) if module else globals_in(function.__code__)

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
    own = [base for base in kind.__mro__ if not is_closed(base)]
    return [*map(_OfClass, own), *(_OfGlobals(one) for one in _methods(own) if writes_globals(one.__code__))]


@by_class
def globals_reached(kind: type) -> list[Any]:
    """Globals, closures and attributes of modules that a user's class names, or the user's functions that it calls."""
    waiting = _methods(base for base in kind.__mro__ if not is_closed(base))
    found: dict[FunctionType, list[Any]] = {}
    while waiting:
        one = waiting.pop()
        if one in found or is_closed(one):
            continue
        named = [one.__globals__.get(name) for name in globals_in(one.__code__)]
        modules = [value for value in named if isinstance(value, ModuleType) and not is_closed(value)]
        found[one] = [_OfGlobals(one), *(_OfGlobals(one, module) for module in modules), *(one.__closure__ or ())]
        named += [vars(module).get(name) for module in modules for name in names_in(one.__code__)]
        waiting += [value for value in named if isinstance(value, FunctionType)]
    return [part for parts in found.values() for part in parts]


def _methods(kinds: Iterable[type]) -> list[FunctionType]:
    values = (getattr(value, "__func__", value) for kind in kinds for value in vars(kind).values())
    return [value for value in values if isinstance(value, FunctionType)]


@by_class
def names_used(kind: type) -> frozenset[str]:
    """Names of globals and attributes in the methods of a class and its bases."""
    return frozenset(name for one in _methods(kind.__mro__) for name in names_in(one.__code__))
