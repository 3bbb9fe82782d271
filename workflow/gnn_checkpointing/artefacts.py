"""Write files of the project atomically and read them with checks; never with pickle."""

import errno
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from gnn_checkpointing.packed import bounded_bytes
from gnn_checkpointing.refusal import Refusal, shown


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file that takes the name `path` only once it is complete and on disk."""
    if not path.name or path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if path.exists() and not path.is_file():  # root could replace /dev/null by a file
        raise Refusal(f"{path}: a device or pipe, which is no place for a file; name another one")
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).chmod(0o644)
        seal_file(path).unlink(missing_ok=True)  # the seal belongs to the previous file
        Path(temporary).replace(path)
    except BaseException as error:
        Path(temporary).unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno is not None and error.filename is None:
            error.filename = str(path)  # a write to a full disk raises without a file name
        raise


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text to `path` atomically."""
    with whole_file(path) as stream:
        stream.write(text.encode())


def seal(*paths: Path) -> None:
    """Write a hidden file beside each file with its SHA-256, which is checked when the file is read.

    Seals are for files that one command passes to the next; a published report has a manifest instead.
    """
    for path in paths:
        write_text(seal_file(path), sha256_of(path) + "\n")


def seal_file(path: Path) -> Path:
    """Path of the hidden file that holds the SHA-256 of a file."""
    return path.with_name(f".{path.name}.sha256")


def sealed_bytes(path: Path) -> bytes:
    """Read a file's bytes; refuse if they differ from those that were sealed. A file without a seal is accepted."""
    content = bounded_bytes(path)
    refuse_unsealed(path, lambda: hashlib.sha256(content).hexdigest())
    return content


def refuse_unsealed(path: Path, sha256: Callable[[], str]) -> None:
    """Refuse a file whose SHA-256 differs from the sealed one; a file without a seal is accepted."""
    try:
        expected = seal_file(path).read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError) as error:
        raise Refusal(f"{seal_file(path)}: not readable ({error}); delete {path} and make it again") from None
    if sha256() != expected:
        raise Refusal(
            f"{path}: has changed since it was written (SHA-256 differs from {seal_file(path).name}); delete it and "
            "make it again"
        )


def json_text(value: Any) -> str:
    """Format `value` as readable JSON, one line per entry of its lists; raises `ValueError` for NaN and infinity."""
    return _json_lines(value, 2) + "\n"


def _json_lines(value: Any, levels: int) -> str:
    """Format `value` with one line per entry of the outermost `levels`; deeper values share the line of their entry."""
    indent = " " * (3 - levels)
    if levels and value and isinstance(value, dict):
        entries = [f"{_json_lines(str(key), 0)}: {_json_lines(one, levels - 1)}" for key, one in value.items()]
        return "{\n" + ",\n".join(indent + entry for entry in entries) + f"\n{indent[1:]}}}"
    if levels and value and isinstance(value, list | tuple):
        return "[\n" + ",\n".join(indent + _json_lines(one, levels - 1) for one in value) + f"\n{indent[1:]}]"
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def write_json(path: Path, value: Any) -> None:
    """Write `value` in the format of `json_text`."""
    write_text(path, json_text(value))


def write_sealed(path: Path, value: Any) -> None:
    """Write `value` as JSON and seal it for the command that reads it next."""
    write_json(path, value)
    seal(path)


MOST_TEXT = 100_000
"""Maximum length of one text in a file: enough for a label or a message."""

MOST_VALUES = 5_000_000
"""Maximum in one JSON file, two bytes of which may take a hundred of memory; the largest published file has 1/50."""

_LARGEST = 1e150
"""Largest absolute value of a number in a file: its square is still finite."""

_ADDRESSES = {0xE000: None, 0xE001: None, 0xE002: None}
"""Private-use characters that mark where a report's numbers are from; they are removed from files that are read."""


AGAIN = "name the right file, or, if a command wrote it, delete it and make it again"
"""Advice for a file that is not what it should be: it may be a file of the user's that must not be lost."""


