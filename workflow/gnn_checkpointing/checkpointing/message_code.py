"""Analyse the code of a layer's messages: its methods, the submodules they use, and settings that may change them.

Methods are looked up each time, since a user may replace them, on a layer or its class, after a policy was applied.
"""

import dis
import functools
import inspect
import itertools
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from functools import partial
from types import CodeType, FunctionType
from typing import Any

from torch import Tensor, nn
from torch.utils import _pytree as pytree
from torch_geometric.nn import MessagePassing

from gnn_checkpointing.checkpointing.block_arguments import Call
from gnn_checkpointing.checkpointing.given import ATOMS, names_in
from gnn_checkpointing.checkpointing.views import FUNCTIONS, is_closed


def parts_inside(conv: MessagePassing) -> Iterator[tuple[str, nn.Module]]:
    """Yield the submodules that a layer's messages use, with their names, according to the code of its methods."""
    named = names_read(conv)
    for name, child in conv.named_children():
        if name in named or name == "aggr_module":
            yield from ((f"{name}.{inner}" if inner else name, part) for inner, part in child.named_modules())


METHODS = ("message", "edge_update", "aggregate")
"""Methods that a layer computes block by block."""


def methods_of(conv: MessagePassing) -> tuple[Any, ...]:
    """The current `METHODS` of a layer: its own, or else its class's."""
    return tuple(vars(conv).get(name, getattr(type(conv), name, None)) for name in METHODS)


def names_read(conv: MessagePassing) -> frozenset[str]:
    """The attributes that the code of the layer's `METHODS` reads."""
    return _names_read(type(conv), methods_of(conv))  # type: ignore[arg-type]


@functools.lru_cache(4096)
def _names_read(kind: type, methods: tuple[Any, ...]) -> frozenset[str]:
    """The attributes that the code of these methods, and of the methods that they call, reads."""
    found: set[str] = set()
    waiting = list(methods)
    while waiting:
        code = getattr(waiting.pop(), "__code__", None)
        for name in names_in(code) if code is not None else ():
            if name not in found:
                found.add(name)
                waiting.append(getattr(kind, name, None))
    return frozenset(found)


def sends_otherwise(conv: MessagePassing) -> bool:
    """Whether a user has put methods over PyG's on this layer alone; explainers and policies put PyG's or their own."""
    for name in ("propagate", "edge_updater"):
        method = vars(conv).get(name)
        function = getattr(method, "__func__", None)
        of_pyg = function in (getattr(type(conv), name), type(conv)._orig_propagate)
        if method is not None and (function is None or not (of_pyg or is_closed(function))):
            return True
    return False


def switches(conv: MessagePassing) -> tuple[Any, ...]:
    """Everything that may change how messages are computed: code, submodules, and attributes."""
    parts = [("", conv), *parts_inside(conv)]
    named = names_read(conv)
    own = ((part, vars(part).items()) for _, part in parts)
    options = ((part, [o for o in entries if _is_switch(part is conv, named, *o)]) for part, entries in own)
    return methods_of(conv), tuple(
        (part, type(part), *((name, _option(value)) for name, value in some)) for part, some in options
    )


def kinds_of(call: Call) -> tuple[Hashable, ...]:
    """What a trial does not vary: options, and precisions and whole numbers that are all the same."""
    leaves = pytree.tree_leaves((call.values, call.edge_values))
    options = (_option(part) for part in leaves if type(part) in ATOMS)
    return *options, *((tensor.dtype, tensor.dim(), _is_constant(tensor)) for tensor in call.tensors)


def _is_constant(tensor: Tensor) -> bool:
    whole = not tensor.is_floating_point() and not tensor.is_complex()
    return whole and bool((tensor == tensor.flatten()[:1]).all())


def _is_switch(own: bool, named: frozenset[str], name: str, value: Any) -> bool:
    return type(value) in ATOMS and (not own or name in named or type(value) in (bool, float))


def _option(value: Any) -> Any:
    """An option as it is; of a float, which may change in each step, only whether it is 0."""
    return value != 0 if type(value) is float else value


def used_among(weights: Iterable[Tensor], conv: MessagePassing) -> tuple[Tensor, ...]:
    """The weights among `weights` that a layer's messages may use; all of them if the code does not tell."""
    used = _weights_read(conv)
    return tuple(weight for weight in weights if used is None or id(weight) in used)


def learns(conv: MessagePassing, tensors: Sequence[Tensor]) -> bool:
    """Whether messages computed from these tensors need a gradient."""
    return any(tensor.requires_grad for tensor in (*tensors, *used_among(conv.parameters(), conv)))


def _weights_read(conv: MessagePassing) -> frozenset[int] | None:
    """Identities of the weights that a layer's messages may use; None if the code does not tell."""
    if vars(conv).keys() & set(METHODS):
        return None
    found, seen, waiting = set[int](), set[str](), [method for method in methods_of(conv) if method is not None]
    while waiting:
        names = _read_of_self(getattr(waiting.pop(), "__code__", None))
        if names is None:
            return None
        for name in names - seen:
            seen.add(name)
            parts = {**conv._modules, **conv._parameters, **conv._buffers, **vars(conv)}
            value = parts[name] if name in parts else inspect.getattr_static(type(conv), name, None)
            if isinstance(value, nn.Module):
                if not all(map(_is_plain, value.modules())):
                    return None
                found |= set(map(id, value.parameters()))
            elif isinstance(value, Tensor):
                found.add(id(value))
            elif isinstance(value, FunctionType) and name not in parts and not value.__module__.startswith("torch.nn."):
                waiting.append(value)
            elif type(value) not in ATOMS:
                return None
    return frozenset(found)


def _is_plain(part: nn.Module) -> bool:
    """Whether a module's code is that of torch or PyG alone; a user's may reach weights of other modules."""
    functions = [value for value in vars(part).values() if type(value) in FUNCTIONS]
    return all(type(one) is not partial and is_closed(one) for one in (type(part), *functions))


@functools.lru_cache(4096)
def _read_of_self(code: CodeType | None) -> frozenset[str] | None:
    """The attributes of its first argument that a method accesses; None if it uses that argument in any other way."""
    if (
        code is None
        or not code.co_varnames
        or {code.co_varnames[0], "__class__"} & {*code.co_cellvars, *code.co_freevars}
    ):
        return None
    steps, own, found = list(dis.get_instructions(code)), code.co_varnames[0], set[str]()
    for step, following in itertools.pairwise(steps):
        if own in (step.argval if isinstance(step.argval, tuple) else (step.argval,)) and "FAST" in step.opname:
            if step.opname not in _LOADS or following.opname not in _OF_ATTRIBUTES:
                return None
            found.add(following.argval)
    return frozenset(found)


_LOADS = frozenset({"LOAD_FAST", "LOAD_FAST_BORROW"})
_OF_ATTRIBUTES = frozenset({"LOAD_ATTR", "LOAD_METHOD", "STORE_ATTR"})


def forward_of(layer: nn.Module) -> Callable[..., Any]:
    """A layer's own forward method, or else its class's, looked up at the time of the call."""
    return vars(layer).get("forward") or partial(_forward_of_class, layer)


def _forward_of_class(layer: nn.Module, *args: Any, **kwargs: Any) -> Any:
    return type(layer).forward(layer, *args, **kwargs)
