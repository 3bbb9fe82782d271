"""Checks of the user's own files before they are read: right kind, known checksum, bounded size."""

import gzip
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from operator import ne
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gnn_checkpointing.artefacts import sha256_of
from gnn_checkpointing.graphs.pairs import Numbers
from gnn_checkpointing.records.arrays import MOST_TIMES, most_bytes
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.graph_entries import RealGraph

LARGEST = np.float64(np.finfo(np.float32).max)
"""Largest feature, which is a single-precision number. A numpy scalar: half-precision arrays would turn a Python
float into infinity."""

# Files that PyG and ogb read without ever unpickling; every other kind of raw file could run code when it is opened.
# `.npy` is not among them, since PyG unpickles those of one dataset class; GraphSAINT's it reads safely.
HARMLESS_SUFFIXES = (".npz", ".mat", ".json", ".txt", ".csv", ".gz")
HARMLESS_FILES = ("feats.npy",)

_COMPRESSED = 15
"""The kind of a compressed element of a MATLAB file."""

KNOWN_SHA256 = {
    # Planetoid Cora, https://github.com/kimiyoung/planetoid/tree/master/data
    "ind.cora.x": "23cfa55d91c6f624233f5eb7b6e3f141f1bd2b2ae39608a63cf5d084bb27baab",
    "ind.cora.tx": "b9afbaa4a400df991f6f02ef677e1e44da55ffc04801fd02f9e673987829226a",
    "ind.cora.allx": "9419ba2f26f5c35243db64aba110e0f35a04851609e0dc5433450676ca6b8543",
    "ind.cora.y": "94465c14eb53e04ca262198dcbb2521ee8af60fb3f3d546cd6ca24a511b0e7d1",
    "ind.cora.ty": "41f5ac76596a1699cc33f53084a2419e92961c42bb75f36fc38e616d348532ad",
    "ind.cora.ally": "2b998f5cc7fedc86e7f97ca2498f47a1ffc1462c29e2d578b23bf3f62b6e7d71",
    "ind.cora.graph": "58f13302f39dde8852dad6fe6d15b89b077b6d7f837626bce671ef80344b383d",
    "ind.cora.test.index": "297ce89af2b51a6a194181c7dbe1796c6a1cf9cd9349a88383b1b1e227867875",
}


@dataclass(frozen=True)
class Loaded:
    """Features `[num_nodes, num_features]`, edges `[2, num_edges]` in any order, labels `[num_nodes]` (below 0: none).

    `files` holds the SHA-256 of every file read, by name; `notes` describe changes made while reading.
    """

    features: NDArray[np.float32]
    edge_index: Numbers
    labels: NDArray[Any]
    files: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def below(data_root: Path | None, key: str, path: Path) -> Path:
    """Location of one of the user's files or folders: `path` itself if absolute, otherwise below data_root."""
    if not path.is_absolute() and data_root is None:
        raise Refusal(f"{key} {path} is below data_root, which is not set; set it in the study")
    return path if data_root is None else data_root / path


def user_path(path: Path, advice: str, folder: bool = False) -> Path:
    """Check that one of the user's files or folders exists and is of that kind; else refuse with cause and `advice`."""
    place, wanted = os.path.abspath(path), "folder" if folder else "plain file"  # noqa: PTH100 - links may lead in circles
    is_right = stat.S_ISDIR if folder else stat.S_ISREG
    try:
        if is_right(path.stat().st_mode):
            return path
        cause = f"{place} is no {wanted}"
    except FileNotFoundError:
        cause = f"no folder {place}" if folder else f"{place} is missing"
    except OSError as error:
        cause = f"{place}: {(error.strerror or str(error)).lower()}"
    raise Refusal(f"{cause}; {advice}")


def checked_sha256(source: RealGraph, path: Path) -> str:
    """SHA-256 of one of the user's files, which is never unpickled; refused if the study lists a different one."""
    found = sha256_of(path)
    refuse_other(source, path, found, unpickled=False)
    return found


def refuse_other(source: RealGraph, path: Path, found: str, *, unpickled: bool = True) -> None:
    """Refuse a file whose SHA-256 differs from the known one, or a file that could run code if none is known."""
    known = KNOWN_SHA256.get(path.name, source.sha256.get(path.name))
    harmless = path.suffix in HARMLESS_SUFFIXES or path.name in HARMLESS_FILES or not unpickled
    if known is None and not harmless:
        raise Refusal(
            f"{path.resolve()} is a pickle, which can run code when it is opened, and its SHA-256 is not known, so it "
            f"was not opened; compare the output of `sha256sum {path.resolve().parent}/*` with a source that you trust "
            "and list file names and checksums under sha256 in the graph's entry"
        )
    if known is not None and found != known:
        raise Refusal(
            f"{path.resolve()} has SHA-256 {found}, not {known}, so it was not opened; replace it by the original file"
        )


def single_precision(values: NDArray[Any]) -> tuple[NDArray[np.float32], list[str]]:
    """Convert values to single precision, with notes on integers that lose digits and small numbers that become 0."""
    narrow = values.astype(np.float32)
    large = np.abs(narrow) >= 2**24
    # Python compares integers and floats exactly, numpy only after rounding both.
    rounded = map(ne, narrow[large].tolist(), values[large].tolist())
    lost = {
        "beyond 16,777,216 are rounded to single precision": sum(rounded),
        "are too small for single precision, and 0": int(((narrow == 0) & (values != 0)).sum()),
    }
    return narrow, [f"{count:,} features {what}" for what, count in lost.items() if count]


def refuse_bomb(path: Path) -> None:
    """Refuse a compressed file that expands to more than the limit, without keeping its content in memory."""
    limit = most_bytes(path)
    # Apart from archives, none of the formats expands to more than 1,032 times its size.
    if path.suffix != ".npz" and 1032 * path.stat().st_size <= limit:
        return
    unfolded = 0
    try:
        for piece in _unfolded(path):
            unfolded += piece
            if unfolded > limit:
                break
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error, struct.error):
        return  # of another kind, or damaged: the actual reader reports that
    if unfolded > limit:
        raise Refusal(
            f"{path}: unfolds to more than {limit:,} bytes, {MOST_TIMES} times its size or a gibibyte; replace it by "
            "the original file"
        )


def _unfolded(path: Path) -> Iterator[int]:
    """Yield the sizes of the pieces that a compressed file expands to; nothing for files of other kinds."""
    if path.suffix == ".gz":
        with gzip.open(path) as unzipped:
            while piece := unzipped.read(2**20):
                yield len(piece)
    elif path.suffix == ".npz":
        with zipfile.ZipFile(path) as archive:
            yield from (member.file_size for member in archive.infolist())
    elif path.suffix == ".mat":
        with path.open("rb") as stream:
            order = "<" if stream.read(128).endswith(b"IM") else ">"
            while tag := stream.read(8):
                kind, length = struct.unpack(f"{order}II", tag)
                rest, decoder = stream.read(length), zlib.decompressobj()
                while kind == _COMPRESSED and (piece := decoder.decompress(rest, 2**20)):
                    yield len(piece)
                    rest = decoder.unconsumed_tail
