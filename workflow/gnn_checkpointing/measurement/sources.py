"""The source files that a module runs, found through imports, and a digest of each without its prose (torch-free).

Docstrings, comments, layout and the words of refusals and field descriptions do not affect a digest. Registries name
functions in strings, so a string that names a module or package of this project counts as an import of it.
"""

import ast
import hashlib
import importlib.util
import json
import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

from gnn_checkpointing.artefacts import write_text

_NAME = __package__.partition(".")[0]
_COMPILED = (".cpp", ".h", ".cu")
_PACKAGE = "__init__.py"
_STRING = "="
_PROSE = ("description", "help", "title")
_BLANK = re.compile(rb"""("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|(?://[^\n]*|/\*.*?\*/|\s)+""", re.DOTALL)
"""A C++ string or character literal, or else a gap: comments and blanks, which are equivalent except for line ends."""

Source = tuple[str, list[str], list[str]]
"""One file's digest, the modules that it imports outside functions, and all modules that it imports."""


class Sources:
    """The package's files under `root`; the results of reading them are cached beside Python's compiled files."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._memory = Path(importlib.util.cache_from_source(str(root / "names.py"))).with_suffix(".json")
        self._read: dict[str, Source] = {}
        self._data: dict[Path, dict[Path, str]] = {}
        self._changed = False
        # Sorted, so that a package's file takes the place of a module's of the same name.
        paths = sorted(root.rglob("*.py"), key=lambda path: path.name == _PACKAGE)
        self._there = {_module(path.relative_to(root.parent)): path for path in paths}
        try:
            self._kept = json.loads(self._memory.read_text())
        except (OSError, ValueError):
            self._kept = {}

    def of(self, roots: Iterable[str], without: Collection[str] = ()) -> dict[str, str]:
        """Digests by path of all files that the modules and packages `roots` run, without the modules `without`."""
        found: dict[str, bool] = {}
        waiting = [(module, True) for root in roots for module in self._modules(root)]
        while waiting:
            module, wholly = waiting.pop()
            if module in without or found.get(module, -1) >= wholly:
                continue
            found[module] = wholly
            _, imports, later = self._source(module)
            # Python runs a package before its modules, but not the functions that the root package imports lazily.
            waiting += [(above, False) for above in [module.rpartition(".")[0]] if above]
            waiting += [(each, True) for each in imports + (later if wholly and "." in module else [])]
        digests = {self._path(module): self._source(module)[0] for module in found}
        for folder in {self._path(module).parent for module in found if "." in module}:
            digests |= self._beside(folder)
        if self._changed:
            self._changed = False
            with suppress(OSError):  # in a read-only folder, the files are simply read again
                write_text(self._memory, json.dumps(self._kept))
        return {path.relative_to(self.root).as_posix(): digest for path, digest in digests.items()}

    def _modules(self, name: str) -> list[str]:
        """The module of that name, or all modules of a package."""
        # A folder without a package's file is left over from a deleted package.
        if self._path(name).name != _PACKAGE:
            return [name]
        return [module for module in self._there if f"{module}.".startswith(f"{name}.")]

    def _path(self, module: str) -> Path:
        return self._there.get(module) or self.root.parent.joinpath(*module.split(".")).with_suffix(".py")

    def _beside(self, folder: Path) -> dict[Path, str]:
        """Digests of the files that are compiled or read beside the modules of a folder."""
        if folder not in self._data:
            read = {path: path.read_bytes() for kind in ("*.yaml", "*.csv") for path in folder.glob(kind)}
            for path in folder.glob("csrc/*"):
                if path.suffix in _COMPILED:
                    content = _BLANK.sub(
                        lambda match: match[1] or b"\n"[: b"\n" in match[0]] or b" ", path.read_bytes()
                    )
                    read[path] = content.strip()
            self._data[folder] = {path: hashlib.sha256(content).hexdigest() for path, content in read.items()}
        return self._data[folder]

    def _source(self, module: str) -> Source:
        if module not in self._read:
            path = self._path(module)
            stat = path.stat()
            stamp = [stat.st_mtime_ns, stat.st_size]
            if self._kept.get(module, [])[:2] != stamp:
                tree = ast.parse(path.read_bytes())
                names = [sorted(_names(tree, deferred)) for deferred in (False, True)]
                self._kept[module] = [*stamp, _digest(tree), *names]
                self._changed = True
            _, _, digest, *names = self._kept[module]
            # The names are resolved anew: other files may have come or gone although this one is unchanged.
            self._read[module] = (digest, *map(self._modules_of, names))
        return self._read[module]

    def _modules_of(self, names: list[str]) -> list[str]:
        """Modules that imports and strings name; a string that names a package means all of its modules."""
        found = {self._existing(name) for name in names if not name.startswith(_STRING)}
        packages = {self._existing(name.removeprefix(_STRING)) for name in names if name.startswith(_STRING)}
        return sorted(found.union(*map(self._modules, packages - {_NAME})))

    def _existing(self, dotted: str) -> str:
        """Longest prefix of a dotted name that is a module or a package."""
        parts = re.split(r"[.:]", dotted)
        while len(parts) > 1 and ".".join(parts) not in self._there:
            parts.pop()
        return ".".join(parts)


def _module(path: Path) -> str:
    """The name of a module by its path, below the folder of its root package."""
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if path.name == _PACKAGE else parts)


def _names(tree: ast.Module, deferred: bool) -> set[str]:
    """Imports of this package in a module, and (marked) strings that begin with its name and a dot."""
    names = set()
    for node in _run(tree, deferred):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith(f"{_NAME}."):
            names.add(_STRING + node.value)
    return {name for name in names if name.removeprefix(_STRING).partition(".")[0] == _NAME}


def _run(node: ast.AST, deferred: bool) -> Iterator[ast.AST]:
    """Nodes that run at import, with `deferred` also those inside functions; none that are for type checkers only."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        if deferred or not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _run(child, deferred)


def _digest(tree: ast.Module) -> str:
    """Digest of a module without its prose, which is removed from `tree`."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [part for part in body if not _is_text(part)]  # type: ignore[attr-defined] # it has one
        if isinstance(node, ast.keyword) and node.arg in _PROSE and isinstance(node.value, ast.Constant):
            node.value = ast.Constant("")
        if isinstance(node, ast.Raise):
            for word in ast.walk(node):
                if isinstance(word, ast.Constant) and isinstance(word.value, str):
                    word.value = ""
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()


def _is_text(statement: ast.AST) -> bool:
    """Whether a statement is only a string: a docstring, or the note below a constant."""
    value = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, str)


@cache
def of_this_package() -> Sources:
    """Sources of the package that this process runs."""
    return Sources(Path(__file__).resolve().parent.parent)
