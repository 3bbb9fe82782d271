"""Hooks inside a recomputed layer: each acts as in the forward pass, and observes each step only once.

A hook that only observes is left out of the second run. A hook that changes something runs again, even if it has been
removed since, with the state it had before, and leaves no trace. A hook that has been added since does not run.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import nn
from torch.autograd import forward_ad
from torch.autograd.graph import _CloneArgBeforeMutateMode
from torch.fx._symbolic_trace import is_fx_symbolic_tracing
from torch.nn.modules import module as of_all_modules
from torch.nn.modules.lazy import LazyModuleMixin
from torch.nn.utils import parametrize
from torch.overrides import _get_current_function_mode_stack
from torch.utils._device import DeviceContext
from torch.utils._python_dispatch import _get_current_dispatch_mode_stack

from gnn_checkpointing.checkpointing.attributes import MESSAGE_HOOKS, Attributes, plain_attributes, watched
from gnn_checkpointing.checkpointing.given import versions_of
from gnn_checkpointing.checkpointing.random_states import RandomStates, random_restored

_FORWARD = ("_forward_pre_hooks", "_forward_hooks")
_BACKWARD = ("_backward_pre_hooks", "_backward_hooks")
_OPTIONS = ("_forward_pre_hooks_with_kwargs", "_forward_hooks_with_kwargs", "_forward_hooks_always_called")
_LOCKS: WeakKeyDictionary[nn.Module, Any] = WeakKeyDictionary()
_OF_ALL = tuple(f"_global{name}" for name in (*_FORWARD, *_BACKWARD))


@contextmanager
def alone(module: nn.Module) -> Iterator[None]:
    """Keep other threads from running a module or its parts, whose attributes and hooks are replaced at times.

    Autograd's own threads do not wait: the thread that runs the module may be waiting for them.
    """
    with ExitStack() as stack:
        if threading.active_count() > 1 and not isinstance(threading.current_thread(), threading._DummyThread):
            for part in sorted(module.modules(), key=id):  # in one order, so that no two threads wait for each other
                stack.enter_context(_LOCKS.setdefault(part, threading.RLock()))
        yield


def hooked(module: nn.Module) -> bool:
    """Whether a module has forward or backward hooks."""
    return any(vars(module)[name] for name in (*_FORWARD, *_BACKWARD))


def messages_hooked(conv: nn.Module) -> bool:
    """Whether hooks observe the results of a PyG layer's own methods."""
    return any(vars(conv)[name] for name in MESSAGE_HOOKS)


def recorded() -> bool:
    """Whether the code is being traced by `torch.jit.trace`, `torch.export` or `torch.fx.symbolic_trace`."""
    tracing: bool = torch.jit.is_tracing()  # type: ignore[attr-defined,no-untyped-call]
    return tracing or torch.compiler.is_exporting() or is_fx_symbolic_tracing()


def observed() -> bool:
    """Whether something traces, transforms or hooks all code, forbids hooks on saved tensors, or caches weights."""
    packs: bool = torch.compiler.is_compiling() or torch._C._autograd._saved_tensors_hooks_is_enabled()  # type: ignore
    if not packs:
        return True
    transformed = torch._C._functorch.maybe_current_level() is not None
    keeps: bool = parametrize._cache_enabled > 0
    forward: bool = forward_ad._current_level >= 0
    transformed = transformed or keeps or forward or _in_a_mode()
    return recorded() or transformed or any(getattr(of_all_modules, name) for name in _OF_ALL)


def _in_a_mode() -> bool:
    """Whether a mode changes functions, or lets saved tensors change: a second run may be outside of it."""
    if torch.compiler.is_compiling():
        return False
    clones = any(type(mode) is _CloneArgBeforeMutateMode for mode in _get_current_dispatch_mode_stack())
    functions: list[Any] = _get_current_function_mode_stack()  # type: ignore[no-untyped-call]
    return clones or any(type(mode) is not DeviceContext for mode in functions)


