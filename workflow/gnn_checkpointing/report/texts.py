"""What a template may do with a value, and the appendix's sentences, tables and figures by section and name.

Filters put numbers in words, which keep their addresses. `templates/appendix/SECTION.md` has each text under a heading
of its own: one or several paragraphs of Jinja, and maybe a list. The list below a table's caption has its columns:
`- Heading (unit): value | filter, content`. A value is a path of fields or positions within an item of the table, or a
function that the section gives; `it` is the item itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any, Literal, cast

from jinja2 import Environment, StrictUndefined, Template

import gnn_checkpointing
from gnn_checkpointing.analysis.results import Estimate
from gnn_checkpointing.claims.ledger import Verdict
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figure import Figure
from gnn_checkpointing.report.figures.palette import kind_of
from gnn_checkpointing.report.inputs import ReportInputs
from gnn_checkpointing.report.page import Span, Table
from gnn_checkpointing.report.panels import Of, Shown, figure, table
from gnn_checkpointing.study.policy_names import POLICIES

TEMPLATES = Path(gnn_checkpointing.__file__).resolve().parents[2] / "templates"
"""Those of a checkout of the project."""

_HEADING = re.compile(r"^## (\S+)$", re.MULTILINE)
_COLUMN = re.compile(
    r"(?P<name>.+?)(?: \((?P<unit>.+)\))?: (?P<value>[\w.]+)"
    r"(?: \| (?P<words>\w+)(?:\((?P<digits>\d)\))?)?(?:, (?P<content>text|number|prose))?"
)
_LISTED = re.compile(r"(\{%.*%\}\n)?- ")
_LIST, _HOW = ":list", "-how-to-read"
_CHIPS: dict[Verdict, str] = {"supported": "yes", "refuted": "no", "inconclusive": "unclear", "untested": "untested"}


class Texts:
    """The texts, tables and figures of one section of the appendix; what they may name is given by name."""

    def __init__(self, section: str) -> None:
        """Take the name of the section's file."""
        self._section = section

    def __call__(self, name: str, /, **values: object) -> str:
        """The text of that name."""
        paragraphs = (one.render(values) for one in _texts(self._section)[name])
        return "\n\n".join(filter(None, paragraphs))

    def lines(self, name: str, /, **values: object) -> list[str]:
        """The list below the text of that name."""
        lists = _texts(self._section).get(name + _LIST, [])
        return [line.removeprefix("- ") for one in lists for line in one.render(values).split("\n") if line]

    def names(self, name: str, /, **values: object) -> dict[str, str]:
        """The list below a text as a mapping: what is before the first colon of a line, and what is after it."""
        parted = (line.partition(": ") for line in self.lines(name, **values))
        return {key: words for key, _, words in parted}

    def table(
        self,
        inputs: ReportInputs,
        id: str,
        source: str,
        items: Iterable[Any],
        *more: Of[Any],
        name: str = "",
        caption: str = "",
        **values: Any,
    ) -> Table:
        """A table with a row for each item; its text is `name`, or what is nearest to `id`. `more` are further columns."""
        known = {"inputs": inputs, "named": inputs.named, "confidence": inputs.effects.confidence, "it": _itself}
        known |= values
        name = self._nearest(name or id, _LIST)
        given = (_column(one, known) for one in self.lines(name, **known))
        return table(id, caption or self(name, **known), source, items, *given, *more)

    def figure(self, id: str, source: str, shown: Iterable[Shown | None], name: str = "", **values: object) -> Figure:
        """The figure with its caption and how to read it: the texts `name`, or what is nearest to `id`."""
        caption = self(self._nearest(name or id), **values)
        how_to_read = self(self._nearest(name or id, _HOW) + _HOW, **values)
        return figure(id, caption, how_to_read, source, shown)

    def _nearest(self, id: str, end: str = "") -> str:
        """The longest name of a text with this end that `id` begins with."""
        names = (name.removesuffix(end) for name in _texts(self._section) if name.endswith(end))
        return max((name for name in names if f"{id}-".startswith(f"{name}-")), key=len)


def _itself(item: Any) -> Any:
    return item


def _column(line: str, known: Mapping[str, Any]) -> Of[Any]:
    found = _COLUMN.fullmatch(line)
    if found is None:
        raise ValueError(f"not a column of a table: {line!r}; write - Heading (unit): value | filter, content")
    words = known.get(found["words"]) or filters().get(found["words"])
    if found["words"] and words is None:
        raise ValueError(f"no such filter: {line!r}")
    if found["digits"]:
        words = partial(words, **{"decimals": int(found["digits"])})
    content = cast("Literal['text', 'number', 'prose'] | None", found["content"])
    return Of(found["name"], partial(_value, found["value"].split("."), known), words, found["unit"] or "", content)


