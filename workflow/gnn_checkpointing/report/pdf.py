"""The PDF face: the page as JSON, typeset by Typst, so that no text of a user is ever markup, and packed.

Typst sets the labels of drawings as text. Packing leaves a quarter of the bytes: objects are compressed together, and
numbers have a hundredth of a point.
"""

from __future__ import annotations

import io
import json
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Tree

import deflate
import pikepdf
import typst

from gnn_checkpointing.report.letters import FONTS, font_folder, is_drawn
from gnn_checkpointing.report.page import Page
from gnn_checkpointing.sourced import bare

_SVG = "{http://www.w3.org/2000/svg}"
_ANCHORS = {"x": "middle", "y": "end"}
"""Of the words of an axis, by its class, as the style of drawings has it."""

_STRING = re.compile(rb"(\((?:[^()\\]|\\.)*\))", re.DOTALL)
_ESCAPED = re.compile(rb"\\([0-7]{1,3}|.)", re.DOTALL)
_LETTERS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
_LONG = re.compile(rb"-?\d+\.\d{3,}")
_HARDEST = 12
"""Of the levels of compression: a tenth less than zlib's hardest."""


def report_pdf(page: Page, templates: Path) -> bytes:
    """Return the report as PDF/UA-1, the same bytes for the same page; `templates` is the folder that holds typst/."""
    files = {"page.json": json.dumps(_printable(page), ensure_ascii=False)}
    for panel in (panel for figure in page.figures() for panel in figure.panels):
        files[f"{panel.id}.svg"], labels = _apart(_drawable(panel.svg))
        files[f"{panel.id}.json"] = json.dumps(labels, ensure_ascii=False)
    # A page without a date is dated by the epoch, never by the clock.
    day = datetime.fromisoformat(page.date or "1970-01-01").replace(tzinfo=UTC)
    return _packed(typeset(templates / "typst" / "report.typ", files, pdf_standards=["ua-1"], timestamp=day))


def typeset(template: Path, files: Mapping[str, str], **options: Any) -> bytes:
    """What Typst makes of a template that reads `files`, in our fonts alone."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for path in (template, *(font_folder() / font for font in FONTS)):
            shutil.copyfile(path, root / path.name)
        for file, text in files.items():
            (root / file).write_text(text, encoding="utf-8")
        compiled: bytes = typst.compile(
            root / template.name, root=root, font_paths=[root], ignore_system_fonts=True, **options
        )
    return compiled


def _printable(value: Any) -> Any:
    """The page as JSON without drawings and their data (they are files) and with every character drawable."""
    if is_dataclass(value) and not isinstance(value, type):
        names = [one.name for one in fields(value) if one.name not in ("svg", "drawn", "knowledge")]
        return {"kind": getattr(value, "kind", "")} | {name: _printable(getattr(value, name)) for name in names}
    if isinstance(value, list | tuple):
        return [_printable(item) for item in value]
    return _drawable(bare(value)) if isinstance(value, str) else value


def _drawable(text: str) -> str:
    """The text with the Unicode number in brackets for each character that no embedded font has."""
    return "".join(one if is_drawn(one) else " " if one.isspace() else f"[U+{ord(one):04X}]" for one in text)


def _apart(svg: str) -> tuple[str, dict[str, Any]]:
    """A drawing without its text; its width and, line by line, its text, where it is and how large, in points."""
    Tree.register_namespace("", _SVG[1:-1])
    root = Tree.fromstring(svg)  # noqa: S314 - written by this project
    labels: list[dict[str, Any]] = []
    for parent in list(root.iter()):
        for text in parent.findall(f"{_SVG}text"):
            labels += _lines(text, {**parent.attrib, **text.attrib})
            parent.remove(text)
    width = float(root.attrib["viewBox"].split()[2])
    return Tree.tostring(root, encoding="unicode"), {"width": width, "labels": labels}


def _lines(text: Tree.Element, given: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    y = float(given["y"])
    for line in (text, *text):
        y += float(line.get("dy", 0))
        size, anchor = float(given.get("font-size", "8")), given.get("text-anchor") or _ANCHORS.get(given.get("class"))
        yield {"text": line.text or "", "x": float(given["x"]), "y": y, "size": size, "anchor": anchor or "start"}


def _packed(pdf: bytes) -> bytes:
    """The same pages, smaller: the tags keep their roles, and lose the borders that are drawn anyway."""
    with pikepdf.open(io.BytesIO(pdf)) as document:
        drawn = [page.Contents.objgen for page in document.pages]
        for one in document.objects:
            if isinstance(one, pikepdf.Stream) and one.get("/Filter") == "/FlateDecode":
                content = one.read_bytes()
                content = _short(content) if one.objgen in drawn or one.get("/Subtype") == "/Form" else content
                one.write(bytes(deflate.zlib_compress(content, _HARDEST)), filter=pikepdf.Name.FlateDecode)
            elif isinstance(one, pikepdf.Dictionary) and one.get("/Type") == "/StructElem":
                _lighten(one)
        written = io.BytesIO()
        pikepdf.settings.set_flate_compression_level(9)
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
