"""Raw files of public datasets: found, else downloaded to a folder of ours; handed on as checked copies."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path

from gnn_checkpointing.artefacts import seal, sealed_bytes, sha256_of, whole_file
from gnn_checkpointing.graphs.sources.bounded import refuse_gzip_bomb
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.graph_entries import RealGraph

DOWNLOADS = Path("results/downloads")
SILENT_SECONDS = 60.0
SOCKET_SECONDS = 15.0

# What PyG and ogb read without ever unpickling; every other kind of raw file could run code when it is opened. A `.npy`
# is not among them: PyG tells numpy to unpickle one class's. That of GraphSAINT's graphs it reads as it should.
HARMLESS_SUFFIXES = (".npz", ".mat", ".json", ".txt", ".csv", ".gz")
HARMLESS_FILES = ("feats.npy",)

_KINDS = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "folder",
    stat.S_IFIFO: "pipe",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "device",
}

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


def provide(
    source: RealGraph, data_root: Path | None, inner: Path, names: list[str], target: Path, download: Callable[[], None]
) -> tuple[Path, dict[str, str]]:
    """Fill `target` with checked copies of the raw files `names`; the folder they came from and their SHA-256.

    `inner` is PyG's place for them below its root (such as Cora/raw); `download` is PyG's, and writes to `target`.
    """

    def missing(folder: Path) -> list[str]:
        return [name for name in names if not (folder / name).is_file()]

    place = Path(str(source.dataset)) / inner
    folders = [root / place for root in (data_root, DOWNLOADS) if root is not None]
    folder = next((folder for folder in folders if not missing(folder)), None)
    target.mkdir(parents=True, exist_ok=True)
    if folder is None:
        folder = DOWNLOADS / place
        try:
            _within_patience(download, target)
            for name in names:  # each whole or not at all, and sealed: they stand for what was published
                with (target / name).open("rb") as downloaded, whole_file(folder / name) as kept:
                    shutil.copyfileobj(downloaded, kept)
                seal(folder / name)
        except Exception as error:  # offline shows as any of urllib's, aiohttp's, ssl's and the system's errors
            why = " ".join(str(error).split()) or type(error).__name__
            hint = "; or set data_root in the study to a folder that holds them" if data_root is None else ""
            raise Refusal(
                f"raw files of {source.dataset} are neither here nor downloadable ({why}); put "
                f"{', '.join(missing(folders[0]))} into {folders[0].resolve()}{hint}"
            ) from None
    digests = {}
    for name in names:
        refuse_gzip_bomb(folder / name)
        content = sealed_bytes(folder / name)
        digests[name] = hashlib.sha256(content).hexdigest()
        _refuse_other(source, folder / name, digests[name])
        # PyG reads the copy, so nothing can change between the check and the reading.
        (target / name).write_bytes(content)
    return folder, digests


def below(data_root: Path | None, key: str, path: Path) -> Path:
    """Where a file or folder of the user's own lies: `path` itself, or below data_root."""
    if not path.is_absolute() and data_root is None:
        raise Refusal(f"{key} {path} is below data_root, which is not set; set it in the study")
    return path if data_root is None else data_root / path


def user_path(path: Path, advice: str, folder: bool = False) -> Path:
    """A file, or folder, of the user's own that is there and of that kind; else refused with the cause and `advice`."""
    place, wanted = os.path.abspath(path), "folder" if folder else "file"  # noqa: PTH100 - links may lead in circles
    try:
        found = _KINDS.get(stat.S_IFMT(path.stat().st_mode), "something else")
    except FileNotFoundError:
        cause = f"no {wanted} {place}" if folder else f"{place} is missing"
    except OSError as error:
        cause = f"{place}: {(error.strerror or str(error)).lower()}"
    else:
        if found == wanted:
            return path
        cause = f"{place} is a {found}, not a {wanted}"
    raise Refusal(f"{cause}; {advice}")


def checked_sha256(source: RealGraph, path: Path) -> str:
    """The SHA-256 of a file of the user's own, refused where the study knows another."""
    found = sha256_of(path)
    _refuse_other(source, path, found)
    return found


def _refuse_other(source: RealGraph, path: Path, found: str) -> None:
    """Refuse a file whose SHA-256 is not the known one, or that could run code and has no known one."""
    known = KNOWN_SHA256.get(path.name, source.sha256.get(path.name))
    if known is None and path.suffix not in HARMLESS_SUFFIXES and path.name not in HARMLESS_FILES:
        raise Refusal(
            f"{path.resolve()} is a pickle, which can run code when it is opened, and its SHA-256 is not known, so it "
            f"was not opened; compare the output of `sha256sum {path.resolve().parent}/*` with a source that you trust "
            "and list file names and checksums under sha256 in the graph's entry"
        )
    if known is not None and found != known:
        raise Refusal(
            f"{path.resolve()} has SHA-256 {found}, not {known}, so it was not opened; replace it by the original file"
        )


def _within_patience(download: Callable[[], None], target: Path) -> None:
    """Run a download; give up once nothing has arrived in `target` for SILENT_SECONDS.

    PyG sets no time limit of its own, and behind a firewall that drops packets it would wait for minutes.
    """
    errors: list[Exception] = []

    def run() -> None:
        try:
            download()
        except Exception as error:
            errors.append(error)

    worker = threading.Thread(target=run, daemon=True)
    limit = socket.getdefaulttimeout()
    socket.setdefaulttimeout(SOCKET_SECONDS)
    try:
        worker.start()
        arrived, since = 0, time.monotonic()
        while worker.is_alive():
            worker.join(0.1)
            now = sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
            if now > arrived:
                arrived, since = now, time.monotonic()
            if worker.is_alive() and time.monotonic() - since > SILENT_SECONDS:
                raise TimeoutError(f"nothing arrived for {SILENT_SECONDS:g} s")
    finally:
        socket.setdefaulttimeout(limit)
    if errors:
        raise errors[0]
