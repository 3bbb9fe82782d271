"""Letters that a PDF can show, and the warning about others before anything is measured."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from gnn_checkpointing.study.study import Study

FONTS = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf")
"""Beside the serif font, which Typst brings: matplotlib's."""


def font_folder() -> Path:
    """Where the fonts are."""
    from matplotlib import get_data_path

    return Path(get_data_path()) / "fonts" / "ttf"


@cache
def drawable() -> frozenset[str]:
    """The characters that the fallback font draws: PDF/UA refuses a character without a glyph."""
    from matplotlib.ft2font import FT2Font

    return frozenset(chr(code) for code in FT2Font(str(font_folder() / FONTS[0])).get_charmap())


def is_drawn(character: str) -> bool:
    """Whether a PDF shows a character as it is."""
    return character in "\n\N{NO-BREAK SPACE}" or (character in drawable() and character.isprintable())


def unprinted(study: Study) -> str:
    """A warning about letters in the study's title or the machine's name that no PDF font has; "" without any."""
    text = f"{study.title}{study.hardware.label or ''}"
    lost = "" if text.isascii() else "".join(dict.fromkeys(each for each in text if not is_drawn(each)))
    if not lost:
        return ""
    codes = ", ".join(f"{each} (U+{ord(each):04X})" for each in lost[:5])
    return (
        f"study {study.name}: no font of the PDF has {codes}; the PDF will print their numbers and the HTML the "
        "letters themselves. Change `title` or `hardware: label` now if that matters."
    )
