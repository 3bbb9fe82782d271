"""What a registry's row names in another file, imported only where it is used, since that may need torch."""

from __future__ import annotations

import importlib
from typing import Any


def imported(dotted: str) -> Any:
    """The function that `package.module:function` names."""
    module, _, attribute = dotted.partition(":")
    return getattr(importlib.import_module(module), attribute)
