"""Every claim, written before the data; each module here has a `PLACE` in the ledger and its `CLAIMS`."""

from __future__ import annotations

import pkgutil
from importlib import import_module

from gnn_checkpointing.claims.template import Template


def catalogue() -> tuple[Template, ...]:
    """Every claim of every module, in the order of their places."""
    modules = [import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
    ordered = sorted(modules, key=lambda module: (module.PLACE, module.__name__))
    return tuple(claim for module in ordered for claim in module.CLAIMS)
