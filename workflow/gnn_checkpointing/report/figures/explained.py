"""Measures of a Vision GNN's blocks as curves, and an image with the graph of its patches."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gnn_checkpointing.report.figures import scales, svg
from gnn_checkpointing.report.figures.chart import Chart, Layer, Point, draw
from gnn_checkpointing.report.figures.labels import Box
from gnn_checkpointing.report.figures.layers import ribbon, series
from gnn_checkpointing.report.figures.palette import Look

_LOOK, _EDGES = Look("#1a80c4", "o"), "#d55e00"
_PANEL = (180.0, 144.0)
_SIDE, _GAP = 180.0, 6.0
_COLUMNS = 3


@dataclass(frozen=True)
class Curve:
    """One measure over the blocks, with the ends of its intervals if it has any."""

    name: str
    values: Sequence[float]
    low: Sequence[float] | None
    high: Sequence[float] | None


def curves_svg(curves: Sequence[Curve]) -> str:
    """Standalone SVG with a small panel per measure."""
    root = _on_paper(_PANEL[0] * _COLUMNS, _PANEL[1] * -(-len(curves) // _COLUMNS))
    for place, curve in enumerate(curves):
        left, top = _PANEL[0] * (place % _COLUMNS), _PANEL[1] * (place // _COLUMNS)
        _draw_curve(root, curve, Box(left + 30, top + 22, left + _PANEL[0] - 8, top + _PANEL[1] - 28))
    return svg.written(root)


def patch_graph_svg(
    pixels: NDArray[np.uint8], graphs: Sequence[tuple[int, Sequence[Sequence[int]]]], patch: int
) -> str:
    """Standalone SVG of one image, repeated for each block, with one patch's edges strong and all others faint.

    `pixels` is `[side, side, 3]`; each of `graphs` is a block's number and the neighbours of each patch, row by row.
    """
    side = round(len(graphs[0][1]) ** 0.5)
    root = _on_paper((_SIDE + _GAP) * len(graphs), _SIDE + 20)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format="png")
    image = f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}"
    for place, (number, neighbours) in enumerate(graphs):
        left, top, unit = (_SIDE + _GAP) * place, 18.0, _SIDE / side
        svg.words(root, left + _SIDE / 2, 9, f"block {number}", text_anchor="middle")
        svg.add(root, "image", href=image, x=left, y=top, width=_SIDE, height=_SIDE, opacity=0.6)
        centres = [(left + (node % side + 0.5) * unit, top + (node // side + 0.5) * unit) for node in range(side**2)]
        every = [(node, other) for node, others in enumerate(neighbours) for other in others]
        strong = [(patch, other) for other in neighbours[patch]]
        for edges, opacity, width in ((every, 0.08, 0.4), (strong, 1.0, 1.2)):
            lines = "".join(svg.path([centres[node] for node in edge]) for edge in edges)
            svg.add(root, "path", d=lines, stroke=_EDGES, stroke_opacity=opacity, stroke_width=width)
    return svg.written(root)


def _draw_curve(root: svg.Element, curve: Curve, frame: Box) -> None:
    numbers = list(range(1, len(curve.values) + 1))
    x = scales.step_scale([str(number) for number in numbers], "block")
    y = scales.value_scale([*curve.values, *(curve.low or ()), *(curve.high or ())], curve.name)
    points = [Point(number, value, value, value) for number, value in zip(numbers, curve.values, strict=True)]
    layers: list[Layer] = []
    if curve.low is not None and curve.high is not None:
        layers.append(partial(ribbon, xs=numbers, low=curve.low, high=curve.high, colour=_LOOK.colour))
    layers.append(partial(series, name=curve.name, look=_LOOK, points=points, size=3.0, width=1.2))
    draw(root, Chart(frame, x, y, layers, small=True))


def _on_paper(width: float, height: float) -> svg.Element:
    """A drawing for a file of its own: dark letters on a white ground."""
    root = svg.drawing(width, height)
    svg.add(root, "rect", width=width, height=height, fill="#ffffff")
    return root
