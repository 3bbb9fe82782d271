"""The arguments of a function as they were given: their leaves, and how often each tensor was written into.

A forward pass may write into its arguments, as in models that pass a PyG `Data` or a list of all earlier outputs from
layer to layer. To rerun it, its arguments must be as they were.
"""

import copy
import dataclasses
import dis
import functools
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from types import CodeType, SimpleNamespace
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.utils import _pytree as pytree
from torch_geometric.data.data import BaseData

Result = TypeVar("Result")


class _Opened:
    """An object as a pytree node: `tree_flatten` finds its values, and `tree_unflatten` makes a new object of them."""

    def __init__(self, whole: Any) -> None:
        self.form = copy.copy(whole)
        stores = _stores(self.form)
        self.values = [{name: opened(value) for name, value in store.items()} for store in stores]
        for store in stores:
            for name in list(store):
                store[name] = None

    @staticmethod
    def made(values: Iterable[Any], form: Any) -> Any:
        """Make a new object of this form with these values."""
        whole = copy.copy(form)
        for store, given in zip(_stores(whole), values, strict=True):
            for name, value in given.items():
                store[name] = value
        return whole


pytree.register_pytree_node(_Opened, lambda whole: (whole.values, whole.form), _Opened.made)


def _is_object(value: Any) -> bool:
    return is_opened(type(value))


def by_class(function: Callable[[Any], Result]) -> Callable[[Any], Result]:
    """Decorate a function of a class to be computed once per class."""
    return functools.lru_cache(4096)(function)


@by_class
def is_opened(kind: type) -> bool:
    """Whether arguments of this class are split into their values: PyG's data, data classes, namespaces."""
    if issubclass(kind, BaseData | SimpleNamespace):
        return True
    return dataclasses.is_dataclass(kind) and kind.__dictoffset__ != 0 and not issubclass(kind, nn.Module)


def _stores(whole: Any) -> list[Any]:
    return list(whole.stores) if isinstance(whole, BaseData) else [vars(whole)]


def flattened(values: Any) -> tuple[list[Any], pytree.TreeSpec]:
    """The leaves of `values` and their structure; also splits PyG's data, data classes and namespaces."""
    leaves, structure = pytree.tree_flatten(values)
    return pytree.tree_flatten(opened(values)) if any(map(_is_object, leaves)) else (leaves, structure)


def quick_leaves(values: Any) -> list[Any]:
    """The leaves of `flattened` without `ATOMS`, and without its overhead for the usual containers."""
    leaves = list(leaves_of(values))
    return flattened(values)[0] if any(map(_is_object, leaves)) else leaves


def opened(values: Any) -> Any:
    """Put PyG's data, data classes and namespaces in `values` into a form that `pytree` can split."""
    return pytree.tree_map(lambda part: _Opened(part) if _is_object(part) else part, values)


def is_tensor(value: Any) -> bool:
    """Whether a value is a real tensor, not a stand-in for one."""
    return issubclass(type(value), Tensor)


def versions_of(values: Any) -> list[int]:
    """How often each tensor in `values` was written into; 0 for inference tensors, which do not count."""
    return [version_of(part) for part in leaves_of(values) if is_tensor(part)]


def version_of(tensor: Tensor) -> int:
    """How often a tensor was written into; 0 for inference tensors, which do not count."""
    return 0 if not is_lazy(tensor) and tensor.is_inference() else tensor._version


ATOMS = frozenset((type(None), bool, int, float, str))
"""Types of immutable values."""


def leaves_of(values: Any) -> Iterator[Any]:
    """Yield the leaves of `values` in the order of `pytree`, without `ATOMS`; faster for the usual containers."""
    kind = type(values)
    if kind is tuple or kind is list or kind is dict:
        for value in values.values() if kind is dict else values:
            yield from leaves_of(value)
    elif kind not in ATOMS:
        yield from (values,) if is_tensor(values) else pytree.tree_leaves(values)


_ONE_AT_A_TIME = threading.Lock()
_CLONES = hasattr(Tensor, "_lazy_clone") and {"_storage_Use_Count", "_data_address"} <= vars(torch._C).keys()
"""Whether this version of PyTorch has what `as_given` needs: functions of its own, not of its public interface."""


def as_given(tensor: Tensor) -> Tensor:
    """The tensor as it is now, also if somebody writes into it later: PyTorch then copies it, and not before.

    The tensor itself unless a model has computed it, on the CPU, and nothing else holds its memory, such as a view.
    """
    computed = type(tensor) is Tensor and tensor.grad_fn is not None and tensor.device.type == "cpu"
    if not _CLONES or not computed or tensor.layout != torch.strided:
        return tensor
    with _ONE_AT_A_TIME, suppress(RuntimeError):  # threads may share features; the memory may not be PyTorch's own
        if _holders(tensor) == _holders(torch.empty(1)):
            return tensor._lazy_clone()
    return tensor


def _holders(tensor: Tensor) -> int:
    """How many hold the memory of a tensor: tensors, what autograd has saved, arrays."""
    return torch._C._storage_Use_Count(tensor.untyped_storage()._cdata)


def names_in(code: CodeType) -> Iterator[str]:
    """Yield the names of globals and attributes in a function's code and in the functions defined inside it."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from names_in(constant)


@functools.lru_cache(4096)
def globals_in(code: CodeType, operations: tuple[str, ...] = ("LOAD", "STORE", "DELETE")) -> frozenset[str]:
    """Names of globals in a function's code and in the functions defined inside it, with these operations on them."""
    opnames = [f"{operation}_GLOBAL" for operation in operations]
    own = {step.argval for step in dis.get_instructions(code) if step.opname in opnames}
    inside = (globals_in(constant, operations) for constant in code.co_consts if isinstance(constant, CodeType))
    return frozenset(own).union(*inside)


def writes_globals(code: CodeType) -> bool:
    """Whether a function, or a function defined inside it, assigns to or deletes global variables."""
    return bool(globals_in(code, ("STORE", "DELETE")))
