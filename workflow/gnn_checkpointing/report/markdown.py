"""Templates in Markdown made into blocks of a page: a writer changes a sentence without opening Python.

A template is filled by Jinja, then read as Markdown. Whatever it prints is held back under a placeholder until the
Markdown is read, so that no text of a user is ever markup, and a number keeps the address that it carries. A figure or
a table alone in its paragraph stands there as a block.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from gnn_checkpointing.report.page import Block, Box, Bullets, Heading, Note, Paragraph, Section, Span, Text
from gnn_checkpointing.sourced import parts

_START, _END = "\ue010", "\ue011"
_PLACE = re.compile(f"{_START}(\\d+){_END}")
_NUMBER = re.compile(r"\W*\d")
_LOOKS = {"strong": "strong", "em": "emphasis", "code_inline": "code"}
_BLOCKS = ("table", "figure", "claims", "facts", "steps", "links", "planner")

Evidence = Callable[[str], str]
"""Where a number's address is shown in full: a link, "" for nowhere."""


class Writer:
    """Writes sections from templates; `words` are the filters, `values` the names that they may use."""

    def __init__(
        self, folder: Path, evidence: Evidence, words: Mapping[str, Callable[..., Any]], values: Mapping[str, Any]
    ) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(folder),
            autoescape=False,  # noqa: S701 - what is printed is held back, and escaped by each face
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=_held,
        )
        self._environment.filters.update(words)
        self._evidence = evidence
        self._values = values

    def blocks(self, name: str) -> tuple[str, list[Block]]:
        """Title and blocks of the template `name`; no blocks where it says nothing."""
        held: list[Any] = []
        text = self._environment.get_template(name).render({**self._values, "held": held})
        root = SyntaxTreeNode(MarkdownIt("commonmark").parse(text))
        title = next((node.children[0].content for node in root.children if node.tag == "h1"), "")
        return title, list(_Reader(held, self._evidence).blocks(root.children))

    def section(self, name: str) -> Section | None:
        """The section that a template writes, None where it says nothing; the file's name is its address."""
        title, blocks = self.blocks(name)
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

    def blocks(self, nodes: Sequence[SyntaxTreeNode]) -> Iterator[Block]:
        for node in nodes:
            texts = [self._text(one) for one in node.walk() if one.type == "inline"]
            match node.type:
                case "heading" if node.tag != "h1":
                    yield Heading(texts[0])
                case "paragraph":
                    found = self._alone(node.children[0].content)
                    yield from [Paragraph(texts[0])] if found is None else found
                case "bullet_list" | "ordered_list":
                    yield Bullets(tuple(texts), node.type == "ordered_list")
                case "blockquote" if any(one.type == "bullet_list" for one in node.children):
                    yield Box(texts[0], tuple(texts[1:]))
                case "blockquote":
                    yield Note(texts[0])

    def _alone(self, text: str) -> list[Block] | None:
        """The blocks that a paragraph is made of, None where it has words."""
        found = [self._held[int(one)] for one in _PLACE.findall(text)]
        if _PLACE.sub("", text).strip() or not all(_is_block(one) for one in found):
            return None
        return [block for one in found for block in (one if isinstance(one, list | tuple) else [one])]

    def _text(self, inline: SyntaxTreeNode) -> Text:
        return tuple(span for span in self._spans(inline.children, "plain", "") if span.text)

    def _spans(self, nodes: Sequence[SyntaxTreeNode], look: str, href: str) -> Iterator[Span]:
        """The pieces of a sentence, each with its look and where it leads."""
        for node in nodes:
            own = _LOOKS.get(node.type, look)
            if node.type == "softbreak":
                yield Span(" ")
            elif node.children:
                yield from self._spans(node.children, own, str(node.attrs.get("href", href)))
            else:
                for place, piece in enumerate(_PLACE.split(node.content)):
                    held = self._held[int(piece)] if place % 2 else Span(piece, href=href)
                    yield from self._said(held, cast("Any", own), href)

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
