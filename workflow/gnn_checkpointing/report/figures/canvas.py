"""A blank panel, and its SVG as bytes that depend on nothing but what was drawn."""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Callable, Mapping
from html import escape, unescape
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.text import Text

from gnn_checkpointing.report.figures.marks import classes
from gnn_checkpointing.report.figures.palette import INK
from gnn_checkpointing.sourced import bare

WIDTH, HEIGHT = 3.4, 2.6
BELOW, ABOVE = 0.442, 0.286  # inches kept for the x axis and for the title
_LETTER = re.compile(r"DejaVuSans(-Bold)?-([0-9a-f]+)")
_GRID = f"stroke:{INK};stroke-opacity:0.13;stroke-width:0.6"
_STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "text.parse_math": False,  # a label is text, whatever dollar signs it holds
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.minor.visible": False,
    "ytick.minor.visible": False,
    "svg.fonttype": "path",
    "svg.id": None,
}


def panel_svg(
    name: str,
    draw: Callable[[Axes], None],
    labels_width: float = 0.0,
    size: tuple[float, float] = (WIDTH, HEIGHT),
    words: tuple[str, str] | None = None,
) -> str:
    """Return the SVG of one panel of `size` inches.

    `labels_width` is the share of its width kept free on the right for labels. With `words`, how the ticks of either
    axis read, the drawing tells where its axes are, so that the page can make a logarithmic one linear.
    """
    height = size[1]
    told: dict[str, str] = {}

    def drawn(figure: Figure) -> None:
        place = (0.175 * WIDTH / size[0], BELOW / height, 0.80 - labels_width, 1 - (BELOW + ABOVE) / height)
        axes = figure.add_axes(place)
        axes.patch.set_visible(False)
        axes.grid(visible=True, color=INK, alpha=0.13, linewidth=0.6)
        axes.set_axisbelow(True)
        draw(axes)
        if words is not None:
            told.update(_axes(axes, size, words))

    return figure_svg(name, drawn, size, told)


def _axes(axes: Axes, size: tuple[float, float], words: tuple[str, str]) -> dict[str, str]:
    """Return where the axes are, in points from the top left, and for each: its kind, its ends and its words."""
    place, (width, height) = axes.get_position(), (72 * length for length in size)
    frame = (place.x0 * width, (1 - place.y1) * height, place.x1 * width, (1 - place.y0) * height)
    return {
        "data-frame": " ".join(f"{number:.2f}" for number in frame),
        "data-x": f"{axes.get_xscale()} {axes.get_xlim()[0]:.6g} {axes.get_xlim()[1]:.6g} {words[0]}",
        "data-y": f"{axes.get_yscale()} {axes.get_ylim()[0]:.6g} {axes.get_ylim()[1]:.6g} {words[1]}",
    }


def figure_svg(
    name: str, draw: Callable[[Figure], None], size: tuple[float, float], told: Mapping[str, str] | None = None
) -> str:
    """Return the SVG of a drawing of `size` inches that lays out its own axes.

    `told` are attributes of the drawing, read once it is drawn.
    """
    with mpl.rc_context({**_STYLE, "svg.hashsalt": name}):
        figure = Figure(figsize=size)
        FigureCanvasSVG(figure)
        draw(figure)
        for text in figure.findobj(Text):
            text.set_text(bare(text.get_text()))
        stream = io.StringIO()
        figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None})
    svg = _bare(stream.getvalue(), name, ticks=bool(told))
    attributes = "".join(f'{key}="{value}" ' for key, value in (told or {}).items())
    return svg.replace("<svg ", f"<svg {attributes}", 1)


def _coarse(attribute: str) -> str:
    """Return an attribute with its coordinates cut to two decimals and no more space than parts two numbers."""
    cut = re.sub(r"(\.\d\d)\d+", r"\1", " ".join(attribute.split()))
    return re.sub(r" ?([MLHVCQzZ]) ?", r"\1", cut)


