"""SVG as a tree of elements, and shapes of marks; numbers are rounded, so that every machine writes the same bytes."""

import math
import re
from collections.abc import Sequence
from functools import cache
from xml.etree import ElementTree as Tree

from gnn_checkpointing.sourced import bare

Element = Tree.Element
FONT = "DejaVu Sans"
"""Font of the PDF, and the widest font that the page may use: a text that fits in it fits everywhere."""
_ON_PAPER = "#1d2126"
STYLE = (
    "svg{fill:currentColor;font-size:8px;stroke-linejoin:round}"
    ".plot{stroke:currentColor;stroke-width:.4}"
    ".x{text-anchor:middle}.y{text-anchor:end}"
    ".x>path,.y>path{stroke:currentColor;stroke-opacity:.13;stroke-width:.6}"
    ".chart>path{fill:none;stroke:currentColor;stroke-width:.7}"
    ".names{stroke-width:.5;stroke-opacity:.6}"
    ".names>text{paint-order:stroke;stroke:var(--ground,#fff);stroke-width:2;stroke-opacity:.8}"
    ".rule{stroke-width:.8;stroke-opacity:.7}"
    ".front{fill:none;stroke-width:1.1;stroke-opacity:.55}"
    ".ribbon{fill-opacity:.2;stroke:none}"
)
"""Style of all drawings, in selectors that SVG readers support: in the PDF, in a page, and in a file saved from it."""

_OF_FILES = re.compile(r' xmlns="[^"]*"|<style>.*?</style>')
_WIDTH_OF_A_LETTER = 0.62  # of its size, the mean of that font
_SQUARE = ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9))
_UP = ((0.0, -1.1), (1.05, 0.85), (-1.05, 0.85))
_ARM = 0.36
_PLUS = (
    (-_ARM, -1.1), (_ARM, -1.1), (_ARM, -_ARM), (1.1, -_ARM), (1.1, _ARM), (_ARM, _ARM),
    (_ARM, 1.1), (-_ARM, 1.1), (-_ARM, _ARM), (-1.1, _ARM), (-1.1, -_ARM), (-_ARM, -_ARM),
)  # fmt: skip
Corners = tuple[tuple[float, float], ...]


def drawing(width: float, height: float) -> Element:
    """An empty drawing in points, with its style sheet, which `on_page` removes."""
    size = f"0 0 {number(width)} {number(height)}"
    root = Tree.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "viewBox": size, "aria-hidden": "true"})
    add(root, "style").text = f"svg[viewBox]{{color:{_ON_PAPER};font-family:{FONT}}}{STYLE}"
    return root


def on_page(drawing: str) -> str:
    """A drawing without namespace and style sheet, which a page has once for all drawings."""
    return _OF_FILES.sub("", drawing, count=2)


def named(drawing: str, name: str) -> str:
    """Add the file name under which a drawing can be saved."""
    return drawing.replace(' aria-hidden="true"', f' aria-hidden="true" data-name="{name}"', 1)


def add(parent: Element, name: str, **attributes: str | float | None) -> Element:
    """Add an element to `parent`. None leaves an attribute out; `class_` means class, and `_` in a name means `-`."""
    written = {
        key.rstrip("_").replace("_", "-"): clean(value) if isinstance(value, str) else number(value)
        for key, value in attributes.items()
        if value is not None
    }
    return Tree.SubElement(parent, name, written)


def words(parent: Element, x: float, y: float, text: str, size: float = 8.5, **attributes: str | None) -> Element:
    """Add text of one or more lines, as a block centred on `y`; size and anchor may come from `parent`."""
    lines = clean(text).split("\n")
    first = y + (0.72 - 1.1 * (len(lines) - 1)) * size / 2
    made = add(parent, "text", x=tenth(x), y=tenth(first), **attributes)
    if number(size) != parent.get("font-size", "8"):
        made.set("font-size", number(size))
    made.text = lines[0]
    for line in lines[1:]:
        add(made, "tspan", x=tenth(x), dy=1.1 * size).text = line
    return made


def written(root: Element) -> str:
    """The drawing as one line of text."""
    return Tree.tostring(root, encoding="unicode").replace(" />", "/>") + "\n"


