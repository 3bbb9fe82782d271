"""A user's own model in a study, named by `package.module:function`: its short name, and its files (torch-free).

Modules are searched first in the folder where the command runs, then in Python's search path.
"""

import ast
import importlib
import sys
from collections.abc import Iterator
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from gnn_checkpointing.refusal import Refusal, shown
from gnn_checkpointing.study.vocabulary import slug

_OURS = __package__.partition(".")[0]
_MOST_FILES = 2000


def module_and_function(module: str) -> tuple[str, str]:
    """Split `package.module:function` into its two halves; raises `ValueError` if it has another form."""
    name, _, function = module.partition(":")
    if not function.isidentifier() or not all(part.isidentifier() for part in name.split(".")):
        raise ValueError(
            f"module {shown(module)}: write it as package.module:function, such as my_package.my_model:build"
        )
    return name, function


def own_name(module: str) -> str:
    """Short name of the model in tables and figures: the module's last part, and the function unless it is `build`."""
    name, function = module_and_function(module)
    last = name.rpartition(".")[2]
    return slug(last if function == "build" else f"{last} {function}", "own-model")


def module_files(module: str) -> dict[str, Path]:
    """Files of the module, of its parent packages, and of the user's own modules that these import.

    A module is the user's own if it is in the folder where the command runs, or in the model's own top-level package.
    The keys are paths relative to the place where the top-level package was found.
    """
    name, function = module_and_function(module)
    importlib.invalidate_caches()
    found: dict[str, Path] = {}
    searched: set[str] = set()
    waiting = [name]
    while waiting:
        wanted = waiting.pop()
        if wanted in searched or not (wanted == name or _is_own(wanted, name)):
            continue
        searched.add(wanted)
        spec = _spec(wanted)
        if spec is None:
            if wanted == name:
                raise Refusal(
                    f"module {module}: there is no {name} in {Path.cwd()}, where the command runs, nor where Python "
                    "looks for modules; correct the name, or run the command in the folder that holds it"
                )
            continue  # a name in a module, or a module that is not installed: importing it will fail
        above = wanted.rpartition(".")[0]
        waiting += [above] if above else []
        if spec.origin is None or not Path(spec.origin).is_file():
            continue  # a folder without __init__.py
        path, is_package = Path(spec.origin), spec.submodule_search_locations is not None
        end = f"/{path.name}" if is_package else path.name[len(path.stem) :]
        found[wanted.replace(".", "/") + end] = path
        if len(found) > _MOST_FILES:
            raise Refusal(f"module {module}: it imports more than {_MOST_FILES} files of your own; name a smaller one")
        if path.suffix == ".py":
            tree = _tree(module, path)
            waiting += _imports(tree, wanted if is_package else above)
            if wanted == name and not {function, "*", "__getattr__"} & set(_bound(tree)):
                raise Refusal(f"module {module}: {path} has no function {function}; name one that returns the model")
    return dict(sorted(found.items()))


def _is_own(wanted: str, name: str) -> bool:
    top = wanted.partition(".")[0]
    if top == _OURS:
        return False  # a result depends on this package's code in any case
    return top == name.partition(".")[0] or PathFinder.find_spec(top, [str(Path.cwd())]) is not None


def _spec(name: str) -> ModuleSpec | None:
    """Locate a module without importing anything."""
    folders: list[str] | None = [str(Path.cwd()), *filter(None, sys.path)]
    spec = None
    for part in name.split("."):
        # Search for one part at a time: given a dotted name, Python would use packages that are already imported.
        spec = None if folders is None else PathFinder.find_spec(part, folders)
        if spec is None:
            return None
        folders = None if spec.submodule_search_locations is None else list(spec.submodule_search_locations)
    return spec


def _tree(module: str, path: Path) -> ast.Module:
    try:
        return ast.parse(path.read_bytes())
    except SyntaxError as error:
        raise Refusal(f"module {module}: {path}, line {error.lineno}: {error.msg}; correct it") from None
    except (OSError, ValueError, RecursionError, MemoryError) as error:
        raise Refusal(f"module {module}: {path}: not readable as Python ({error}); correct it") from None


def _imports(tree: ast.Module, package: str) -> Iterator[str]:
    """Everything that a module may import, anywhere in it; a name after `from ... import` may be a module, too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package.split(".")[: 1 - node.level or None])
            whole = ".".join(filter(None, (base if node.level else "", node.module or "")))
            yield from filter(None, (whole, *(f"{whole}.{alias.name}".strip(".") for alias in node.names)))


def _bound(tree: ast.Module) -> Iterator[str]:
    """All names that are bound anywhere in a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.alias):
            yield node.asname or node.name.partition(".")[0]
