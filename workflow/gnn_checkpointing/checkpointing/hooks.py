"""Hooks inside a layer that is computed again: each acts as in the forward pass, and sees each step once.

A hook that only looks is left out of the second run; one that changes something is run again, also where it was removed
since; one that came since is not run.
"""

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.fx._symbolic_trace import is_fx_symbolic_tracing
from torch.nn.modules import module as of_all_modules

from gnn_checkpointing.checkpointing.given import versions_of

MESSAGE_HOOKS = tuple(
    f"_{method}_forward_{when}hooks"
    for method in ("propagate", "message", "aggregate", "message_and_aggregate", "edge_update")
    for when in ("pre_", "")
)
_FORWARD = ("_forward_pre_hooks", "_forward_hooks")
_BACKWARD = ("_backward_pre_hooks", "_backward_hooks")
_OPTIONS = ("_forward_pre_hooks_with_kwargs", "_forward_hooks_with_kwargs", "_forward_hooks_always_called")
_NAMES = (*_FORWARD, *_BACKWARD, *MESSAGE_HOOKS)
_OF_ALL = tuple(f"_global{name}" for name in (*_FORWARD, *_BACKWARD))


def hooked(module: nn.Module) -> bool:
    """Whether somebody looks at what goes through a module."""
    return any(vars(module)[name] for name in (*_FORWARD, *_BACKWARD))


def messages_hooked(conv: nn.Module) -> bool:
    """Whether somebody looks at what a PyG layer's own methods compute."""
    return any(vars(conv)[name] for name in MESSAGE_HOOKS)


def recorded() -> bool:
    """Whether somebody records what runs: `torch.jit.trace`, `torch.export` or `torch.fx.symbolic_trace`."""
    tracing: bool = torch.jit.is_tracing()  # type: ignore[attr-defined,no-untyped-call]
    return tracing or torch.compiler.is_exporting() or is_fx_symbolic_tracing()


def observed() -> bool:
    """Whether somebody records or transforms what runs, forbids to recompute it, or looks at all modules."""
    packs: bool = torch.compiler.is_compiling() or torch._C._autograd._saved_tensors_hooks_is_enabled()  # type: ignore
    if not packs:
        return True
    transformed = torch._C._functorch.maybe_current_level() is not None
    return recorded() or transformed or any(getattr(of_all_modules, name) for name in _OF_ALL)


class Hooks:
    """The hooks of the modules inside `module`, those of its own messages among them, as its forward pass starts."""

    def __init__(self, module: nn.Module) -> None:
        self._module = module
        self._watched: list[tuple[nn.Module, str, int, _Watched]] = []
        self._options: list[tuple[nn.Module, dict[str, Any]]] = []
        for part, name in _places(module, _NAMES):
            self._watched += [(part, name, key, _Watched(hook)) for key, hook in vars(part)[name].items()]
            self._options.append((part, {name: vars(part)[name].copy() for name in _OPTIONS}))

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Note inside the context which hooks act."""
        for part, name, key, watched in self._watched:
            vars(part)[name][key] = watched
        try:
            yield
        finally:
            for part, name, key, watched in self._watched:
                if vars(part)[name].get(key) is watched:
                    vars(part)[name][key] = watched.hook

    @contextmanager
    def repeated(self) -> Iterator[None]:
        """Have inside the context the hooks that were there before; those that did not act do nothing."""
        places = [(part, name) for part, name, _, _ in self._watched] + _places(self._module, _NAMES)
        places += [(part, name) for part, earlier in self._options for name in earlier]
        present = [(part, name, vars(part)[name]) for part, name in places]
        for part, name in places:
            vars(part)[name] = OrderedDict()
        for part, earlier in self._options:
            vars(part).update(earlier)
        for part, name, key, watched in self._watched:
            vars(part)[name][key] = watched.hook if watched.acts else _nothing
        try:
            yield
        finally:
            for part, name, before in present:
                vars(part)[name] = before


def _nothing(*_: Any, **__: Any) -> None:
    """A hook that is not to see a second run."""


class _Watched:
    """A hook of which is known whether it has changed anything: a result, a tensor in place, the module."""

    def __init__(self, hook: Any) -> None:
        self.hook, self.acts = hook, False

    def __call__(self, module: nn.Module, *args: Any) -> Any:
        """What the hook returns."""
        before = _state(module, args)
        out = self.hook(module, *args)
        self.acts = self.acts or out is not None or _state(module, args) != before
        return out


def _state(module: nn.Module, args: Any) -> list[int]:
    own = [*vars(module).values(), *module._parameters.values(), *module._buffers.values()]
    return [*map(id, own), *versions_of((own, args))]


def _places(module: nn.Module, names: tuple[str, ...]) -> list[tuple[nn.Module, str]]:
    """Where hooks are: of `module` itself those on its messages alone, as the others act around what is run again."""
    return [
        (part, name)
        for part in module.modules()
        for name in names
        if vars(part).get(name) and (part is not module or name in MESSAGE_HOOKS)
    ]
