"""Turn Markdown templates into blocks of a page, so that a writer can change a sentence without opening Python.

Jinja fills a template, which is then parsed as Markdown. Printed values are replaced by placeholders until the Markdown
is parsed, so that no user text is ever markup and each number keeps its address. A figure or a table alone in its
paragraph becomes a block. Filters format numbers and keep their addresses.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, cast

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

import gnn_checkpointing
from gnn_checkpointing.analysis.results import Estimate
from gnn_checkpointing.analysis.table import grouped
from gnn_checkpointing.claims.ledger import Verdict
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figures.palette import kind_of
from gnn_checkpointing.report.page import Block, Box, Bullets, Heading, Note, Paragraph, Section, Span, Text
from gnn_checkpointing.sourced import parts
from gnn_checkpointing.study.policy_names import POLICIES

TEMPLATES = Path(gnn_checkpointing.__file__).resolve().parents[2] / "templates"
"""Folder of the templates in a checkout of the project."""

_CHIPS: dict[Verdict, str] = {"supported": "yes", "refuted": "no", "inconclusive": "unclear", "untested": "untested"}

_START, _END = "\ue010", "\ue011"
_PLACE = re.compile(f"{_START}(\\d+){_END}")
_NUMBER = re.compile(r"\W*\d")
_LOOKS = {"strong": "strong", "em": "emphasis", "code_inline": "code"}
_BLOCKS = ("table", "figure", "claims", "facts", "steps", "links", "planner")

Evidence = Callable[[str], str]
"""Function from a number's address to a link to where it is shown in full, or ""."""


@cache
def _environment(folder: Path) -> Environment:
    """Jinja over a folder of templates; it keeps their compiled code."""
    made = Environment(
        loader=FileSystemLoader(folder),
        autoescape=False,  # noqa: S701 - what is printed is held back, and escaped by each face
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_held,
    )
    made.filters |= filters() | {"evidence": _linked}
    return made


@pass_context
def _linked(context: Context, place: str, words: str) -> Span:
    """Words that lead to a place in the appendix, by the function `linked` of the template's values."""
    found: Span = context["linked"](place, words)
    return found


class Writer:
    """Writes sections from templates; `values` are the names that they may use."""

    def __init__(self, folder: Path, evidence: Evidence, values: Mapping[str, Any]) -> None:
        self._environment = _environment(folder)
        self._evidence, self._values = evidence, values
        self._held: list[Any] = []

    def blocks(self, name: str) -> tuple[str, list[Block]]:
        """Title and blocks of the template `name`; no blocks if it prints nothing."""
        self._held = []
        text = self._environment.get_template(name).render({**self._values, "held": self._held})
        root = SyntaxTreeNode(MarkdownIt("commonmark").parse(text))
        title = next((node.children[0].content for node in root.children if node.tag == "h1"), "")
        return title, list(self._blocks(root.children))

    def section(self, name: str) -> Section | None:
        """Section written by a template; None if it prints nothing. The file's stem is the section's id."""
        title, blocks = self.blocks(name)
        return Section(Path(name).stem, title, tuple(blocks)) if blocks else None

    def _blocks(self, nodes: Sequence[SyntaxTreeNode]) -> Iterator[Block]:
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
        """Blocks that make up a paragraph; None if it contains words."""
        found = [self._held[int(one)] for one in _PLACE.findall(text)]
        if _PLACE.sub("", text).strip() or not all(_is_block(one) for one in found):
            return None
        return [block for one in found for block in (one if isinstance(one, list | tuple) else [one])]

    def _text(self, inline: SyntaxTreeNode) -> Text:
        return tuple(span for span in self._spans(inline.children, "plain", "") if span.text)

    def _spans(self, nodes: Sequence[SyntaxTreeNode], look: str, href: str) -> Iterator[Span]:
        """Pieces of a sentence, each with its look and link target."""
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
        """Pieces of a held value; each number keeps its address."""
        if isinstance(value, Span):
            yield value if value.look != "plain" else replace(value, look=look)
        elif isinstance(value, tuple):
            for one in value:
                yield from self._said(one, look, href)
        else:
            for source, words in parts(value if isinstance(value, str) else str(value)):
                leads = self._evidence(source) if source and _NUMBER.match(words) else ""
                yield Span(words, look, href or leads, source)


