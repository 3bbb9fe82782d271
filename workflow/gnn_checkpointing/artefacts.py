"""Writing and reading the project's files: whole or not at all, and never by pickle."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from gnn_checkpointing.refusal import Refusal


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file that takes the name `path` only once it is complete and on disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).chmod(0o644)
        seal_file(path).unlink(missing_ok=True)  # it is of what stood here before
        Path(temporary).replace(path)
    except BaseException as error:
        Path(temporary).unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno is not None and error.filename is None:
            error.filename = str(path)  # of a full disk, writing says nothing but that
        raise


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text to `path`, whole or not at all."""
    with whole_file(path) as stream:
        stream.write(text.encode())


def seal(*paths: Path) -> None:
    """Write beside each file, hidden, the SHA-256 that whoever reads it will hold it to.

    For what one command hands to the next; a published report has a manifest instead.
    """
    for path in paths:
        write_text(seal_file(path), sha256_of(path) + "\n")


def seal_file(path: Path) -> Path:
    """Return where the SHA-256 of a file is kept."""
    return path.with_name(f".{path.name}.sha256")


def sealed_bytes(path: Path) -> bytes:
    """Return a file's bytes, or refuse where they are not those that were sealed; a file without a seal is taken."""
    content = path.read_bytes()
    try:
        expected = seal_file(path).read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return content
    except (OSError, UnicodeDecodeError) as error:
        raise Refusal(f"{seal_file(path)}: not readable ({error}); delete {path} and make it again") from None
    if hashlib.sha256(content).hexdigest() != expected:
        raise Refusal(
            f"{path}: has changed since it was written (SHA-256 differs from {seal_file(path).name}); delete it and "
            "make it again"
        )
    return content


def write_json(path: Path, value: Any) -> None:
    """Write `value` as readable JSON; NaN and infinity are refused, since JSON has neither."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def write_sealed(path: Path, value: Any) -> None:
    """Write `value` as JSON with its SHA-256 beside it, for the command that reads it next."""
    write_json(path, value)
    seal(path)


def read_json(path: Path) -> Any:
    """Read a JSON file, or refuse in one sentence that names it."""
    try:
        return json.loads(sealed_bytes(path), parse_constant=_no_number)
    except FileNotFoundError:
        raise Refusal(f"{path}: no such file; make it first, or correct the path") from None
    except Refusal:
        raise
    except (OSError, ValueError, RecursionError) as error:
        raise Refusal(f"{path}: not readable as JSON ({error}); delete it and make it again") from None


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no number in JSON")


def sha256_of(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def digest(value: Any, length: int = 12) -> str:
    """Return the first `length` hexadecimal digits of the SHA-256 of a JSON value in canonical form."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:length]
