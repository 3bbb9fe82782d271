"""Files of a published folder, which are plain or packed together in its `data.tar.xz`.

A reader asks for `FOLDER/analysis/effects.json` and need not know which form the folder has. The archive is a tar file
compressed with xz, so `tar xf data.tar.xz` gives the plain form, which can be read too.
"""

import io
import lzma
import os
import stat
import tarfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path, PurePosixPath

from gnn_checkpointing.refusal import Refusal, out_of_reach, shown

PACK = "data.tar.xz"

MOST_BYTES = 2**29
"""Size of the largest file that is read whole. The largest published file has a thirtieth of it."""

_MOST_EXPANDED = 100
"""Published data shrink to a twentieth; a file that shrinks to less than a hundredth is made to exhaust memory."""

_FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "lc": 4, "lp": 0, "pb": 0, "dict_size": 2**24}]
"""Tuned for text: 2 % smaller than with the usual settings."""

_MEMORY = 2**27
"""Memory limit in bytes for the dictionary that an archive asks for; ours need a tenth."""


def pack_of(contents: Mapping[str, bytes]) -> bytes:
    """Pack files, given by name, into an archive; the same files give the same bytes."""
    return lzma.compress(_tar_of(contents), filters=_FILTERS)


def _tar_of(contents: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in sorted(contents.items()):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


def bounded_bytes(path: Path) -> bytes:
    """Read the bytes of a plain or packed file.

    Raises `Refusal` if the file is too large for memory or cannot be read, and `FileNotFoundError` if it does not
    exist.
    """
    try:
        if not path.exists():
            pack, name = _place(path)
            if pack is not None and name in (found := packed_files(pack.parent)):
                return found[name]
        return _plain(path)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise out_of_reach(path, error) from None


def is_there(path: Path) -> bool:
    """Whether `bounded_bytes` would find the file; True also if the archive that may hold it cannot be read."""
    pack, name = _place(path)
    try:
        return path.is_file() or (pack is not None and name in packed_files(pack.parent))
    except Refusal:
        return True


def packed_files(folder: Path) -> Mapping[str, bytes]:
    """Files in a folder's archive by name; empty if there is no archive."""
    pack = folder / PACK
    if not pack.is_file():
        if os.path.lexists(pack):
            raise Refusal(f"{pack}: not a plain file; put back the file as it was published")
        return {}
    found = pack.stat()
    return _packed_files(pack, found.st_mtime_ns, found.st_size, found.st_ino)


@lru_cache(maxsize=2)
def _packed_files(pack: Path, *_: int) -> Mapping[str, bytes]:
    content = _plain(pack)
    most = min(MOST_BYTES, _MOST_EXPANDED * len(content) + 2**20)
    try:
        stream = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MEMORY)
        expanded = stream.decompress(content, most + 1)
        if len(expanded) > most:
            raise Refusal(f"{pack}: expands to more than {most} bytes; it is not a file of this project")
        if not stream.eof or stream.unused_data:
            raise EOFError("it ends too early, or goes on after its end")
        files: dict[str, bytes] = {}
        with tarfile.open(fileobj=io.BytesIO(expanded), mode="r:") as archive:
            for entry in archive:
                name = PurePosixPath(entry.name)
                plain = entry.isreg() and entry.name == str(name) and not name.is_absolute()
                if not plain or ".." in name.parts or entry.name in files:
                    raise Refusal(
                        f"{pack}: {shown(entry.name)} in it is no plain file, has a path that leads out of the folder, "
                        "or is there twice; put back the file as it was published"
                    )
                member = archive.extractfile(entry)
                files[entry.name] = member.read() if member else b""
        # Any other bytes would be read by some programs and ignored by others.
        if _tar_of(files) != expanded:
            raise Refusal(
                f"{pack}: packed by another program, or holds more than its files; put back the published file"
            )
    except (lzma.LZMAError, tarfile.TarError, EOFError, ValueError, OverflowError) as error:
        raise Refusal(f"{pack}: not readable ({error}); put back the file as it was published") from None
    return files


def _place(path: Path) -> tuple[Path | None, str]:
    """Archive that may hold a file, in the file's folder or the one above, and the file's name inside the archive."""
    for folder in (path.parent, path.parent.parent):
        if os.path.lexists(folder / PACK) and path.name != PACK:
            return folder / PACK, path.relative_to(folder).as_posix()
    return None, ""


def _plain(path: Path) -> bytes:
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise Refusal(f"{path}: not a plain file; put the file itself there")
    if found.st_size > MOST_BYTES:
        raise Refusal(f"{path}: {found.st_size} bytes, at most {MOST_BYTES} are read; it is not a file of this project")
    return path.read_bytes()
