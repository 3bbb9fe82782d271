"""Which reports were found to be what their measurements give, so that the same files are not computed again."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

from gnn_checkpointing.artefacts import digest, read_json, sha256_of, write_json
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.report.render import MANIFEST, report_code
from gnn_checkpointing.validation.manifest import changed_files
from gnn_checkpointing.validation.pages import TEMPLATES
from gnn_checkpointing.validation.validate import complaints

_LIBRARIES = ("numpy", "scipy", "statsmodels", "matplotlib", "typst")


def believed_complaints(folder: Path, memory: Path) -> list[str]:
    """Return what is wrong with a report; one that this code found nothing wrong with is not computed again.

    `memory` lists the digests of such reports: of the manifest, which has the checksums of all their files, of the code
    and of the libraries. Files that are not those of the manifest are seen each time.
    """
    changed = changed_files(folder)
    if changed:
        return changed
    key = _key(folder)
    known = _known(memory)
    if key in known:
        return []
    found = complaints(folder)
    if not found:
        write_json(memory, sorted({*known, key}))
    return found


def _key(folder: Path) -> str:
    names = [folder.parent.name, folder.name]
    versions = [importlib.metadata.version(name) for name in _LIBRARIES]
    return digest([names, sha256_of(folder / MANIFEST), report_code(TEMPLATES), versions], 32)


def _known(memory: Path) -> list[str]:
    try:
        found = read_json(memory)
    except Refusal:
        return []
    return [str(key) for key in found] if isinstance(found, list) else []