def _value(path: Sequence[str], known: Mapping[str, Any], item: Any) -> Any:
    """What lies at the end of a path, None where it ends early."""
    for step in path:
        if item is None:
            return None
        if callable(known.get(step)):
            item = known[step](item)
        elif isinstance(item, Mapping):
            item = str(item[step]) if isinstance(item[step], str) else item[step]
        else:
            item = item[int(step)] if step.isdigit() else getattr(item, step)
    return item


@cache
def _texts(section: str) -> dict[str, list[Template]]:
    """The paragraphs of every text of a section's file by its name, and every list."""
    environment = Environment(undefined=StrictUndefined, autoescape=False)  # noqa: S701 - each face escapes
    environment.filters |= filters()
    content = (TEMPLATES / "appendix" / f"{section}.md").read_text(encoding="utf-8")
    _, *found = _HEADING.split(content)
    return {
        name: [environment.from_string(one) for one in paragraphs]
        for title, body in zip(found[::2], found[1::2], strict=True)
        for name, paragraphs in _parts(title, body.strip().split("\n\n"))
    }


def _parts(name: str, paragraphs: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """A text without line breaks, and the list below it."""
    lists = [one for one in paragraphs if _LISTED.match(one)]
    yield name, [one.replace("\n", " ") for one in paragraphs if one not in lists]
    if lists:
        yield name + _LIST, lists


def filters() -> dict[str, Callable[..., Any]]:
    """Every filter by its name: the functions of `units`, and those below."""
    numbers = (
        *(units.count, units.digits, units.plain, units.percent, units.share, units.size, units.duration, units.ratio),
        *(units.confidence, units.error, units.accuracy, units.significant, units.probability, units.fixed),
        *(units.ratio_estimate, units.share_estimate, units.general_estimate, units.scaled_estimate),
    )
    own = (chip, code, degrees, listed, more_time, deviation, percents, ratios, meaning)
    return {one.__name__: one for one in (*numbers, *own)}


def chip(verdict: Verdict) -> Span:
    """The mark of a verdict, as the answer to a question."""
    return Span(_CHIPS[verdict], verdict)


def code(name: object) -> Span:
    """A name as it is typed."""
    return Span(str(name), "code")


def meaning(policy: str) -> str:
    """What a policy does, as the rest of a sentence that begins with its name."""
    return POLICIES[kind_of(policy)].words


def listed(items: Iterable[Any], word: str = "and") -> tuple[Any, ...]:
    """Names or numbers as a list in a sentence."""
    parts = list(items)
    between = [", "] * (len(parts) - 2) + [f" {word} "]
    return (*(piece for pair in zip(parts[:-1], between, strict=False) for piece in pair), *parts[-1:])


def percents(values: Sequence[Estimate]) -> tuple[str, ...]:
    """The span of several ratios as percentages, such as "4 % to 18 %", or the one that all of them are."""
    return _span(values, units.percent)


def ratios(values: Sequence[Estimate]) -> tuple[str, ...]:
    """The span of several ratios."""
    return _span(values, units.ratio)


def _span(values: Sequence[Estimate], words: Callable[[float], str]) -> tuple[str, ...]:
    ordered = sorted((value.estimate for value in values), key=float)
    low, high = words(ordered[0]), words(ordered[-1])
    return (low,) if words(float(ordered[0])) == words(float(ordered[-1])) else (low, " to ", high)


def degrees(levels: str) -> str:
    """Where along the densities, such as " at degree 8-32"."""
    return " at every degree" if levels.startswith("all ") else f" at degree {levels}"


def deviation(values: Sequence[Estimate]) -> str:
    """How far the ends of some ratios' intervals lie from 1 at most."""
    return units.share(max((abs(end - 1) for value in values for end in (value.low, value.high)), key=float))


def more_time(ratio: Estimate | None) -> tuple[str, ...]:
    """What a ratio of times means, such as "46 % more time"; in words alone where its interval reaches across 1."""
    if ratio is None:
        return ("time not measured",)
    if ratio.low <= 1 <= ratio.high:
        return ("about the same time",)
    if ratio.estimate > 1:
        return (units.percent(ratio.estimate - 1), " more time")
    return (units.percent(1 - ratio.estimate), " less time")