class Hooks:
    """Hooks of the modules inside `module`, and of its own messages, at the start of its forward pass."""

    def __init__(self, module: nn.Module, device: torch.device) -> None:
        self._module = module
        self._watched: list[tuple[nn.Module, str, int, _Watched]] = []
        self._options: list[tuple[nn.Module, dict[str, Any]]] = []
        for part, name in _places(module):
            for key, hook in vars(part)[name].items():
                if getattr(hook, "__func__", None) is LazyModuleMixin._infer_parameters:
                    continue  # it has become a module without lazy weights when it runs again
                self._watched.append((part, name, key, _Watched(hook, module, device)))
            self._options.append((part, {name: vars(part)[name].copy() for name in _OPTIONS}))

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Record, inside the context, which hooks change something."""
        watched = [(vars(part)[name], key, noted) for part, name, key, noted in self._watched if name not in _BACKWARD]
        for hooks, key, noted in watched:
            noted.hook, hooks[key] = hooks[key], noted
        try:
            yield
        finally:
            for hooks, key, noted in watched:
                if hooks.get(key) is noted:
                    hooks[key] = noted.hook

    @contextmanager
    def repeated(self) -> Iterator[None]:
        """Reinstall, inside the context, the hooks of the first run; calls that changed nothing are skipped.

        Backward hooks are skipped, too: they observe the backward pass of the first run.
        """
        places = [(part, name) for part, name, _, _ in self._watched] + _places(self._module)
        places += [(part, name) for part, earlier in self._options for name in earlier]
        present = [(part, name, vars(part)[name]) for part, name in places]
        for part, name in places:
            vars(part)[name] = OrderedDict()
        for part, earlier in self._options:
            vars(part).update(earlier)
        for part, name, key, noted in self._watched:
            vars(part)[name][key] = _Again(noted)
        try:
            yield
        finally:
            for part, name, before in present:
                vars(part)[name] = before


class _Watched:
    """A hook inside a module, and the hook's state before each call in which it changed anything.

    A change is a result, a tensor changed in place, an attribute of the module, or the state of a random generator.
    """

    def __init__(self, hook: Any, module: nn.Module, device: torch.device) -> None:
        self.hook, self._module, self._device = hook, module, device
        self.own: Any = hook.own if isinstance(hook, _Watched) else hook
        self.calls: list[tuple[Attributes, RandomStates] | None] = []

    def __call__(self, module: nn.Module, *args: Any) -> Any:
        """Call the hook and record whether it changes anything."""
        parts, drawn = list(self._module.modules()), RandomStates.now(self._device)
        held = Attributes.reached_by(self.own, f"a hook in {type(self._module).__name__}", parts)
        own, before = RandomStates.now(None, held.generators), _state(parts, args)
        is_changed = watched([args, *(value for _, value in plain_attributes(self._module))], parts)
        out = self.hook(module, *args)
        seen = _state(parts, args) == before and not is_changed() and RandomStates.now(self._device) == drawn
        if seen and out is None:
            self.calls.append(None)
            return None
        held.forward_done()
        self.calls.append((held, own))
        return out


class _Again(list[Any]):
    """A hook for one more run, as a list of its states before the calls to come.

    As a list it is a container, which a nested rerun restores like any other.
    """

    def __init__(self, watched: _Watched) -> None:
        super().__init__(watched.calls)
        self._hook = watched.own

    def __call__(self, *args: Any) -> Any:
        """Call the hook in its earlier state; do nothing if that call changed nothing."""
        before = self.pop(0) if self else None
        if before is None:
            return None
        with before[0].restored({}), random_restored(before[1]):
            return self._hook(*args)


def _state(parts: Iterable[nn.Module], args: Any) -> list[int]:
    held = [own for part in parts for own in (vars(part), part._parameters, part._buffers)]
    values = [value for own in held for value in own.values()]
    return [*map(id, values), *versions_of((values, args))]


def _places(module: nn.Module) -> list[tuple[nn.Module, str]]:
    """Modules and their kinds of hooks; of `module` itself, only message hooks are inside the code that is rerun."""
    return [
        (part, name)
        for part in module.modules()
        for name in (*_FORWARD, *_BACKWARD, *MESSAGE_HOOKS)
        if vars(part).get(name) and (part is not module or name in MESSAGE_HOOKS)
    ]
