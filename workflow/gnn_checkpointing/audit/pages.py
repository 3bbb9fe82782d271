"""Render pages and figures again from the data beside them, and compare them with the published ones."""

import math
import re
import tempfile
from collections.abc import Callable, Iterator
from itertools import zip_longest
from pathlib import Path

import pikepdf

from gnn_checkpointing.artefacts import read_json
from gnn_checkpointing.audit.again import MISFITS, same_number
from gnn_checkpointing.packed import bounded_bytes, is_there, packed_files
from gnn_checkpointing.refusal import Refusal, reason
from gnn_checkpointing.report.provenance import CRATE, FIGURES
from gnn_checkpointing.report.render import (
    APPENDIX_HTML,
    APPENDIX_PDF,
    HTML,
    PDF,
    published_sources,
    read_inputs,
    render_report,
)
from gnn_checkpointing.report.run_folder import RunFolder
from gnn_checkpointing.report.texts import TEMPLATES

_NUMBER = re.compile(r" ?(-?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)")
_PLACED = re.compile(
    r' (?:c?[xy][12]?|r|d|points|transform|width|height|viewbox|data-frame|data-at)=("[^"]*"|[^\s>]+)', re.IGNORECASE
)
"""Attributes with coordinates in a drawing; everything else in it is meant to be read."""

_NAME = re.compile(r'(?<=["#])[a-z]{6}\d+(?=")')
"""Name of a part of a drawing, which is derived from its coordinates."""

_DIGEST = re.compile(r"(?<=ID>)[^<]+")
"""Digest of all bytes of a printed page, in its metadata."""

_PIXELS = 0.21
"""Allowed difference of lengths in a drawing, whose two ends are rounded to a tenth each: too small to see."""

_PACKED = 1.25
"""Factor by which a printed page may be larger if another version of a library packed it."""

_DIGITS = 1e-5
"""Tolerance of a number to be read in a drawing, such as the end of a scale: the last of its six digits."""


def pages(run: RunFolder) -> Iterator[str]:
    """Yield complaints about pages and figures that do not follow from the data beside them; takes some seconds."""
    folder = run.folder
    if not TEMPLATES.is_dir():
        raise Refusal(f"{TEMPLATES}: no such folder; a report is checked in a checkout of the project")
    with tempfile.TemporaryDirectory() as place:
        made = Path(place)
        sources = published_sources(folder)
        try:
            render_report(read_inputs(run), sources, TEMPLATES, made)
        except MISFITS as error:
            yield f"{HTML}: cannot be rendered again ({reason(error)})"
            return
        yield from _figures(folder, made)
        for name in (HTML, APPENDIX_HTML, PDF, APPENDIX_PDF):
            if not (folder / name).is_file():
                yield f"{name}: not there; render the report again"
            else:
                yield from (_html if name.endswith(".html") else _pdf)(folder / name, made / name)
        yield from _crate(folder / CRATE, made / CRATE)


def _crate(given: Path, again: Path) -> Iterator[str]:
    """Yield where the crate describes another run than the data; checksums, sizes and code are compared elsewhere."""
    measures = ("sha256", "contentSize", "softwareVersion")
    whole = [read_json(path) for path in (given, again)]
    one, other = (
        [{key: value for key, value in entity.items() if key not in measures} for entity in crate.pop("@graph")]
        for crate in whole
    )
    wrong = [str(a["@id"]) for a, b in zip(one, other, strict=False) if a != b]
    if wrong or len(one) != len(other) or whole[0] != whole[1]:
        yield f"{given.name}: not what the data beside it give: {(wrong or ['its length or its head'])[0]}"


def _figures(given: Path, again: Path) -> Iterator[str]:
    for name in sorted(_drawn(given) | _drawn(again)):
        if not (is_there(given / name) and is_there(again / name)):
            yield f"{name}: drawn then or now, not both"
        elif not _near(_text(given / name), _text(again / name), same_number):
            yield f"{name}: not what the figure draws"


