"""A drawing for paper: its labels apart, which Typst sets as text."""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree import ElementTree as Tree

_SVG = "{http://www.w3.org/2000/svg}"
Element = Tree.Element


@dataclass(frozen=True)
class Label:
    """One line of text: where its baseline begins, ends or has its middle, in points of the drawing."""

    text: str
    x: float
    y: float
    size: float
    anchor: str


@dataclass(frozen=True)
class Paper:
    """A drawing without text, its width in points, and its labels."""

    svg: str
    width: float
    labels: tuple[Label, ...]


def on_paper(svg: str) -> Paper:
    """The drawing with its labels apart."""
    Tree.register_namespace("", _SVG[1:-1])
    root = Tree.fromstring(svg)  # noqa: S314 - written by this project
    labels: list[Label] = []
    for parent in list(root.iter()):
        for text in parent.findall(f"{_SVG}text"):
            labels += _lines(text, parent)
            parent.remove(text)
    width = float(root.attrib["viewBox"].split()[2])
    return Paper(Tree.tostring(root, encoding="unicode"), width, tuple(labels))


def _lines(text: Element, parent: Element) -> list[Label]:
    given = {**parent.attrib, **text.attrib}
    x, y = float(given["x"]), float(given["y"])
    size, anchor = float(given.get("font-size", "8.5")), given.get("text-anchor", "start")
    found = [Label(text.text or "", x, y, size, anchor)]
    for line in text:
        y += float(line.attrib["dy"])
        found.append(Label(line.text or "", x, y, size, anchor))
    return found