def number(value: float, decimals: int = 2) -> str:
    """Format a number, by default to a hundredth; rounding to 1e-6 first makes ties independent of the processor."""
    text = f"{round(round(float(value), 6), decimals):.{decimals}f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def tenth(value: float) -> str:
    """A coordinate to a tenth of a point, a thirtieth of a millimetre."""
    return number(value, 1)


def path(points: Sequence[tuple[float, float]]) -> str:
    """Path through places of data, which the page may move: the first place, then relative steps."""
    if not points:
        return ""
    (left, top), *others = places = [(float(tenth(x)), float(tenth(y))) for x, y in straightened(points)]
    pairs = zip(others, places, strict=False)
    steps = [each - last for one, before in pairs for each, last in zip(one, before, strict=True)]
    return f"M{compact([left, top])}" + (f"l{compact(steps)}" if steps else "")


def compact(numbers: Sequence[float]) -> str:
    """Coordinates to a tenth of a point, in as few characters as SVG allows."""
    short = [re.sub(r"^(-?)0\.", r"\1.", tenth(one)) for one in numbers]
    # A minus sign starts a new number, and so does a second decimal point.
    return "".join(
        one if not place or one[0] == "-" or (one[0] == "." and "." in short[place - 1]) else f" {one}"
        for place, one in enumerate(short)
    )


def straightened(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The points without those inside a horizontal or vertical stretch of the line."""
    kept: list[tuple[float, float]] = []
    for x, y in points:
        if len(kept) > 1 and any(
            tenth(kept[-2][axis]) == tenth(kept[-1][axis]) == tenth(at)
            and (kept[-2][1 - axis] <= kept[-1][1 - axis] <= other or kept[-2][1 - axis] >= kept[-1][1 - axis] >= other)
            for axis, at, other in ((0, x, y), (1, y, x))
        ):
            kept.pop()
        kept.append((x, y))
    return kept


def clean(text: str) -> str:
    """Text without the addresses of its numbers; unprintable characters, which XML may not allow, become blanks."""
    return "".join(letter if letter.isprintable() or letter == "\n" else " " for letter in bare(text))


def text_width(text: str, size: float) -> float:
    """Estimated width of the longest line of a text."""
    return _WIDTH_OF_A_LETTER * size * max(map(len, text.split("\n")), default=0)


def _regular(corners: int, inner: float = 1.0, turned: float = 0.0) -> Corners:
    """A regular polygon with a corner at the top; with `inner` other than 1, a star with inner corners that far out."""
    radii = [1.12] * corners if inner == 1.0 else [1.12, 1.12 * inner] * corners
    angles = [2 * math.pi * step / len(radii) + turned for step in range(len(radii))]
    return tuple((r * math.sin(angle), -r * math.cos(angle)) for r, angle in zip(radii, angles, strict=True))


def _turned(corners: Corners, quarters: int) -> Corners:
    for _ in range(quarters):
        corners = tuple((-y, x) for x, y in corners)
    return corners


_SHAPES: dict[str, Corners] = {
    "s": _SQUARE,
    "D": _regular(4),
    "d": tuple((0.6 * x, y) for x, y in _regular(4)),
    "^": _UP,
    ">": _turned(_UP, 1),
    "v": _turned(_UP, 2),
    "<": _turned(_UP, 3),
    "P": _PLUS,
    "X": tuple(((x - y) * math.sqrt(0.5), (x + y) * math.sqrt(0.5)) for x, y in _PLUS),
    "p": _regular(5),
    "h": _regular(6),
    "H": _regular(6, turned=math.pi / 6),
    "8": _regular(8, turned=math.pi / 8),
    "*": tuple((1.25 * x, 1.25 * y) for x, y in _regular(5, inner=0.42)),
}


@cache
def marker(shape: str, size: float) -> str:
    """Path of a mark `size` points across, relative to the pen's position."""
    radius = size / 2
    if shape == "o":
        # One arc that nearly closes: half as many characters as two half circles.
        r = compact([radius])
        return f"m0-{r}a{r} {r} 0 1 0 .01 0z"
    corners = [(float(tenth(radius * x)), float(tenth(radius * y))) for x, y in _SHAPES[shape]]
    steps = [(x1 - x0, y1 - y0) for (x0, y0), (x1, y1) in zip([(0.0, 0.0), *corners], corners, strict=False)]
    return f"m{compact([each for step in steps for each in step])}z"