def _drawn(folder: Path) -> set[str]:
    plain = {f"{FIGURES}/{path.name}" for path in (folder / FIGURES).glob("*.csv")}
    return plain | {name for name in packed_files(folder) if name.startswith(f"{FIGURES}/")}


def _html(given: Path, again: Path) -> Iterator[str]:
    """Yield the first difference of a page: any character outside its drawings, a visible difference inside them."""
    one, other = _text(given), _text(again)
    for text, expected in zip_longest(_parts(one), _parts(other), fillvalue=""):
        if text != expected and not _same_drawing(text, expected):
            yield f"{given.name}: not what the data beside it give: {_first(text, expected)}"
            return


def _parts(text: str) -> Iterator[str]:
    """Yield the text around the drawings, and the drawings; a regular expression could take hours on a forged page."""
    outside, *rest = text.split("<svg")
    yield outside
    for part in rest:
        drawing, _, after = part.partition("</svg>")
        yield from (f"<svg{drawing}", after)


def _same_drawing(one: str, other: str) -> bool:
    """Whether two drawings have the same text and look the same."""
    one, other = _NAME.sub("part", one), _NAME.sub("part", other)
    read, seen = ([_PLACED.sub("", text), " ".join(_PLACED.findall(text))] for text in (one, other))
    return (
        one.startswith("<svg")
        and _near(read[0], seen[0], lambda a, b: math.isclose(a, b, rel_tol=_DIGITS))
        and _near(read[1], seen[1], _unseen)
    )


def _near(one: str, other: str, near: Callable[[float, float], bool]) -> bool:
    """Whether two texts are equal except for numbers that are near each other."""
    ours, theirs = _NUMBER.findall(one), _NUMBER.findall(other)
    if len(ours) != len(theirs) or _NUMBER.sub("", one) != _NUMBER.sub("", other):
        return False
    return all(a == b or near(float(a), float(b)) for a, b in zip(ours, theirs, strict=True))


def _first(text: str, expected: str) -> str:
    """The surroundings of the first character that differs, in both texts."""
    place = next(
        (i for i, (a, b) in enumerate(zip(text, expected, strict=False)) if a != b), min(len(text), len(expected))
    )
    one, other = (
        " ".join(re.sub(r"<[^>]*>", " ", part[max(0, place - 40) : place + 40]).split()) for part in (text, expected)
    )
    return f"{one!r} instead of {other!r}"


def _pdf(given: Path, again: Path) -> Iterator[str]:
    """Yield a complaint if any object of the printed page differs; numbers in drawings must differ visibly.

    Its bytes need not be equal, because they also depend on the libraries that pack it.
    """
    if given.read_bytes() == again.read_bytes():
        return
    try:
        # Packed content may expand to a thousand times its size.
        is_small = given.stat().st_size <= _PACKED * again.stat().st_size
        same = is_small and _near(_unpacked(given), _unpacked(again), _unseen)
    except Exception as error:  # pikepdf fails in several ways
        yield f"{given.name}: not readable ({reason(error)})"
        return
    if not same:
        yield f"{given.name}: not what the data beside it give, by its text, drawings or links; render the report again"


def _unpacked(path: Path) -> str:
    """The whole content of a PDF file as text."""
    with pikepdf.open(path) as document:
        return "\n".join(map(_object, document.objects))


def _object(one: pikepdf.Object) -> str:
    if not isinstance(one, pikepdf.Stream):
        return str(one.unparse(resolved=True), "latin-1")
    if one.get("/Type") in ("/ObjStm", "/XRef"):  # packed objects, and the positions of objects
        return ""
    entries = pikepdf.Dictionary({key: value for key, value in one.stream_dict.items() if key != "/Length"})
    return _DIGEST.sub("", str(entries.unparse(resolved=True) + one.read_bytes(), "latin-1"))


def _unseen(one: float, other: float) -> bool:
    return abs(one - other) <= _PIXELS


def _text(path: Path) -> str:
    return bounded_bytes(path).decode("utf-8", "replace")
