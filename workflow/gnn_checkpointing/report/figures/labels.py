"""Names beside marks: broken where they may be, and placed where they cover nothing."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

_ANGLES = tuple(math.radians(degree) for degree in (0, 180, 45, 135, 315, 225, 90, 270, 20, 160, 340, 200))
_REACHES = (6.0, 11.0, 17.0, 25.0, 35.0, 47.0, 62.0)


@dataclass(frozen=True)
class Box:
    """A rectangle in points."""

    left: float
    bottom: float
    right: float
    top: float

    def overlap(self, other: Box) -> float:
        """Return the area that both cover."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.top, other.top) - max(self.bottom, other.bottom)
        return max(0.0, width) * max(0.0, height)

    def outside(self, frame: Box) -> float:
        """Return the area that lies outside of the frame."""
        return (self.right - self.left) * (self.top - self.bottom) - self.overlap(frame)


def wrapped(policy: str) -> str:
    """Return a policy's name on one or two lines, so that it fits beside a panel."""
    broken = re.sub(r"(?<=[_+])edge_blocks|(?<=memory_)budget", lambda found: f"\n{found.group()}", policy)
    return broken if "\n" in broken or len(policy) < 12 else policy.replace("(", "\n(")


def placed(
    anchors: Sequence[tuple[float, float]], texts: Sequence[str], marks: Sequence[Box], frame: Box, size: float
) -> list[Box]:
    """Return a place for each text near its anchor: covering no mark and no other text as far as that can be.

    All in points; `size` is that of the letters, whose width is taken as three fifths of it.
    """
    taken: list[Box] = []
    for (x, y), text in zip(anchors, texts, strict=True):
        width, height = 0.6 * size * len(text), 1.15 * size
        reach_of_all = _REACHES[-1] + width
        around = Box(x - reach_of_all, y - reach_of_all, x + reach_of_all, y + reach_of_all)
        near = [mark for mark in marks if mark.overlap(around)]
        candidates = [
            (_cost(box, taken, near, frame) + reach * 0.02, number, box)
            for number, (reach, box) in enumerate(
                (reach, _beside(x + reach * math.cos(angle), y + reach * math.sin(angle), angle, width, height))
                for reach in _REACHES
                for angle in _ANGLES
            )
        ]
        taken.append(min(candidates, key=lambda candidate: candidate[:2])[2])
    return taken


def _beside(x: float, y: float, angle: float, width: float, height: float) -> Box:
    """Return the box that touches (x, y) with the side that faces the anchor."""
    across = math.cos(angle)
    left = x if across > 0.3 else x - width if across < -0.3 else x - width / 2
    return Box(left, y - height / 2, left + width, y + height / 2)


def _cost(box: Box, taken: Sequence[Box], marks: Sequence[Box], frame: Box) -> float:
    return (
        3 * sum(box.overlap(other) for other in taken)
        + sum(box.overlap(mark) for mark in marks)
        + 9 * box.outside(frame)
    )
