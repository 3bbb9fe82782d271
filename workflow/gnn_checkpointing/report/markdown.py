"""Templates in Markdown made into blocks of a page: a writer changes a sentence without opening Python.

A template is filled by Jinja, then read as Markdown. Whatever it prints is held back under a placeholder until the
Markdown is read, so that no text of a user is ever markup, and a number keeps the address that it carries. A figure or
a table alone in its paragraph stands there as a block.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markdown_it import MarkdownIt
from markdown_it.token import Token

from gnn_checkpointing.report.page import Block, Box, Bullets, Heading, Note, Paragraph, Section, Span, Text
from gnn_checkpointing.sourced import parts

_START, _END = "\ue010", "\ue011"
_PLACE = re.compile(f"{_START}(\\d+){_END}")
_NUMBER = re.compile(r"\W*\d")
_LOOKS = {"strong_open": "strong", "em_open": "emphasis"}
_BLOCKS = ("table", "figure", "claims", "facts", "steps", "links", "planner")

Evidence = Callable[[str], str]
"""Where a number's address is shown in full: a link, "" for nowhere."""


class Writer:
    """Writes sections from templates; `words` are the filters and names that they may use."""

    def __init__(self, folder: Path, words: Mapping[str, Callable[..., Any]], values: Mapping[str, Any]) -> None:
        """Open the folder of templates."""
        self._environment = Environment(
            loader=FileSystemLoader(folder),
            autoescape=False,  # noqa: S701 - what is printed is held back, and escaped by each face
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=_held,
        )
        self._environment.filters.update(words)
        self._values = dict(values)

    def blocks(self, name: str, evidence: Evidence, **values: Any) -> tuple[str, list[Block]]:
        """Title and blocks of the template `name`; no blocks where it says nothing."""
        held: list[Any] = []
        text = self._environment.get_template(name).render({**self._values, **values, "held": held})
        reader = _Reader(held, evidence)
        return reader.title(text), reader.blocks(text)

    def section(self, name: str, evidence: Evidence, **values: Any) -> Section | None:
        """The section that a template writes, None where it says nothing; the file's name is its address."""
        title, blocks = self.blocks(name, evidence, **values)
        return Section(Path(name).stem, title, tuple(blocks)) if blocks else None


@pass_context
def _held(context: Context, value: Any) -> str:
    """Keep what is printed for later, and print its place."""
    if value is None or value == "":
        return ""
    held: list[Any] = context["held"]
    held.append(value)
    return f"{_START}{len(held) - 1}{_END}"


class _Reader:
    def __init__(self, held: Sequence[Any], evidence: Evidence) -> None:
        self._held = held
        self._evidence = evidence
        self._markdown = MarkdownIt("commonmark")

    def title(self, text: str) -> str:
        """The words of the first heading of the first level."""
        tokens = self._markdown.parse(text)
        for token, inline in pairwise(tokens):
            if token.type == "heading_open" and token.tag == "h1":
                return inline.content
        return ""

    def blocks(self, text: str) -> list[Block]:
        return list(self._blocks(self._markdown.parse(text)))

    def _blocks(self, tokens: Sequence[Token]) -> Iterator[Block]:
        place = 0
        while place < len(tokens):
            token = tokens[place]
            end = _closing(tokens, place)
            inside = tokens[place + 1 : end]
            match token.type:
                case "heading_open" if token.tag != "h1":
                    yield Heading(self._spans(inside[0]))
                case "paragraph_open":
                    yield from self._paragraph(inside[0])
                case "bullet_list_open" | "ordered_list_open":
                    yield Bullets(tuple(self._texts(inside)), token.type == "ordered_list_open")
                case "blockquote_open":
                    yield self._quote(inside)
            place = end + 1

    def _paragraph(self, inline: Token) -> Iterator[Block]:
        """The blocks that stand alone in a paragraph, else the paragraph itself."""
        found = [self._held[int(one)] for one in _PLACE.findall(inline.content)]
        if found and not _PLACE.sub("", inline.content).strip() and all(_is_block(one) for one in found):
            for one in found:
                yield from one if isinstance(one, list | tuple) else [one]
        else:
            yield Paragraph(self._spans(inline))

    def _quote(self, tokens: Sequence[Token]) -> Block:
        """A box where the quotation has a list, else a note."""
        texts = [self._spans(token) for token in tokens if token.type == "inline"]
        if any(token.type == "bullet_list_open" for token in tokens):
            return Box(texts[0], tuple(texts[1:]))
        return Note(texts[0])

    def _texts(self, tokens: Sequence[Token]) -> Iterator[Text]:
        return (self._spans(token) for token in tokens if token.type == "inline")

    def _spans(self, inline: Token) -> tuple[Span, ...]:
        """The pieces of a sentence, each with its look and where it leads."""
        found: list[Span] = []
        looks, links = ["plain"], [""]
        for child in inline.children or ():
            if child.type in _LOOKS:
                looks.append(_LOOKS[child.type])
            elif child.type == "link_open":
                links.append(str(child.attrs["href"]))
            elif child.type in ("strong_close", "em_close"):
                looks.pop()
            elif child.type == "link_close":
                links.pop()
            elif child.type == "softbreak":
                found.append(Span(" "))
            else:
                look = "code" if child.type == "code_inline" else looks[-1]
                found += self._filled(child.content, cast("Any", look), links[-1])
        return tuple(span for span in found if span.text)

    def _filled(self, text: str, look: Any, href: str) -> Iterator[Span]:
        """The text with every placeholder replaced by what was held."""
        for place, piece in enumerate(_PLACE.split(text)):
            if place % 2 == 0:
                yield Span(piece, look, href)
            else:
                yield from self._said(self._held[int(piece)], look, href)

    def _said(self, value: Any, look: Any, href: str) -> Iterator[Span]:
        """A held value in pieces, a number with the address that it carries."""
        if isinstance(value, Span):
            yield value if value.look != "plain" else replace(value, look=look)
        elif isinstance(value, tuple):
            for one in value:
                yield from self._said(one, look, href)
        else:
            for source, words in parts(value if isinstance(value, str) else str(value)):
                leads = self._evidence(source) if source and _NUMBER.match(words) else ""
                yield Span(words, look, href or leads, source)


def _is_block(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(_is_block(one) for one in value)
    return getattr(value, "kind", "") in _BLOCKS


def _closing(tokens: Sequence[Token], place: int) -> int:
    """The place of the token that closes what the one at `place` opens."""
    depth = 0
    for end in range(place, len(tokens)):
        depth += tokens[end].nesting
        if depth == 0:
            return end
    raise ValueError("a block of Markdown does not end")
