"""The letters and words of all drawings of a page, each once: a drawing in HTML refers to what the page holds."""

from __future__ import annotations

import re
from collections import Counter

from markupsafe import Markup

from gnn_checkpointing.report.figures.palette import INK
from gnn_checkpointing.report.page import Page, Panel

_LETTER = re.compile(r'<path id="([DB][0-9a-f]+)"[^>]*/>')
"""The shape of a letter, as every drawing that uses it has it."""
_WORD = re.compile(r'(?:<use href="#[DB][0-9a-f]+"[^>]*/>){2,}')
"""Letters in a row, placed from where the word begins."""


class Lettering:
    """What the drawings of one page share."""

    def __init__(self, page: Page) -> None:
        """Collect the letters of all drawings, and the words that stand in them more than once."""
        drawings = [panel.svg for figure in page.figures() for panel in figure.panels]
        self._letters = {found[1]: found[0] for svg in drawings for found in _LETTER.finditer(svg)}
        times = Counter(word for svg in drawings for word in _WORD.findall(svg))
        self._words = {word: f"W{number}" for number, word in enumerate(each for each in times if times[each] > 1)}

    @property
    def shapes(self) -> Markup:
        """One hidden drawing with all that the others refer to; nothing where there are none."""
        if not self._letters:
            return Markup("")
        words = "".join(f'<g id="{name}">{word}</g>' for word, name in self._words.items())
        return Markup(  # noqa: S704 - our own drawings: letters are paths
            f'<svg class="letters" aria-hidden="true" width="0" height="0"><defs>{"".join(self._letters.values())}'
            f"{words}</defs></svg>"
        )

    def drawing(self, panel: Panel) -> Markup:
        """Return a panel's SVG in the colour of the text around it; our own drawing, so not escaped."""
        svg = _LETTER.sub("", panel.svg).replace("<defs></defs>", "")
        svg = _WORD.sub(lambda found: self._of_the_page(found[0]), svg)
        svg = svg.replace(INK, "currentColor").replace(' xmlns="http://www.w3.org/2000/svg"', "")
        return Markup(svg.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1))  # noqa: S704 - no user text

    def _of_the_page(self, word: str) -> str:
        return f'<use href="#{self._words[word]}"/>' if word in self._words else word