@pass_context
def _held(context: Context, value: Any) -> str:
    """Keep a printed value for later, and print its placeholder instead."""
    if value is None or value == "":
        return ""
    held: list[Any] = context["held"]
    held.append(value)
    return f"{_START}{len(held) - 1}{_END}"


def _is_block(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(_is_block(one) for one in value)
    return getattr(value, "kind", "") in _BLOCKS


def filters() -> dict[str, Callable[..., Any]]:
    """Every filter by its name: the functions of `units`, and those below."""
    numbers = (
        *(units.count, units.digits, units.plain, units.percent, units.share, units.size, units.duration, units.ratio),
        *(units.confidence, units.error, units.accuracy, units.significant, units.probability, units.fixed),
        *(
            units.ratio_estimate,
            units.share_estimate,
            units.percent_estimate,
            units.general_estimate,
            units.scaled_estimate,
        ),
    )
    own = (chip, code, degrees, listed, taken, deviation, percents, ratios, ends, by_meaning)
    return {one.__name__: one for one in (*numbers, *own)}


def chip(verdict: Verdict) -> Span:
    """The mark of a verdict, as the answer to a question."""
    return Span(_CHIPS[verdict], verdict)


def code(name: object) -> Span:
    """A name as it is typed."""
    return Span(str(name), "code")


def by_meaning(policies: Iterable[str]) -> list[tuple[str, list[str]]]:
    """For each kind of policy: what it does, as the end of a sentence that begins with the names, and the names."""
    return [(POLICIES[kind].words, own) for kind, own in grouped(policies, kind_of).items()]


def listed(items: Iterable[Any], word: str = "and") -> tuple[Any, ...]:
    """Names or numbers as a list in a sentence."""
    found = list(items)
    between = [", "] * (len(found) - 2) + [f" {word} "]
    return (*(piece for pair in zip(found[:-1], between, strict=False) for piece in pair), *found[-1:])


def percents(values: Sequence[Estimate]) -> tuple[str, ...]:
    """Range of several ratios as percentages, such as "4 % to 18 %"; one value if they all read the same."""
    return _span(values, units.percent)


def ratios(values: Sequence[Estimate]) -> tuple[str, ...]:
    """Range of several ratios."""
    return _span(values, units.ratio)


def ends(values: Sequence[Estimate]) -> tuple[str, ...]:
    """Range of the ends of several ratios' intervals."""
    return _span([units.estimate_of(*3 * (end,)) for value in values for end in (value.low, value.high)], units.ratio)


def _span(values: Sequence[Estimate], words: Callable[[float], str]) -> tuple[str, ...]:
    ordered = sorted((value.estimate for value in values), key=float)
    low, high = words(ordered[0]), words(ordered[-1])
    return (low,) if words(float(ordered[0])) == words(float(ordered[-1])) else (low, " to ", high)


def degrees(levels: str) -> str:
    """Phrase for density levels, such as " at degree 8-32"."""
    return " at every degree" if levels.startswith("all ") else f" at degree {levels}"


def deviation(values: Sequence[Estimate]) -> str:
    """Largest distance from 1 of the ends of these ratios' intervals, as a percentage."""
    return units.percent(max((abs(end - 1) for value in values for end in (value.low, value.high)), key=float))


def taken(effects: Sequence[Any], verb: str = " and takes ") -> tuple[str, ...]:
    """How much longer the timed effects take, such as " and takes 2 % to 17 % longer"; empty if none is timed."""
    times = [effect.time_ratio for effect in effects if effect.time_ratio]
    if not times:
        return ()
    if all(ratio.low <= 1 <= ratio.high for ratio in times):
        return (f"{verb}about as long",)
    ordered = sorted((ratio.estimate for ratio in times), key=float)
    if ordered[0] > 1:
        ends, words = [ratio - 1 for ratio in ordered], " longer"
    elif ordered[-1] < 1:
        ends, words = [1 - ratio for ratio in reversed(ordered)], " less time"
    else:
        return (verb, *ratios(times), " times as long")
    if len(times) == 1:
        far = sorted((abs(end - 1) for end in (times[0].low, times[0].high)), key=float)
        return (verb, units.percent_estimate(units.estimate_of(ends[0], *far)), words)
    low, high = units.percent(ends[0]), units.percent(ends[-1])
    return (verb, low, words) if low == high else (verb, low, " to ", high, words)