def _ungrouped(svg: str) -> str:
    """Return the SVG without groups that have no attributes or hold nothing, and so say nothing."""
    kept: list[bool] = []

    def tag(found: re.Match[str]) -> str:
        if found.group().endswith("/>"):
            return ""
        if found.group() == "</g>":
            return "</g>" if kept.pop() else ""
        kept.append(found.group() != "<g>")
        return found.group() if kept[-1] else ""

    return re.sub(r"<g(?: [^>]*)?/?>|</g>", tag, svg)


def _prefix(name: str) -> str:
    """Return six letters that stand for a panel's name; that no two panels of a page share them is tested."""
    number, letters = zlib.crc32(name.encode()), ""
    for _ in range(6):
        number, letter = divmod(number, 16)
        letters += "ghijklmnopqrstuv"[letter]
    return letters


def _class_of(gid: str, *, ticks: bool) -> str:
    """Return the class that a group's id stands for: a tagged part, or a tick where the page may move it."""
    if ticks and gid.startswith(("xtick_", "ytick_")):
        return f"{gid[0]}tick"
    return classes(unescape(gid))


def _short_names(svg: str, name: str) -> dict[str, str]:
    """Return a short id for each that is referred to: of a letter one for all panels, else one with the panel's prefix.

    So a page can hold the shape of a letter once.
    """
    names = dict.fromkeys(re.findall(r'(?:href="|url\()#([^")]+)', svg))
    short = {}
    for number, old in enumerate(names):
        letter = _LETTER.fullmatch(old)
        short[old] = f"{'B' if letter[1] else 'D'}{letter[2]}" if letter else f"{_prefix(name)}{number:x}"
    return short


def _bare(svg: str, name: str, *, ticks: bool) -> str:
    """Return the SVG element alone, without metadata, with ids of its own so that panels can share a page."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    # The drawing's style sheet would reach the whole page it stands in: its two rules become attributes.
    svg = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>\s*", "", svg, flags=re.DOTALL)
    svg = svg.replace("<svg ", '<svg stroke-linejoin="round" stroke-linecap="butt" ', 1)
    svg = re.sub(r"<!--.*?-->\s*", "", svg, flags=re.DOTALL)
    # A hundredth of a point is finer than any screen or press, and half of the file.
    svg = re.sub(r'\b(?:d|x|y)="[^"]+"', lambda found: _coarse(found.group()), svg)
    svg = svg.replace(' xmlns:xlink="http://www.w3.org/1999/xlink"', "").replace("xlink:href", "href")
    svg = re.sub(r"translate\(([^)]+)\)", lambda found: _coarse(found.group()), svg)
    svg = re.sub(r">\s+<", "><", svg)
    svg = re.sub(r'style="[^"]+"', lambda found: found.group().replace(": ", ":").replace("; ", ";"), svg)
    # A tick is a reference to a mark that has this style already.
    svg = svg.replace(f' style="fill:{INK};stroke:{INK};stroke-width:0.8"/>', "/>")
    # The grid ends where the axes do, and a straight line has nothing to fill.
    svg = re.sub(rf' clip-path="[^"]*" style="fill:none;{_GRID};stroke-linecap:square"', f' style="{_GRID}"', svg)
    # Every letter is a reference to its shape: short names keep that small, and what nothing refers to needs none.
    short = _short_names(svg, name)

    def identity(found: re.Match[str]) -> str:
        if found[1] in short:
            return f' id="{short[found[1]]}"'
        kind = _class_of(found[1], ticks=ticks)
        return f' class="{escape(kind)}"' if kind else ""

    svg = re.sub(r' id="([^"]+)"', identity, svg)
    svg = re.sub(r'href="#([^"]+)"', lambda found: f'href="#{short[found[1]]}"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", lambda found: f"url(#{short[found[1]]})", svg)
    return _ungrouped(svg).strip() + "\n"
