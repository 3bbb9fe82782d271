"""Attach a policy to a module as attributes of its own, and detach it again; or tensors, for one call."""

import copy
import inspect
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.modules import module as of_all_modules

from gnn_checkpointing.refusal import Refusal

_BEFORE = "_checkpointing_before"


def require_module(model: Any) -> None:
    """Raise `Refusal` if `model` is not a `torch.nn.Module`."""
    if not isinstance(model, nn.Module):
        raise Refusal(f"the model is a {type(model).__name__}; give a torch.nn.Module")


def put(module: nn.Module, name: str, value: Any) -> None:
    """Set the attribute `name` on `module` itself, not on its class, until `take_off`.

    A `partial` in place of a method shows the method's arguments: users ask which ones a forward method takes.
    """
    own = vars(module)
    if isinstance(value, partial):
        with suppress(AttributeError, TypeError, ValueError):
            value.__signature__ = _arguments(getattr(module, name))  # type: ignore[attr-defined]
    if _BEFORE not in own:
        own["__reduce_ex__"] = partial(_reduced, module)
        own[_BEFORE] = {"__reduce_ex__": (own["__reduce_ex__"],)}
    _, *earlier = own[_BEFORE].get(name, (None, *([own[name]] if name in own else ())))
    own[_BEFORE][name] = (value, *earlier)
    own[name] = value


def _arguments(method: Any) -> inspect.Signature:
    """The signature of a method without annotations, some of which cannot be pickled."""
    found = inspect.signature(method)
    return inspect.Signature([one.replace(annotation=one.empty) for one in found.parameters.values()])


def _reduced(module: nn.Module, protocol: int) -> Any:
    """What `copy` and `pickle` make a module from; a shallow copy has no policy, whose functions run the original."""
    if sys._getframe(1).f_code is not copy.copy.__code__:
        return type(module).__reduce_ex__(module, protocol)
    attributes = put_on(module)
    take_off(module)
    try:
        reduced: Any = type(module).__reduce_ex__(module, protocol)
        made, given, state, *rest = reduced
        return made, given, copy.copy(state), *rest
    finally:
        vars(module).update(attributes)


def put_on(module: nn.Module) -> dict[str, Any]:
    """Attributes that `put` has set and its record of their earlier values, so that they can be set again."""
    own = vars(module)
    return {name: own[name] for name in (*own.get(_BEFORE, ()), _BEFORE) if name in own}


def refuse_copies(module: nn.Module) -> None:
    """Raise `Refusal` if the caller's method is called on a module that only shares the attributes of `module`.

    Some libraries copy a module's dictionary of attributes, with a policy's methods, which belong to the original.
    """
    if torch.compiler.is_compiling():
        return
    frame = sys._getframe(2)
    if frame.f_globals is vars(of_all_modules) and frame.f_locals.get("self", module) is not module:
        raise Refusal(
            f"a copy of {type(module).__name__} shares its policy, and would compute with its weights; copy it by "
            "copy.deepcopy, or apply a policy after copying"
        )


def take_off(module: nn.Module) -> None:
    """Restore the earlier values of all attributes that `put` has set; those replaced since by others stay."""
    own = vars(module)
    for name, (value, *earlier) in own.pop(_BEFORE, {}).items():
        if name in own and own[name] == value:
            del own[name]
            own.update(zip([name], earlier, strict=False))


def with_tensors(module: nn.Module, tensors: dict[str, Tensor], function: Callable[[], Any]) -> Any:
    """Call `function` while these tensors, by name, are the parameters and buffers of `module`."""
    if not tensors:
        return function()
    named = {f"module.{name}": tensor for name, tensor in tensors.items()}
    parts: list[Any] = [own for part in module.modules() for own in (part._parameters, part._buffers)]
    before = [dict(own) for own in parts]
    try:
        return functional_call(_Shell(module, function), named, ())
    finally:  # PyTorch leaves the other tensors in a part that has two names
        for own, earlier in zip(parts, before, strict=True):
            own.update(earlier)


class _Shell(nn.Module):
    """Wraps a module, so that `functional_call` can run any function while the module has other tensors."""

    def __init__(self, module: nn.Module, function: Callable[[], Any]) -> None:
        super().__init__()
        self.module, self.forward = module, function
