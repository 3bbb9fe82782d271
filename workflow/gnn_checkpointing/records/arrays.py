"""Arrays in `.npz` files: never unpickled, and their size is checked before they are read."""

import math
import os
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gnn_checkpointing.refusal import Refusal, out_of_reach, shown

ALWAYS_ALLOWED = 2**30
MOST_TIMES = 64
"""A file may expand to a gibibyte or to 64 times its size, whichever is more: data compress 3 to 30 times."""


def most_bytes(path: Path) -> int:
    """Largest size in bytes that a compressed file may expand to."""
    return max(ALWAYS_ALLOWED, MOST_TIMES * path.stat().st_size)


def read_arrays(path: Path, names: Iterable[str] | None, remedy: str) -> dict[str, NDArray[Any]]:
    """Read these (or all) arrays of an `.npz` file, never unpickled; a refusal names the file, reason and remedy."""
    if os.path.exists(path) and not path.is_file():  # noqa: PTH110 - pathlib's raises if a name is too long
        raise Refusal(f"{path}: not a plain file; name an .npz file")
    try:
        # numpy takes any file that is not a zip archive for a pickle, and advises loading it unsafely.
        with zipfile.ZipFile(path) as archive:
            members = {member.filename.removesuffix(".npy"): member for member in archive.infolist()}
            if len(members) < len(archive.infolist()):
                raise ValueError("it holds two arrays of one name")
            unfolded = sum(member.file_size for member in members.values())
            if unfolded > most_bytes(path):
                raise ValueError(
                    f"its arrays have {unfolded:,} bytes, more than {MOST_TIMES} times the file's; save it without "
                    "compression"
                )
            return {name: _array(archive, name, members.get(name)) for name in names or members}
    except FileNotFoundError:
        raise Refusal(f"{path}: no such file; make it first, or correct the path") from None
    except Exception as error:
        if isinstance(error, OSError) and error.filename is not None:  # it could not be opened
            raise out_of_reach(path, error) from None
        # A damaged archive can fail in zipfile, zlib or numpy, with different exceptions.
        why = shown(" ".join(str(error).split()) or type(error).__name__)
        raise Refusal(f"{path}: not readable as an .npz file ({why}); {remedy}") from None


def _array(archive: zipfile.ZipFile, name: str, member: zipfile.ZipInfo | None) -> NDArray[Any]:
    """Read one array after checking that its header promises as many bytes as the member has."""
    if member is None:
        raise ValueError(f"array {name} is missing")
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
