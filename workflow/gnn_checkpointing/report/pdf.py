"""PDF version: Typst typesets the page from JSON, so that no user text is ever markup; the file is then compressed.

Typst sets the labels of drawings as text. Compression leaves a quarter of the bytes: objects are compressed together,
and coordinates are rounded to a hundredth of a point.
"""

import io
import json
import re
import shutil
import struct
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Tree

import deflate
import pikepdf
import typst
from fontTools.ttLib import TTFont

from gnn_checkpointing.report.letters import FONTS, font_folder, is_drawn
from gnn_checkpointing.report.page import Page
from gnn_checkpointing.sourced import bare

_SVG = "{http://www.w3.org/2000/svg}"
_ANCHORS = {"x": "middle", "y": "end"}
"""Text anchors of an axis's labels by the axis's class, as in the style of the drawings."""

_STRING = re.compile(rb"(\((?:[^()\\]|\\.)*\))", re.DOTALL)
_ESCAPED = re.compile(rb"\\([0-7]{1,3}|.)", re.DOTALL)
_LETTERS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
_LONG = re.compile(rb"-?\d+\.\d{3,}")
_HARDEST = 12
"""Highest compression level of libdeflate: a tenth fewer bytes than zlib's highest."""


def report_pdf(page: Page, templates: Path) -> bytes:
    """Render the report as PDF/UA-1, the same bytes for the same page; `templates` is the folder that holds typst/."""
    files = {"page.json": json.dumps(_printable(page), ensure_ascii=False)}
    for panel in (panel for figure in page.figures() for panel in figure.panels):
        files[f"{panel.id}.svg"], labels = _split_labels(_drawable(panel.svg))
        files[f"{panel.id}.json"] = json.dumps(labels, ensure_ascii=False)
    # A page without a date gets the epoch, never the current time.
    day = datetime.fromisoformat(page.date or "1970-01-01").replace(tzinfo=UTC)
    return _packed(typeset(templates / "typst" / "report.typ", files, pdf_standards=["ua-1"], timestamp=day))


def typeset(template: Path, files: Mapping[str, str], **options: Any) -> bytes:
    """Compile a Typst template that reads `files`, without system fonts."""
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
    """The page as JSON, without drawings and their data, which are files, and with every character drawable."""
    if is_dataclass(value) and not isinstance(value, type):
        names = [one.name for one in fields(value) if one.name not in ("svg", "drawn", "knowledge")]
        return {"kind": getattr(value, "kind", "")} | {name: _printable(getattr(value, name)) for name in names}
    if isinstance(value, list | tuple):
        return [_printable(item) for item in value]
    return _drawable(bare(value)) if isinstance(value, str) else value


def _drawable(text: str) -> str:
    """Replace each character that no embedded font has by its Unicode number in brackets."""
    if text.isascii() and text.isprintable():  # the fonts have all of these
        return text
    return "".join(one if is_drawn(one) else " " if one.isspace() else f"[U+{ord(one):04X}]" for one in text)


def _split_labels(svg: str) -> tuple[str, dict[str, Any]]:
    """Split a drawing into the SVG without text, and its width and text lines with their place and size in points."""
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
        size, anchor = float(given.get("font-size", "8")), given.get("text-anchor")
        anchor = anchor or _ANCHORS.get(given.get("class", ""), "start")
        yield {"text": line.text or "", "x": float(given["x"]), "y": y, "size": size, "anchor": anchor}


def _packed(pdf: bytes) -> bytes:
    """Compress a PDF: its pages stay the same; tags keep their roles but lose borders, which are drawn anyway."""
    with pikepdf.open(io.BytesIO(pdf)) as document:
        drawn = {page.Contents.objgen for page in document.pages}
        described = (one for one in document.objects if isinstance(one, pikepdf.Dictionary) and "/FontFile2" in one)
        fonts = {one.FontFile2.objgen for one in described}
        for one in document.objects:
            if isinstance(one, pikepdf.Stream) and one.get("/Filter") == "/FlateDecode":
                content = one.read_bytes()
                if one.objgen in drawn or one.get("/Subtype") == "/Form":
                    content = _short(content)
                elif one.objgen in fonts:
                    content = _plain_font(content)
                one.write(bytes(deflate.zlib_compress(content, _HARDEST)), filter=pikepdf.Name.FlateDecode)
            elif isinstance(one, pikepdf.Dictionary) and one.get("/Type") == "/StructElem":
                _lighten(one)
        return _written(document)


