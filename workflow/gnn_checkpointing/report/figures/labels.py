"""Labels beside marks: where they may break into lines, and where they cover nothing."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from gnn_checkpointing.report.figures.svg import text_width

_ANGLES = tuple(math.radians(degree) for degree in (0, 180, 45, 135, 315, 225, 90, 270, 20, 160, 340, 200))
_REACHES = (6.0, 11.0, 17.0, 25.0, 35.0, 47.0, 62.0)
_FAR, _PASSED = 0.2, 4.0
"""Cost of a point of distance, and of a mark that a label's line passes over, in square points of covered lines."""


@dataclass(frozen=True)
class Box:
    """A rectangle in points from the top left."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """From left to right."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """From top to bottom."""
        return self.bottom - self.top

    def overlap(self, other: Self) -> float:
        """Area that both cover."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(0.0, width) * max(0.0, height)

    def nearest(self, spot: tuple[float, float]) -> tuple[float, float]:
        """Place in the rectangle nearest to `spot`."""
        return min(max(spot[0], self.left), self.right), min(max(spot[1], self.top), self.bottom)

    def outside(self, frame: Self) -> float:
        """Area that lies outside the frame."""
        return self.width * self.height - self.overlap(frame)


def wrapped(policy: str) -> str:
    """Break a policy's name into lines so that it fits beside a panel."""
    broken = re.sub(r"(?<=[_+])edge_blocks|(?<=memory_)budget", lambda found: f"\n{found.group()}", policy)
    return broken if "\n" in broken or len(policy) < 12 else policy.replace("(", "\n(")


Segment = tuple[tuple[float, float], tuple[float, float]]


def placed(
    anchors: Sequence[tuple[float, float]],
    texts: Sequence[str],
    marks: Sequence[Box],
    frame: Box,
    size: float,
    thin: Sequence[Box] = (),
) -> list[Box | None]:
    """Find a place for each text near its anchor that covers no mark and little of `thin`; None if no place is free.

    No text touches another, and no line from an anchor to its text crosses another line or another text; the line
    passes over few other marks. All in points; `size` is the font size.
    """
    taken: list[Box] = []
    lines: list[Segment] = []
    found: list[Box | None] = []
    for anchor, text in zip(anchors, texts, strict=True):
        width, height = text_width(text, size), 1.15 * size
        most = _REACHES[-1] + width
        around = Box(anchor[0] - most, anchor[1] - most, anchor[0] + most, anchor[1] + most)
        near, pale = ([one for one in some if one.overlap(around)] for some in (marks, thin))
        others = [mark for mark in near if mark.nearest(anchor) != anchor]
        boxes = [(reach, _beside(anchor, reach, angle, width, height)) for reach in _REACHES for angle in _ANGLES]
        candidates = [
            (round(_cost(box, (anchor, box.nearest(anchor)), others, pale) + reach * _FAR, 6), number, box)
            for number, (reach, box) in enumerate(boxes)
            if box.outside(frame) < 1e-6 and not any(box.overlap(mark) for mark in near)
            if _is_free(box, (anchor, box.nearest(anchor)), taken, lines)
        ]
        best = min(candidates)[2] if candidates else None
        found.append(best)
        if best is not None:
            taken.append(best)
            lines.append((anchor, best.nearest(anchor)))
    return found


def _cost(box: Box, line: Segment, marks: Sequence[Box], thin: Sequence[Box]) -> float:
    """Cost of a place: the area of `thin` that it covers, and the marks that the line to it passes over."""
    passed = sum(any(crosses(line, side) for side in _diagonals(mark)) for mark in marks)
    return sum(box.overlap(one) for one in thin) + _PASSED * passed


def _is_free(box: Box, line: Segment, taken: Sequence[Box], lines: Sequence[Segment]) -> bool:
    return (
        not any(box.overlap(other) for other in taken)
        and not any(crosses(line, other) for other in lines)
        and not any(crosses(line, side) for other in taken for side in _diagonals(other))
        and not any(crosses(side, other) for other in lines for side in _diagonals(box))
    )


def _diagonals(box: Box) -> tuple[Segment, Segment]:
    """The two diagonals of a box; every line that passes through the box crosses one of them."""
    return ((box.left, box.top), (box.right, box.bottom)), ((box.left, box.bottom), (box.right, box.top))


def crosses(one: Segment, other: Segment) -> bool:
    """Whether two line segments cross between their ends."""

    def side(line: Segment, spot: tuple[float, float]) -> float:
        (x0, y0), (x1, y1) = line
        return (x1 - x0) * (spot[1] - y0) - (y1 - y0) * (spot[0] - x0)

    return side(one, other[0]) * side(one, other[1]) < 0 and side(other, one[0]) * side(other, one[1]) < 0


def _beside(anchor: tuple[float, float], reach: float, angle: float, width: float, height: float) -> Box:
    """Box whose side facing the anchor touches the end of a line of length `reach` from the anchor."""
    across = math.cos(angle)
    x, y = anchor[0] + reach * across, anchor[1] + reach * math.sin(angle)
    left = x if across > 0.3 else x - width if across < -0.3 else x - width / 2
    return Box(left, y - height / 2, left + width, y + height / 2)
