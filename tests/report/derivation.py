"""Recompute the numbers of a page from the addresses that they carry, using only the number formats of the report.

An address is FILE#/POINTER. A CSV file is read as a list of rows, a module of the package as a mapping of constants,
planner.json with a question (`?num_nodes=...`) as the answer. Expressions have + - * / abs exp sqrt count and brackets.
"""

import csv
import dataclasses
import importlib
import json
import math
import re
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

from lxml.html import document_fromstring

from gnn_checkpointing.analysis.results import Estimate
from gnn_checkpointing.planning import Planner
from gnn_checkpointing.report import units
from gnn_checkpointing.report.texts import filters

_ADDRESS, _COUNT = re.compile(r"[^\s()]*#[^\s()]*"), re.compile(r"count\(([^()]*)\)")
UNREAD = " or ".join(f"ancestor::{tag}" for tag in ("script", "style", "svg", "code", "option"))


@dataclasses.dataclass(frozen=True)
class Piece:
    """A text of the page, the address that it carries ("" if none), and the file that short addresses refer to."""

    text: str
    source: str
    file: str


def pieces_of(html: str) -> Iterator[Piece]:
    for text in document_fromstring(html).xpath(f"//body//text()[not({UNREAD})]"):
        own = text.getparent().getparent() if text.is_tail else text.getparent()
        if text.strip():
            file = own.xpath("string(ancestor-or-self::div[@data-source][1]/@data-source)")
            yield Piece(str(text), _source(own, text), str(file))


def _source(own: Any, text: str) -> str:
    """Address of a text: its own, or for a number its column's; @ is replaced by the entry of its cell or row."""
    found = "" if own.tag in ("div", "tr") or own.get("scope") == "col" else own.get("data-source", "")
    if own.tag in ("td", "th") and "data-source" not in own.attrib and any(map(str.isdigit, text)):
        row = own.getparent()
        columns = row.xpath("ancestor::table//th[@scope='col']") if row.getparent().tag == "tbody" else []
        found = columns[row.index(own)].get("data-source", "") if columns else ""
    entries = own.xpath("ancestor-or-self::*[self::td or self::th or self::tr]/@data-entry")
    entry = entries[-1] if entries else "@"
    return found.replace("@", f"{own.xpath('string(ancestor::div/@data-entries)') * entry.isdigit()}{entry}")


class Derivation:
    """Values by address, from the files of one published folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = cache(self._file)

    def values(self, piece: Piece) -> list[Any]:
        """Values at the piece's address: one value, or the three of an estimate."""
        return [self._whole(one, piece.file) for one in piece.source.split("; ")]

    def _whole(self, expression: str, file: str) -> Any:
        if _ADDRESS.fullmatch(expression):
            return self._address(expression, file)
        counted = _COUNT.sub(lambda found: str(self._count(found[1], file)), expression)
        numbers = _ADDRESS.sub(lambda found: repr(_number(self._address(found[0], file))), counted)
        assert re.fullmatch(r"(abs|exp|sqrt|[-+*/().\de\s])+", numbers), f"not an expression: {expression}"
        return eval(numbers, {"abs": abs, "exp": math.exp, "sqrt": math.sqrt})

    def _count(self, words: str, file: str) -> int:
        place, _, rest = words.partition(" where ")
        field = ""
        if place.startswith("distinct "):
            field, _, place = place.removeprefix("distinct ").partition(" of ")
        items = self._address(place, file)
        for condition in filter(None, rest.split(" and ")):
            name, sign, bound = condition.split(" ")
            items = [item for item in items if _meets(item[name], sign, unquote(bound))]
        return len({item[field] for item in items}) if field else len(items)

    def _address(self, address: str, file: str) -> Any:
        name, _, pointer = address.partition("#")
        value = self.file(name or file)
        for part in filter(None, pointer.split("/")):
            key = unquote(part)
            last, value = value, value[int(key)] if isinstance(value, list) else value[key]
        if isinstance(value, dict) and {"estimate", "low", "high"} <= set(value):
            return Estimate(**value)
        if isinstance(value, int | float) and pointer and isinstance(last, dict) and f"{key}_low" in last:
            low, high = last[f"{key}_low"], last[f"{key}_high"]
            return Estimate(estimate=value, low=value if low is None else low, high=value if high is None else high)
        return value

    def _file(self, name: str) -> Any:
        if name.endswith(".py"):
            return vars(importlib.import_module(name.removesuffix(".py").replace("/", ".")))
        path, _, query = name.partition("?")
        if query:
            asked = {key: found[0] for key, found in parse_qs(query).items()}
            whole = {key: int(asked[key]) for key in ("num_nodes", "num_edges")}
            plan = Planner.read(self.folder / path).plan(
                **whole, convolution=asked["convolution"], memory_gib=float(asked["memory_gib"])
            )
            return json.loads(json.dumps(dataclasses.asdict(plan), default=lambda model: model.model_dump()))
        text = (self.folder / path).read_text(encoding="utf-8")
        if path.endswith(".csv"):
            return [{key: _typed(value) for key, value in row.items()} for row in csv.DictReader(text.splitlines())]
        value = json.loads(text)
        for claim in value["claims"] if path == "claims.json" else ():  # stored once for a template's claims
            claim |= value.get("alike", {}).get(claim["id"].partition(":")[0], {})
        return value


def _number(value: Any) -> Any:
    """The value of an estimate: in an expression, its address means the value only."""
    return value.estimate if isinstance(value, Estimate) else value


def _typed(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text or None


def _meets(value: Any, sign: str, bound: str) -> bool:
    if value is None:
        return False
    if sign in "<>":
        return value < float(bound) if sign == "<" else value > float(bound)
    same = value == float(bound) if isinstance(value, float) else str(value) == bound
    return same is (sign == "=")


def _spanned(value: Estimate, words: Callable[[float], str]) -> str:
    low, high = words(value.low), words(value.high)
    return words(value.estimate) if low == high else f"{words(value.estimate)} ({units.interval(low, high)})"


WORDS: tuple[Callable[[Any], str], ...] = (
    *(one for one in filters().values() if one.__module__ == units.__name__),
    *(str, units.exact_or_general, partial(units.significant, digits=4)),
    *(partial(units.fixed, decimals=decimals) for decimals in range(7)),
    *(partial(units.scaled_estimate, factor=factor) for factor in (units.KIB, units.MILLISECOND, units.NANOSECOND)),
    *(partial(_spanned, words=words) for words in (units.size, units.duration)),
)
"""Every format in which the report may print a number or an estimate."""


def readings(values: list[Any]) -> set[str]:
    """Every text that the report may print for the values."""
    if len(values) == 1 and isinstance(values[0], str):
        return {values[0]}
    if len(values) == 3:
        values = [Estimate(**dict(zip(("estimate", "low", "high"), values, strict=True)))]
    (value,) = values
    found = {text for words in WORDS for text in [_tried(words, value)] if text is not None}
    if isinstance(value, Estimate) and value.estimate is not None:
        return found | readings([value.estimate])
    return found


def _tried(words: Callable[[Any], str], value: Any) -> str | None:
    """The formatted value; None if the format is not for such values."""
    try:
        return words(value)
    except (AttributeError, TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
