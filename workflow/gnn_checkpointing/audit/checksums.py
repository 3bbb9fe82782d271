"""Compare the files of a published report with the SHA-256 checksums and sizes that its RO-Crate lists."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gnn_checkpointing.artefacts import read_json, sha256_of
from gnn_checkpointing.packed import PACK, packed_files
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.report.provenance import CODE, CRATE, INSIDE

_ADVICE = "; put back the file as it was published"
_NOT_PLAIN = "not a plain file, or one that cannot be read; put the file itself there"


def changed_files(folder: Path) -> list[str]:
    """A complaint for each file that is missing, is not listed, or has changed since it was published."""
    return list(_changed(folder).values())


def refuse_changed(folder: Path, names: Iterable[str]) -> None:
    """Refuse a folder in which any of the files `names` is not as published; accept a folder without a crate."""
    changed = _changed(folder) if (folder / CRATE).is_file() else {}
    for name in (*names, CRATE, PACK):
        if name in changed:
            raise Refusal(f"{changed[name].removesuffix(_ADVICE)}{_ADVICE}")


def made_with(folder: Path) -> str:
    """Digest of the code that made a report, from its crate; empty if the crate does not say."""
    try:
        return str(_entities(folder)[CODE]["softwareVersion"])
    except (Refusal, KeyError, TypeError):
        return ""


def _changed(folder: Path) -> dict[str, str]:
    """Complaints about files, by their names in the folder."""
    try:
        expected = {
            name.removeprefix(INSIDE): (str(one["sha256"]), str(one["contentSize"]))
            for name, one in _entities(folder).items()
            if one["@type"] == "File" or name.startswith(INSIDE)
        }
    except (KeyError, TypeError):
        return {CRATE: f"{folder / CRATE}: no list of files in it; make the report again with `make report-from`"}
    except Refusal as refusal:
        return {CRATE: str(refusal)}
    try:
        packed = packed_files(folder)
    except Refusal as refusal:
        return {PACK: str(refusal)}
    # Hidden files are not part of a report: Snakemake leaves a time stamp in each folder that it made.
    found = [path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()]
    there = {path.relative_to(folder).as_posix(): path for path in found if not path.name.startswith(".")}
    strange = {name: _NOT_PLAIN for name, path in there.items() if path.is_symlink() or not path.is_file()}
    there = {name: path for name, path in there.items() if name not in (*strange, CRATE)}
    if PACK not in there:
        expected.pop(PACK, None)  # the pack was unpacked; its files are compared with their own checksums
    sums = [(name, (hashlib.sha256(content).hexdigest(), str(len(content)))) for name, content in packed.items()]
    sums += [(name, (sha256_of(path), str(path.stat().st_size))) for name, path in there.items()]
    names = {name for name, _ in sums}
    missing, foreign = sorted(expected.keys() - names), sorted(names - expected.keys())
    wrong = {
        name: _NOT_PLAIN if os.path.lexists(folder / name) else f"listed in {CRATE}, and not there" for name in missing
    }
    wrong |= strange | dict.fromkeys(foreign, f"not listed in {CRATE}")
    for name, measures in sorted(sums):
        for what, own, listed in zip(("SHA-256", "size"), measures, expected.get(name, measures), strict=True):
            if own != listed:
                wrong.setdefault(name, f"has changed since it was published ({what} differs from {CRATE})")
    return {name: f"{folder / name}: {text}" for name, text in wrong.items()}


def _entities(folder: Path) -> dict[str, dict[str, Any]]:
    return {str(one["@id"]): one for one in read_json(folder / CRATE)["@graph"]}
