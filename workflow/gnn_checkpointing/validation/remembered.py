"""Which reports were found to be what their measurements give, so that the same files are not computed again."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from pathlib import Path

from gnn_checkpointing.artefacts import digest, read_json, sha256_of, write_json
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.report.provenance import CRATE
from gnn_checkpointing.report.render import report_code
from gnn_checkpointing.validation.checksums import changed_files
from gnn_checkpointing.validation.pages import TEMPLATES
from gnn_checkpointing.validation.validate import complaints

_LIBRARIES = ("numpy", "scipy", "statsmodels", "matplotlib", "typst")


def believed_complaints(folder: Path, memory: Path, check: Callable[[Path], list[str]] = complaints) -> list[str]:
    """Return what `check` says against a report; one that this code found nothing wrong with is not checked again.

    `memory` lists the digests of such reports: of the crate, which has the checksums of all their files, of our code
    and of the libraries. Files that are not those of the crate are seen each time.
    """
    changed = changed_files(folder)
    if changed:
        return changed
    key = _key(folder, check.__name__)
    known = _known(memory)
    if key in known:
        return []
    found = check(folder)
    if not found:
        _remember(memory, sorted({*known, key}))
    return found


def _key(folder: Path, check: str) -> str:
    names = [check, folder.parent.name, folder.name]
    versions = [importlib.metadata.version(name) for name in _LIBRARIES]
    checking = [sha256_of(path) for path in sorted(Path(__file__).parent.glob("*.py"))]
    return digest([names, sha256_of(folder / CRATE), report_code(TEMPLATES), checking, versions], 32)


def _remember(memory: Path, keys: list[str]) -> None:
    try:
        write_json(memory, keys)
    except OSError:
        return  # where nothing can be written, the next run only checks again


def _known(memory: Path) -> list[str]:
    try:
        found = read_json(memory)
    except Refusal:
        return []
    return [str(key) for key in found] if isinstance(found, list) else []
