"""The shapes of marks, as paths around the place that they mark."""

from __future__ import annotations

import math
from functools import cache

from gnn_checkpointing.report.figures.svg import compact, tenth

_SQUARE = ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9))
_UP = ((0.0, -1.1), (1.05, 0.85), (-1.05, 0.85))
_ARM = 0.36
_PLUS = (
    (-_ARM, -1.1), (_ARM, -1.1), (_ARM, -_ARM), (1.1, -_ARM), (1.1, _ARM), (_ARM, _ARM),
    (_ARM, 1.1), (-_ARM, 1.1), (-_ARM, _ARM), (-1.1, _ARM), (-1.1, -_ARM), (-_ARM, -_ARM),
)  # fmt: skip
Corners = tuple[tuple[float, float], ...]


def _regular(corners: int, inner: float = 1.0, turned: float = 0.0) -> Corners:
    """A regular polygon with a corner at the top; with `inner` a star, which has a shorter corner between any two."""
    steps = corners if inner == 1.0 else 2 * corners
    return tuple(
        (
            1.12 * (inner if step % 2 and inner != 1.0 else 1.0) * math.sin(2 * math.pi * step / steps + turned),
            -1.12 * (inner if step % 2 and inner != 1.0 else 1.0) * math.cos(2 * math.pi * step / steps + turned),
        )
        for step in range(steps)
    )


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
    """A mark of that many points across, relative to where the pen is."""
    radius = size / 2
    if shape == "o":
        # One arc nearly all the way round: half as long as two half circles.
        r = compact([radius])
        return f"m0-{r}a{r} {r} 0 1 0 .01 0z"
    corners = [(float(tenth(radius * x)), float(tenth(radius * y))) for x, y in _SHAPES[shape]]
    steps = [(x1 - x0, y1 - y0) for (x0, y0), (x1, y1) in zip([(0.0, 0.0), *corners], corners, strict=False)]
    return f"m{compact([each for step in steps for each in step])}z"