def _written(document: pikepdf.Pdf) -> bytes:
    """Write all non-stream objects into one object stream: libraries pack them by the hundred, which is larger."""
    made, others = io.BytesIO(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), {}
    made.seek(0, io.SEEK_END)
    places: dict[int, tuple[int, int, int]] = {}

    def add(number: int, entries: bytes, content: bytes) -> None:
        places[number] = (1, made.tell(), 0)
        made.write(b"%d 0 obj\n%b\nstream\n%b\nendstream\nendobj\n" % (number, entries, content))

    for one in document.objects:
        if isinstance(one, pikepdf.Stream) and one.get("/Type") not in ("/ObjStm", "/XRef"):
            add(one.objgen[0], one.stream_dict.unparse(resolved=True), one.read_raw_bytes())
        elif isinstance(one, pikepdf.Dictionary | pikepdf.Array):
            others[one.objgen[0]] = one.unparse(resolved=True)
    last, at = max(*places, *others) + 1, 0
    heads = []
    for place, (number, text) in enumerate(others.items()):
        places[number] = (2, last, place)
        heads.append(b"%d %d" % (number, at))
        at += len(text) + 1
    head = b" ".join(heads) + b"\n"
    packed = bytes(deflate.zlib_compress(head + b"\n".join(others.values()), _HARDEST))
    entries = b"<</Type/ObjStm/N %d/First %d/Filter/FlateDecode/Length %d>>" % (len(heads), len(head), len(packed))
    add(last, entries, packed)
    start = made.tell()
    places[last + 1] = (1, start, 0)
    rows = [struct.pack(">BIH", *places.get(number, (0, 0, 0))) for number in range(last + 2)]
    # Each row is stored as its difference from the one above (PNG filter 2).
    steps = (
        bytes((a - b) % 256 for a, b in zip(row, above, strict=True)) for above, row in pairwise([bytes(7), *rows])
    )
    table = bytes(deflate.zlib_compress(b"".join(b"\2" + step for step in steps), _HARDEST))
    root, info, id = (document.trailer[name] for name in ("/Root", "/Info", "/ID"))
    entries = (
        b"<</Type/XRef/Size %d/W[1 4 2]/Root %d 0 R/Info %d 0 R/ID %b/Filter/FlateDecode"
        b"/DecodeParms<</Predictor 12/Columns 7>>/Length %d>>"
    ) % (last + 2, root.objgen[0], info.objgen[0], id.unparse(), len(table))
    add(last + 1, entries, table)
    made.write(b"startxref\n%d\n%%%%EOF\n" % start)
    return made.getvalue()


def _plain_font(font: bytes) -> bytes:
    """A font without its name tables and its hinting for coarse screens: two thirds of the size."""
    found, made = TTFont(io.BytesIO(font), recalcTimestamp=False), io.BytesIO()
    for glyph in found.getGlyphOrder():
        found["glyf"][glyph].removeHinting()
    for name in {"name", "post", "fpgm", "prep", "cvt "} & set(found.keys()):
        del found[name]
    found.save(made, reorderTables=None)
    return made.getvalue()


def _short(content: bytes) -> bytes:
    """A content stream with shorter numbers, and with strings unescaped where possible."""
    return b"".join(
        _unescaped(part) if part.startswith(b"(") else _LONG.sub(lambda number: _rounded(number.group()), part)
        for part in _STRING.split(content)
    )


@lru_cache(20_000)
def _unescaped(text: bytes) -> bytes:
    """A PDF string with only the necessary escapes."""
    letters = _ESCAPED.sub(lambda escaped: _letter(escaped[1]), text[1:-1])
    for letter, escape in ((b"\\", b"\\\\"), (b"(", b"\\("), (b")", b"\\)"), (b"\r", b"\\r")):
        letters = letters.replace(letter, escape)
    return b"(" + letters + b")"


@lru_cache(1000)
def _letter(escaped: bytes) -> bytes:
    return bytes([int(escaped, 8)]) if escaped[:1].isdigit() else _LETTERS.get(escaped, escaped)


@lru_cache(20_000)
def _rounded(number: bytes) -> bytes:
    return (b"%.2f" % float(number)).rstrip(b"0").rstrip(b".")


def _lighten(tag: pikepdf.Dictionary) -> None:
    """Strip a tag to its role and scope; a cell's headers follow from the scope."""
    del tag["/Type"]
    kept = [one for one in tag.get("/A", []) if one.get("/O") == "/Table" and tag.S == "/TH"]
    if kept:
        tag.A = pikepdf.Array(kept)
    elif "/A" in tag:
        del tag["/A"]
