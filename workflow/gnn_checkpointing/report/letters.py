"""Characters that the PDF can show, and a warning about others before anything is measured."""

from functools import cache
from pathlib import Path

from gnn_checkpointing.study.study import Study

FONTS = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf")
"""Fonts of matplotlib, used in addition to the serif font that comes with Typst."""


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
    """Warning about characters of the study that the report prints but no PDF font has; "" if there are none."""
    asked = study.explained
    images = [one for one in (asked.validation, asked.adversarial) if one] if asked else []
    labels = [*(graph.label or "" for graph in study.graphs.real), *(one.label or one.images.name for one in images)]
    texts = (study.title, study.hardware.label or "", *labels)
    lost = list(dict.fromkeys(one for text in texts if not text.isascii() for one in text if not is_drawn(one)))
    if not lost:
        return ""
    codes = ", ".join(f"{one} (U+{ord(one):04X})" for one in lost[:5])
    return (
        f"study {study.name}: no font of the PDF has {codes}; the PDF will print their numbers and the HTML the "
        "letters themselves. Change `title`, `hardware: label` or another `label` now if that matters."
    )
