"""A published page as it was before it was packed: every tag closed, every attribute in quotes."""

import html
from html.parser import HTMLParser
from pathlib import Path

from markupsafe import escape

VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())  # noqa: SIM905
_CELLS, _TERMS = ("td", "th"), ("dt", "dd")
_PARTS = ("thead", "tbody")
_CLOSED_BY = {
    **dict.fromkeys(_CELLS, _CELLS),
    **dict.fromkeys(("tr",), (*_CELLS, "tr")),
    **dict.fromkeys(_PARTS, (*_CELLS, "tr", *_PARTS)),
    **dict.fromkeys(_TERMS, _TERMS),
    **{tag: (tag,) for tag in ("li", "option")},
}
_ENDS_PARAGRAPH = {
    *("article", "details", "div", "dl", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3"),
    *("header", "main", "nav", "ol", "p", "pre", "section", "table", "ul", "li", "dt", "dd", "td", "th", "tr"),
}
"""Which open elements a tag ends, of those whose end tags a page may leave out."""


class _Whole(HTMLParser):
    CDATA_CONTENT_ELEMENTS = ("script", "style", "title")

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.made: list[str] = []
        self.feed(page)
        self._close(len(self.open))

    def handle_decl(self, decl: str) -> None:
        self.made.append(f"<!{decl}>")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        while self.open and (
            self.open[-1] in _CLOSED_BY.get(tag, ()) or (self.open[-1] == "p" and tag in _ENDS_PARAGRAPH)
        ):
            self._close(1)
        self.made.append(f"<{tag}{self._written(attrs)}>")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.made.append(f"<{tag}{self._written(attrs)}/>")

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open:
            self._close(self.open[::-1].index(tag) + 1)

    def handle_data(self, data: str) -> None:
        raw = bool({"script", "style"} & set(self.open))
        self.made.append(data if raw else str(escape(html.unescape(data) if "title" in self.open else data)))

    def _close(self, count: int) -> None:
        self.made += [f"</{self.open.pop()}>" for _ in range(count)]

    def _written(self, attrs: list[tuple[str, str | None]]) -> str:
        ordered = sorted(attrs, key=lambda one: (one[0] != "id", one[0] != "class", one[0] != "type", one[0]))
        return "".join(f' {name}="{escape(value or "")}"' for name, value in ordered)


def whole(path: Path) -> str:
    """The page in a file with all its tags; an id comes first, then a class."""
    return "".join(_Whole(path.read_text()).made)
