"""Nothing of PyG's is left in the folder for temporary files: it writes one for each class of layers and process."""

from __future__ import annotations

import linecache
import sys
from pathlib import Path
from typing import Any

from torch_geometric.nn.conv import message_passing

_made = message_passing.module_from_template


def _module_from_template(*arguments: Any, **options: Any) -> Any:
    """The module that PyG made of a template, without its file; its lines are kept for tracebacks and compilers."""
    written, sys.dont_write_bytecode = sys.dont_write_bytecode, True  # else Python keeps a compiled copy beside it
    try:
        module = _made(*arguments, **options)
    finally:
        sys.dont_write_bytecode = written
    path = Path(str(module.__file__))
    if path.exists():
        lines = path.read_text().splitlines(keepends=True)
        # Without a date, an entry is never compared with its file.
        linecache.cache[str(path)] = (sum(map(len, lines)), None, lines, str(path))
        path.unlink()
    return module


message_passing.module_from_template = _module_from_template
