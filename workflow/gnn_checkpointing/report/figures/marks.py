"""What a drawing's parts are called, so that the page can hide a policy everywhere and stretch an axis."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from matplotlib.artist import Artist

Part = Literal["data", "lead", "label"]
"""Drawn at its values; a thin line from the last of them to a name; what stands beside the axes."""

_PREFIX = "part:"


def tag(artists: Artist | Iterable[Artist], part: Part, policy: str = "") -> None:
    """Say what the artists are, and of which policy."""
    for artist in [artists] if isinstance(artists, Artist) else artists:
        artist.set_gid(f"{_PREFIX}{part} {policy}")


def classes(gid: str) -> str:
    """Return the classes of what was tagged, such as "data p:layers"; "" for any other id."""
    if not gid.startswith(_PREFIX):
        return ""
    part, _, policy = gid.removeprefix(_PREFIX).partition(" ")
    return f"{part} p:{policy}" if policy else part
