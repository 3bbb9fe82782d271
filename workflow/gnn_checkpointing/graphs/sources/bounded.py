"""Sizes of files that unfold when they are read, bounded before they are: archives of arrays, and gzip."""

from __future__ import annotations

import gzip
import math
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gnn_checkpointing.refusal import Refusal, shown

ALWAYS_ALLOWED = 2**30
MOST_TIMES = 64
"""A file may unfold to a gibibyte, and beyond that to 64 times its own size: text and numbers pack 3 to 30 times."""


def most_bytes(path: Path) -> int:
    """How many bytes a packed file may unfold to."""
    return max(ALWAYS_ALLOWED, MOST_TIMES * path.stat().st_size)


def read_arrays(path: Path, remedy: str) -> dict[str, NDArray[Any]]:
    """All arrays of an `.npz` file, never unpickled; else a refusal that names file, reason and remedy."""
    if path.exists() and not path.is_file():
        raise Refusal(f"{path}: not a plain file; name an .npz file")
    try:
        # numpy takes anything that is no zip file for a pickle, and advises to load it unsafely.
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            unfolded = sum(member.file_size for member in members)
            if unfolded > most_bytes(path):
                raise ValueError(
                    f"its arrays have {unfolded:,} bytes, more than {MOST_TIMES} times the file's; save it without "
                    "compression"
                )
            return {member.filename.removesuffix(".npy"): _array(archive, member) for member in members}
    except FileNotFoundError:
        raise Refusal(f"{path}: no such file; make it first, or correct the path") from None
    except Exception as error:  # a damaged archive fails in zipfile, zlib or numpy, each in its own way
        why = shown(" ".join(str(error).split()) or type(error).__name__)
        raise Refusal(f"{path}: not readable as an .npz file ({why}); {remedy}") from None


def refuse_gzip_bomb(path: Path) -> None:
    """Refuse a gzip file that unfolds to more than it may; nothing of it is kept in memory."""
    limit = most_bytes(path)
    # No gzip unfolds to more than 1,032 times its size.
    if path.suffix != ".gz" or 1032 * path.stat().st_size <= limit:
        return
    unfolded = 0
    try:
        with gzip.open(path) as stream:
            while unfolded <= limit and (piece := stream.read(2**20)):
                unfolded += len(piece)
    except (OSError, EOFError):
        return  # not gzip, or damaged: whoever reads it says so
    if unfolded > limit:
        raise Refusal(
            f"{path}: unfolds to more than {limit:,} bytes, {MOST_TIMES} times its size or a gibibyte; replace it by "
            "the original file"
        )


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any]:
    """One array, whose header promises as many bytes as the member has."""
    name = member.filename.removesuffix(".npy")
    with archive.open(member) as stream:
        version = np.lib.format.read_magic(stream)
        read_header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        if version not in read_header:
            raise ValueError(f"array {name} is of the unknown format {version}")
        shape, _, dtype = read_header[version](stream)
        if not dtype.hasobject and math.prod(shape) * dtype.itemsize != member.file_size - stream.tell():
            raise ValueError(f"array {name} has another size than its header says")
    with archive.open(member) as stream:
        array: NDArray[Any] = np.lib.format.read_array(stream, allow_pickle=False)
        return array
