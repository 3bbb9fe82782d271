"""A Vision GNN's blocks as curves, and one image with the graph of its patches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from gnn_checkpointing.report.figures.canvas import figure_svg
from gnn_checkpointing.report.figures.palette import INK

_INK_ON_PAPER = "#1d2126"
_COLOUR, _EDGES = "#1a80c4", "#d55e00"
_PANEL = (2.5, 2.0)
_COLUMNS = 3


@dataclass(frozen=True)
class Curve:
    """One measure over the blocks, with the ends of its intervals where it has any."""

    name: str
    values: Sequence[float]
    low: Sequence[float] | None
    high: Sequence[float] | None


def curves_svg(curves: Sequence[Curve]) -> str:
    """Return a standalone SVG with a small panel a measure."""
    rows = -(-len(curves) // _COLUMNS)
    size = (_PANEL[0] * _COLUMNS, _PANEL[1] * rows)

    def draw(figure: Figure) -> None:
        figure.subplots_adjust(left=0.06, right=0.98, bottom=0.12, top=0.90, wspace=0.28, hspace=0.55)
        for place, curve in enumerate(curves, start=1):
            _draw_curve(figure.add_subplot(rows, _COLUMNS, place), curve)

    return _standalone(figure_svg("explained-curves", draw, size))


def patch_graph_svg(
    pixels: NDArray[np.uint8], graphs: Sequence[tuple[int, Sequence[Sequence[int]]]], patch: int
) -> str:
    """Return a standalone SVG of one image, once for each block, with one patch's edges strong and all others faint.

    `pixels` is `[side, side, 3]`; each of `graphs` a block's number and the neighbours of each patch, row by row.
    """
    side = round(len(graphs[0][1]) ** 0.5)
    size = (2.6 * len(graphs), 2.8)

    def draw(figure: Figure) -> None:
        figure.subplots_adjust(left=0.01, right=0.99, bottom=0.01, top=0.90, wspace=0.04)
        for place, (number, neighbours) in enumerate(graphs, start=1):
            axes = figure.add_subplot(1, len(graphs), place)
            axes.imshow(pixels, extent=(0, side, side, 0), alpha=0.6)
            axes.set_axis_off()
            axes.set_title(f"block {number}", fontsize=8.5)
            every = [(node, other) for node, others in enumerate(neighbours) for other in others]
            _draw_edges(axes, every, side, alpha=0.08, width=0.4)
            _draw_edges(axes, [(patch, other) for other in neighbours[patch]], side, alpha=1.0, width=1.2)

    return _standalone(figure_svg("explained-patches", draw, size))


def _draw_curve(axes: Axes, curve: Curve) -> None:
    numbers = list(range(1, len(curve.values) + 1))
    axes.grid(visible=True, color=INK, alpha=0.13, linewidth=0.6)
    if curve.low is not None and curve.high is not None:
        axes.fill_between(numbers, curve.low, curve.high, color=_COLOUR, alpha=0.2, linewidth=0)
    axes.plot(numbers, curve.values, color=_COLOUR, marker="o", markersize=3, linewidth=1.2)
    axes.set_title(curve.name, loc="left", fontsize=8.5)
    axes.set_xlabel("block", fontsize=7.5)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.tick_params(labelsize=7)


def _draw_edges(axes: Axes, edges: Sequence[tuple[int, int]], side: int, alpha: float, width: float) -> None:
    lines = [[(node % side + 0.5, node // side + 0.5) for node in edge] for edge in edges]
    axes.add_collection(LineCollection(lines, colors=_EDGES, alpha=alpha, linewidths=width))


def _standalone(svg: str) -> str:
    """Return a drawing for a file of its own: dark letters on a white ground."""
    ground = '<rect width="100%" height="100%" fill="#ffffff"/>'
    start = svg.index(">") + 1
    return svg[:start].replace(INK, _INK_ON_PAPER) + ground + svg[start:].replace(INK, _INK_ON_PAPER)
