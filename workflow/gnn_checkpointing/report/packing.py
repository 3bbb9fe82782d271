"""A PDF in a quarter of its bytes: objects compressed together, numbers to a hundredth of a point."""

from __future__ import annotations

import io
import re

import deflate
import pikepdf

_STRING = re.compile(rb"(\((?:[^()\\]|\\.)*\))", re.DOTALL)
_ESCAPED = re.compile(rb"\\([0-7]{1,3}|.)", re.DOTALL)
_LETTERS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
_LONG = re.compile(rb"-?\d+\.\d{3,}")
_HARDEST = 12
"""Of the levels of compression: a tenth less than zlib's hardest."""


def packed(pdf: bytes) -> bytes:
    """The same pages, smaller: the tags keep their roles, and lose the borders that are drawn anyway."""
    with pikepdf.open(io.BytesIO(pdf)) as document:
        drawings = [
            one for one in document.objects if isinstance(one, pikepdf.Stream) and one.get("/Subtype") == "/Form"
        ]
        for stream in [*(page.Contents for page in document.pages), *drawings]:
            packed_so = bytes(deflate.zlib_compress(_short(stream.read_bytes()), _HARDEST))
            stream.write(packed_so, filter=pikepdf.Name.FlateDecode)
        for tag in document.objects:
            if isinstance(tag, pikepdf.Dictionary) and tag.get("/Type") == "/StructElem":
                _lighten(tag)
        written = io.BytesIO()
        document.save(
            written,
            object_stream_mode=pikepdf.ObjectStreamMode.generate,
            deterministic_id=True,
            fix_metadata_version=False,
        )
    return written.getvalue()


def _short(content: bytes) -> bytes:
    """A page's drawing with shorter numbers, and with the letters of its strings as they are."""
    return b"".join(
        _unescaped(part) if part.startswith(b"(") else _LONG.sub(_rounded, part) for part in _STRING.split(content)
    )


def _unescaped(text: bytes) -> bytes:
    """A string with escapes where they must be."""
    letters = _ESCAPED.sub(_letter, text[1:-1])
    for letter, escape in ((b"\\", b"\\\\"), (b"(", b"\\("), (b")", b"\\)"), (b"\r", b"\\r")):
        letters = letters.replace(letter, escape)
    return b"(" + letters + b")"


def _letter(found: re.Match[bytes]) -> bytes:
    escaped = found[1]
    return bytes([int(escaped, 8)]) if escaped[:1].isdigit() else _LETTERS.get(escaped, escaped)


def _rounded(number: re.Match[bytes]) -> bytes:
    return (b"%.2f" % float(number.group())).rstrip(b"0").rstrip(b".")


def _lighten(tag: pikepdf.Dictionary) -> None:
    """Leave a tag its role and scope: a cell's headers follow from their scope."""
    del tag["/Type"]
    kept = [one for one in tag.get("/A", []) if one.get("/O") == "/Table" and tag.S == "/TH"]
    if kept:
        tag.A = pikepdf.Array(kept)
    elif "/A" in tag:
        del tag["/A"]
