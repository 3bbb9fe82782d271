"""What the code of a layer says about its messages: their methods, the parts that these use, and what may switch them.

Methods are looked up anew each time: a user may replace them, on a layer or on its class, after a policy was applied.
"""

import functools
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from torch import nn
from torch_geometric.nn import MessagePassing

from gnn_checkpointing.checkpointing.given import names_in


def parts_inside(conv: MessagePassing) -> Iterator[tuple[str, nn.Module]]:
    """The submodules that a layer's messages use, with their names, as the code of its methods names them."""
    named = names_read(conv)
    for name, child in conv.named_children():
        if name in named or name == "aggr_module":
            yield from ((f"{name}.{inner}" if inner else name, part) for inner, part in child.named_modules())


METHODS = ("message", "edge_update", "aggregate")
"""What a layer computes block by block."""


def methods_of(conv: MessagePassing) -> tuple[Any, ...]:
    """A layer's own `METHODS`, or those of its class, as they are now."""
    return tuple(vars(conv).get(name, getattr(type(conv), name, None)) for name in METHODS)


def names_read(conv: MessagePassing) -> frozenset[str]:
    """The attributes that the code of the layer's `METHODS` reads."""
    return _names_read(type(conv), methods_of(conv))  # type: ignore[arg-type]


@functools.lru_cache(4096)
def _names_read(kind: type, methods: tuple[Any, ...]) -> frozenset[str]:
    """The attributes that the methods' code reads, in the methods that they call, too."""
    found: set[str] = set()
    waiting = list(methods)
    while waiting:
        code = getattr(waiting.pop(), "__code__", None)
        for name in names_in(code) if code is not None else ():
            if name not in found:
                found.add(name)
                waiting.append(getattr(kind, name, None))
    return frozenset(found)


def switches(conv: MessagePassing) -> tuple[Any, ...]:
    """What may turn a layer's messages into others: their code, their parts, and what is no number with a point."""
    parts = [("", conv), *parts_inside(conv)]
    named = names_read(conv)
    return methods_of(conv), tuple(
        (part, type(part), *(entry for entry in vars(part).items() if _is_switch(part is conv, named, *entry)))
        for _, part in parts
    )


def _is_switch(own: bool, named: frozenset[str], name: str, value: Any) -> bool:
    return type(value) in (bool, int, str, type(None)) and (not own or name in named or name == "training")


def forward_of(layer: nn.Module) -> Callable[..., Any]:
    """A layer's own forward method, or its class's, as that is when it is called."""
    return vars(layer).get("forward") or partial(_forward_of_class, layer)


def _forward_of_class(layer: nn.Module, *args: Any, **kwargs: Any) -> Any:
    return type(layer).forward(layer, *args, **kwargs)