def read_json(path: Path, most_values: int | None = None) -> Any:
    """Read a JSON file, or refuse in one sentence that names it; it may hold `most_values`, or MOST_VALUES."""
    try:
        return parsed_json(sealed_bytes(path).decode(), most_values)
    except FileNotFoundError:
        raise Refusal(f"{path}: no such file; make it first, or correct the path") from None
    except Refusal:
        raise
    except (ValueError, RecursionError) as error:
        raise Refusal(f"{path}: not readable as JSON ({error}); {AGAIN}") from None


def parsed_json(text: str, most_values: int | None = None) -> Any:
    """Parse JSON; raises `ValueError` for numbers unfit for arithmetic, duplicate keys, lone surrogates, long texts."""
    most_values = most_values or MOST_VALUES
    if text.count(",") > most_values:
        raise ValueError(f"more than {most_values} values; it is not a file of this project")
    numbers: dict[str, Any] = {"parse_constant": _no_number, "parse_int": whole_number, "parse_float": real_number}
    value = json.loads(text, object_pairs_hook=_each_key_once, **numbers)
    # A piece between two quotes is either a text or the space between texts, so look closer only if one is long.
    if len(text) > MOST_TEXT and max(map(len, text.split('"'))) > MOST_TEXT:
        _refuse_long(value)
    if _SUSPECT.search(text):  # a lone surrogate fails to encode; address characters are removed
        value = json.loads(without_addresses(json.dumps(value, ensure_ascii=False).encode().decode()))
    return value


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Entries of an object; refuses a duplicate key, since some readers take its first value and others its last."""
    found = dict(pairs)
    if len(found) < len(pairs):
        key = next(key for number, (key, _) in enumerate(pairs) if key in dict(pairs[:number]))
        raise ValueError(f"the key {shown(key)} is there twice")
    return found


def _refuse_long(value: Any) -> None:
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _refuse_long(one)
    for text in value if isinstance(value, dict) else [value]:
        if isinstance(text, str) and len(text) > MOST_TEXT:
            raise ValueError(f"a text of {len(text)} characters begins {text[:20]!r}; at most {MOST_TEXT} are read")


_SUSPECT = re.compile(r"\\u[dD][89a-fA-F]|[\ue000-\ue002]|\\u[eE]00[0-2]")


def whole_number(text: str) -> int:
    """Parse an integer from a file; raises `ValueError` if it does not fit in 64 bits."""
    if len(text) > 20 or not -(2**63) <= int(_plain_number(text)) < 2**63:
        raise ValueError(f"a whole number of {len(text)} digits; 64 bits must hold it")
    return int(text)


def real_number(text: str) -> float:
    """Parse a number from a file; raises `ValueError` if the number or its square is not finite."""
    value = float(_plain_number(text))
    if not abs(value) <= _LARGEST:
        raise ValueError(f"{text[:20]} is no number up to {_LARGEST:g}")
    return value


def _plain_number(text: str) -> str:
    """The text of a number; raises `ValueError` for forms that only Python accepts: 1_000, digits of other scripts."""
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{text[:20]} is no number that every program reads")
    return text


_NUMBER = re.compile(r"[-+.0-9eE]+")


def without_addresses(text: str) -> str:
    """Remove the characters that mark where a report's numbers are from."""
    return text.translate(_ADDRESSES)


_FORMULA = re.compile(r"[=+\-@\t\r]")


def text_cell(text: str) -> str:
    """Escape a text for CSV, since a spreadsheet would run a text that begins like a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def cell_text(text: str) -> str:
    """Undo `text_cell`."""
    return text[1:] if text[:1] == "'" and _FORMULA.match(text[1:]) else text


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no number in JSON")


def sha256_of(path: Path) -> str:
    """The hexadecimal SHA-256 of a file's bytes."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        error.filename = str(path)  # missing if the file opens but cannot be read
        raise


def digest(value: Any, length: int = 12) -> str:
    """First `length` hexadecimal digits of the SHA-256 of a JSON value in canonical form."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:length]
