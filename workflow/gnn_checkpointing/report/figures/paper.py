"""A drawing for paper: its labels apart, which Typst sets as text, and what nobody can point at there joined."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
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
    """The drawing with the marks of a series as one path, without their titles, and with its labels apart."""
    Tree.register_namespace("", _SVG[1:-1])
    root = Tree.fromstring(svg)  # noqa: S314 - written by this project
    labels: list[Label] = []
    for parent in list(root.iter()):
        for text in parent.findall(f"{_SVG}text"):
            labels += _lines(text, parent)
            parent.remove(text)
        for _, marks in groupby(list(parent), _shape):
            _join(parent, list(marks))
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


def _shape(element: Element) -> tuple[tuple[str, str], ...] | None:
    """How a mark is drawn, None for anything else."""
    if element.find(f"{_SVG}title") is None:
        return None
    return tuple((name, value) for name, value in element.items() if name != "d")


def _join(parent: Element, marks: list[Element]) -> None:
    """Make marks that are drawn alike one path."""
    first, *others = marks
    if _shape(first) is None:
        return
    first.set("d", "".join(mark.attrib["d"] for mark in marks))
    first[:] = []
    for other in others:
        parent.remove(other)
