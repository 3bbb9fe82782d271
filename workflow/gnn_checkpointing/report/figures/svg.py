"""SVG as a tree of elements, with numbers rounded so that every machine writes the same bytes."""

from __future__ import annotations

from xml.etree import ElementTree as Tree

from gnn_checkpointing.report.figures.palette import INK
from gnn_checkpointing.sourced import bare

Element = Tree.Element
FONT = "DejaVu Sans"
"""The font on paper, and the widest that a page may choose: what fits here fits everywhere."""
_ON_PAPER = "#1d2126"
_WIDTH_OF_A_LETTER = 0.62  # of its size, the mean of that font


def drawing(width: float, height: float, name: str = "") -> Element:
    """An empty drawing in points; `name` is what a file of it is called.

    Its own colour and font are those of paper; a page's style overrules them.
    """
    return Tree.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": f"0 0 {number(width)} {number(height)}",
            "color": _ON_PAPER,
            "fill": INK,
            "font-family": FONT,
            "font-size": "8.5",
            "stroke-linejoin": "round",
            "aria-hidden": "true",
            "focusable": "false",
            **({"data-name": name} if name else {}),
        },
    )


def add(parent: Element, name: str, **attributes: str | float | None) -> Element:
    """A new element in `parent`. None leaves an attribute out; `class_` is class, and `_` in a name is `-`."""
    written = {
        key.rstrip("_").replace("_", "-"): clean(value) if isinstance(value, str) else number(value)
        for key, value in attributes.items()
        if value is not None
    }
    return Tree.SubElement(parent, name, written)


def words(parent: Element, x: float, y: float, text: str, **attributes: str | float | None) -> Element:
    """Text in one or several lines, the block of them centred on `y`; `font_size` is in `attributes` or 8.5."""
    size = float(attributes.get("font_size") or 8.5)
    lines = clean(text).split("\n")
    first = y + (0.72 - 1.1 * (len(lines) - 1)) * size / 2
    made = add(parent, "text", x=x, y=first, **attributes)
    made.text = lines[0]
    for line in lines[1:]:
        add(made, "tspan", x=x, dy=1.1 * size).text = line
    return made


def written(root: Element) -> str:
    """The drawing as one line of text."""
    return Tree.tostring(root, encoding="unicode", short_empty_elements=True) + "\n"


def number(value: float) -> str:
    """A coordinate to a hundredth; the rounding before keeps the last bits of a processor out of a tie."""
    text = f"{round(round(float(value), 6), 2):.2f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def path(points: list[tuple[float, float]]) -> str:
    """A line through some points. Capital letters stand before places of data, which a page may move."""
    return "".join(f"{'L' if place else 'M'}{number(x)} {number(y)}" for place, (x, y) in enumerate(points))


def clean(text: str) -> str:
    """Text as it is read: without the addresses of numbers, and without characters that XML has no place for."""
    return "".join(letter if letter.isprintable() or letter == "\n" else " " for letter in bare(text))


def text_width(text: str, size: float) -> float:
    """The most that the longest line of a text takes."""
    return _WIDTH_OF_A_LETTER * size * max(map(len, text.split("\n")), default=0)
