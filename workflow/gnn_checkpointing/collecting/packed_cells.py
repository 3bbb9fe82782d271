"""A graph's records and traces in one file, so that a workflow can hand them from one machine to another."""

from __future__ import annotations

import zipfile
from pathlib import Path

from gnn_checkpointing.artefacts import read_json, whole_file
from gnn_checkpointing.refusal import Refusal

PACKED = "cells.zip"


def pack_cells(complete: Path) -> None:
    """Write `cells.zip` beside a `complete.json`, with the files that it lists."""
    folder = complete.parent
    with whole_file(folder / PACKED) as stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in _listed(complete):
            archive.write(folder / name, name)


def unpack_cells(complete: Path) -> None:
    """Take from `cells.zip` the listed files that are not there; whoever reads them checks what they hold."""
    folder = complete.parent
    if not (folder / PACKED).exists():
        return
    missing = [name for name in _listed(complete) if not (folder / name).exists()]
    try:
        with zipfile.ZipFile(folder / PACKED) as archive:
            for name in missing:
                archive.extract(name, folder)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise Refusal(f"{folder / PACKED}: not readable ({error}); delete {folder} and measure again") from None


def _listed(complete: Path) -> list[str]:
    listed = read_json(complete)
    return [*listed["cells"], *listed["traces"]]
