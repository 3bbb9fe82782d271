"""Attach a policy to a module as attributes of its own, and detach it again."""

import copy
import sys
from functools import partial
from typing import Any

from torch import nn

from gnn_checkpointing.refusal import Refusal

_BEFORE = "_checkpointing_before"


def require_module(model: Any) -> None:
    """Raise `Refusal` if `model` is not a `torch.nn.Module`."""
    if not isinstance(model, nn.Module):
        raise Refusal(f"the model is a {type(model).__name__}; give a torch.nn.Module")


def put(module: nn.Module, name: str, value: Any) -> None:
    """Set the attribute `name` on `module` itself, not on its class, until `take_off`."""
    own = vars(module)
    if _BEFORE not in own:
        own[_BEFORE] = {"__reduce_ex__": []}
        own["__reduce_ex__"] = partial(_reduced, module)
    own[_BEFORE].setdefault(name, [own[name]] if name in own else [])
    own[name] = value


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


def take_off(module: nn.Module) -> None:
    """Restore the earlier values of all attributes that `put` has set."""
    for name, earlier in vars(module).pop(_BEFORE, {}).items():
        vars(module).pop(name, None)
        if earlier:
            vars(module)[name] = earlier[0]
