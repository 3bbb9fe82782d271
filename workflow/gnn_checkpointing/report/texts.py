"""The appendix's sentences, by section and name: `templates/appendix/SECTION.md` has each under a heading of its own.

A text is one or several paragraphs of Jinja; its values are words, or numbers that filters put in words with their
addresses.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

from jinja2 import Environment, StrictUndefined, Template

import gnn_checkpointing
from gnn_checkpointing.report import units

TEMPLATES = Path(gnn_checkpointing.__file__).resolve().parents[2] / "templates"
"""Those of a checkout of the project."""

_HEADING = re.compile(r"^## (\S+)$", re.MULTILINE)
_FILTERS = (
    *(units.count, units.digits, units.plain, units.percent, units.share, units.size, units.duration, units.ratio),
    *(units.confidence, units.error, units.accuracy, units.significant, units.probability, units.fixed),
    *(units.ratio_estimate, units.share_estimate, units.general_estimate, units.scaled_estimate),
)


def texts(section: str) -> Callable[..., str]:
    """A function from the name of a text of this section, and its values, to the text."""

    def text(name: str, /, **values: object) -> str:
        paragraphs = (one.render(values) for one in _texts(section)[name])
        return "\n\n".join(filter(None, paragraphs))

    return text


@cache
def _texts(section: str) -> dict[str, list[Template]]:
    """The paragraphs of every text of a section's file, by its name."""
    environment = Environment(undefined=StrictUndefined, autoescape=False)  # noqa: S701 - each face escapes
    environment.filters |= {one.__name__: one for one in _FILTERS}
    content = (TEMPLATES / "appendix" / f"{section}.md").read_text(encoding="utf-8")
    _, *found = _HEADING.split(content)
    return {
        name: [environment.from_string(one.replace("\n", " ")) for one in body.strip().split("\n\n")]
        for name, body in zip(found[::2], found[1::2], strict=True)
    }
