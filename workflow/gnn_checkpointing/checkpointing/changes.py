"""The attributes that a policy has set on a model's modules, so that they can be given back."""

from __future__ import annotations

from typing import Any

from torch import nn


class Changes:
    """Sets attributes of modules and remembers what was there before."""

    def __init__(self) -> None:
        self._before: list[tuple[nn.Module, str, bool, Any]] = []

    def set(self, module: nn.Module, name: str, value: Any) -> None:
        """Give `module` itself, not its class, the attribute `name`."""
        self._before.append((module, name, name in vars(module), vars(module).get(name)))
        vars(module)[name] = value

    def undo(self) -> None:
        """Give every attribute its earlier value, the latest change first."""
        for module, name, had, before in reversed(self._before):
            vars(module).pop(name, None)
            if had:
                vars(module)[name] = before
        self._before.clear()
