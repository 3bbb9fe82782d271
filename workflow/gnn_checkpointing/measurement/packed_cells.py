"""A graph's records and traces in one file, so that a workflow can hand them from one machine to another."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

from gnn_checkpointing.artefacts import whole_file
from gnn_checkpointing.refusal import Refusal

PACKED = "cells.zip"


def pack_cells(folder: Path, names: Sequence[str]) -> None:
    """Write `cells.zip` into the folder, beside the files that it holds."""
    with whole_file(folder / PACKED) as stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.write(folder / name, name)


def unpack_cells(folder: Path, names: Sequence[str]) -> None:
    """Take from `cells.zip` the files that are not in the folder; whoever reads them checks what they hold."""
    missing = [name for name in names if not (folder / name).exists()]
    if not missing or not (folder / PACKED).exists():
        return
    try:
        with zipfile.ZipFile(folder / PACKED) as archive:
            for name in missing:
                archive.extract(name, folder)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise Refusal(f"{folder / PACKED}: not readable ({error}); delete {folder} and measure again") from None
