"""`manifest.json`: the SHA-256 of every file of a published report, and what a folder says against it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from gnn_checkpointing.artefacts import read_json, sha256_of
from gnn_checkpointing.packed import PACK, packed_files
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.report.render import MANIFEST


def changed_files(folder: Path) -> list[str]:
    """Return a complaint for each file that lacks, is not listed, or has changed since it was published."""
    try:
        listed = read_json(folder / MANIFEST)["files"]
        expected = {str(name): str(sha256) for name, sha256 in listed.items()}
    except Refusal as refusal:
        return [str(refusal)]
    except (KeyError, TypeError, AttributeError):
        return [f"{folder / MANIFEST}: no list of files in it; make the report again with `make report-from`"]
    # Hidden files are no part of a report: Snakemake leaves a time stamp in each folder that it made.
    found = [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")]
    there = {path.relative_to(folder).as_posix(): path for path in found}
    for name in (MANIFEST, PACK):
        there.pop(name, None)
    try:
        packed = packed_files(folder)
    except Refusal as refusal:
        return [str(refusal)]
    sums = [(name, hashlib.sha256(content).hexdigest()) for name, content in packed.items()]
    sums += [(name, sha256_of(path)) for name, path in there.items()]
    names = {name for name, _ in sums}
    complaints = [f"{folder / name}: listed in {MANIFEST}, and not there" for name in sorted(expected.keys() - names)]
    complaints += [f"{folder / name}: not listed in {MANIFEST}" for name in sorted(names - expected.keys())]
    complaints += [
        f"{folder / name}: has changed since it was published (SHA-256 differs from {MANIFEST})"
        for name, checksum in sorted(sums)
        if checksum != expected.get(name, checksum)
    ]
    return complaints


def made_with(folder: Path) -> str:
    """Return the digest of the code that made a report, as its manifest has it; nothing where it does not say."""
    try:
        return str(read_json(folder / MANIFEST).get("code", ""))
    except (Refusal, AttributeError):
        return ""


def refuse_changed(folder: Path, names: Iterable[str]) -> None:
    """Refuse a folder some of whose files, of those `names`, are not what was published; without a list, take it."""
    if not (folder / MANIFEST).is_file():
        return
    for complaint in changed_files(folder):
        if complaint.startswith(
            tuple(f"{folder / name}{end}" for name in (*names, MANIFEST, PACK) for end in (":", ".gz:"))
        ):
            raise Refusal(f"{complaint}; put back the file as it was published")
