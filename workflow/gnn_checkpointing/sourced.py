"""Numbers that carry their provenance: read from a published file, they keep their address through arithmetic.

A number formatted into a text carries its address inside that text, delimited by three characters that no text of a
user contains, so sentences can be built as usual; the page shows the address as `data-source`. An address is a file
and a JSON pointer (RFC 6901) with its separators escaped as in a URL: `analysis/quality.json#/cells`. For a CSV file
it has the row, counted from 0, and the column: `measurements.csv#/12/time_ratio`. A computed number has an expression
of addresses: `1 - analysis/quality.json#/within_target`.
"""

import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from functools import lru_cache, partial
from typing import Any, Self, TypeVar
from urllib.parse import quote

from pydantic import BaseModel

_START, _MIDDLE, _END = "\ue000", "\ue001", "\ue002"
_MARK = re.compile(f"{_START}([^{_MIDDLE}]*){_MIDDLE}([^{_END}]*){_END}")
_FOREIGN = str.maketrans("", "", _START + _MIDDLE + _END)

_NUMBER = int | float
_COMPARE = {"<": operator.lt, ">": operator.gt, "=": operator.eq, "!=": operator.ne}
_escaped = lru_cache(10_000)(partial(quote, safe=""))

Value = TypeVar("Value")


class _Sourced:
    """Base of numbers and texts with an address: made from a value and `source`, and immutable."""

    source: str

    def __new__(cls, value: Any, source: str) -> Self:
        """Attach to `value` its address or the expression that it was computed by."""
        made = super().__new__(cls, value)  # type: ignore[call-arg]
        made.source = source
        return made

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """The same object, since it is immutable."""
        return self


class SourcedFloat(_Sourced, float):
    """A float and its address, or the expression that it was computed by."""


class SourcedInt(_Sourced, int):
    """An int and its address, or the expression that it was computed by.

    A plain float on its left ignores its reflected operators, so write `n * 2.0`, never `2.0 * n`.
    """


class SourcedText(_Sourced, str):
    """A text that contains digits, and its address: a sentence, a label or a message as it stands in its file.

    The address is lost when the text becomes part of another text.
    """


class SourcedList(list[Value]):
    """A list and its address, for `counted`."""

    source: str


def sourced(value: Value, place: str) -> Value:
    """Attach an address to every number inside `value`, and remove the characters of marks from texts.

    `place` is the address of the value itself, such as `claims.json#`; models, dataclasses, lists, tuples and mappings
    are traversed under the names that their entries have in the file.
    """
    made: Any = value
    match made:
        case None | bool() | _Sourced():
            pass
        case float():
            made = SourcedFloat(made, place)
        case int():
            made = SourcedInt(made, place)
        case str():
            text = made.translate(_FOREIGN)
            made = SourcedText(text, place) if any(map(str.isdigit, text)) else text
        case BaseModel():
            names = type(made).model_fields.items()
            named = {name: sourced(getattr(made, name), f"{place}/{one.alias or name}") for name, one in names}
            made = made.model_copy(update=named)
        case Mapping():
            made = {key: sourced(item, f"{place}/{_escaped(str(key))}") for key, item in made.items()}
        case list():
            made = SourcedList(sourced(item, f"{place}/{number}") for number, item in enumerate(made))
            made.source = place
        case tuple():
            made = tuple(sourced(item, f"{place}/{number}") for number, item in enumerate(made))
        case _ if is_dataclass(made) and not isinstance(made, type):
            whole = {one.name: sourced(getattr(made, one.name), f"{place}/{one.name}") for one in fields(made)}
            made = replace(made, **whole)
    return made  # type: ignore[no-any-return]


def counted(items: Iterable[Any]) -> int:
    """Number of items, with the address of the list if it has one."""
    items = items if isinstance(items, list) else list(items)
    place = getattr(items, "source", "")
    return SourcedInt(len(items), f"count({place})") if place else len(items)


def counted_where(items: list[Any], *conditions: tuple[str, str, Any], distinct: str = "") -> int:
    """Number of items of the list that meet all conditions; with `distinct`, the number of their values of that field.

    A condition is a field (of a model, or a column of a row), one of < > = !=, and a value; an item whose field is
    None does not meet it.
    """
    met = part_where(items, *conditions)
    found = len({_field(item, distinct) for item in met}) if distinct else len(met)
    words = f"count({f'distinct {distinct} of ' if distinct else ''}{met.source})"
    return SourcedInt(found, words) if met.source else found


def part_where(items: list[Any], *conditions: tuple[str, str, Any]) -> SourcedList[Any]:
    """Items that meet all conditions; the address of their count also names the conditions."""

    def meets(item: Any, field: str, sign: str, bound: Any) -> bool:
        value = _field(item, field)
        return value is not None and bool(_COMPARE[sign](value, bound))

    found = SourcedList(item for item in items if all(meets(item, *condition) for condition in conditions))
    place = getattr(items, "source", "")
    words = " and ".join(f"{field} {sign} {_escaped(str(plain(bound)))}" for field, sign, bound in conditions)
    found.source = place and f"{place} {'and' if ' where ' in place else 'where'} {words}"
    return found


def _field(item: Any, name: str) -> Any:
    return item[name] if isinstance(item, Mapping) else getattr(item, name)


def exponential(value: float) -> float:
    """e to the power of a number, with its expression."""
    return _applied("exp", math.exp, value)


def square_root(value: float) -> float:
    """The square root of a number, with its expression."""
    return _applied("sqrt", math.sqrt, value)


def _applied(name: str, function: Callable[[float], float], value: float) -> float:
    found = source_of(value)
    return SourcedFloat(function(value), f"{name}({found})") if found else function(value)


def plain(value: Any) -> Any:
    """A number without its address."""
    return float(value) if isinstance(value, SourcedFloat) else int(value) if isinstance(value, SourcedInt) else value


def mark(text: str, value: object) -> str:
    """Put the address of a number, if it has one, inside the number's text."""
    return _marked(text, source_of(value))


def _marked(text: str, source: str) -> str:
    return f"{_START}{source}{_MIDDLE}{text}{_END}" if source else text


def mark_between(text: str, value: Any) -> str:
    """Mark the text of an estimate and its interval with one address if one covers all three, else with all three."""
    middle, low, high = sources = [source_of(number) for number in (value.estimate, value.low, value.high)]
    holder = middle.removesuffix("/estimate")
    if sources == [f"{holder}/estimate", f"{holder}/low", f"{holder}/high"]:
        return _marked(text, holder)
    if [low, high] in ([middle, middle], [f"{middle}_low", f"{middle}_high"]):
        return _marked(text, middle)
    return _marked(text, "; ".join(sources) if all(sources) else "")


def source_of(value: object) -> str:
    """Address or expression of a number; "" if it has none."""
    if not isinstance(value, SourcedFloat | SourcedInt):
        return ""
    return value.source[1:-1] if value.source.startswith("(") else value.source


def bare(text: str) -> str:
    """Remove the addresses from a text."""
    return _MARK.sub(r"\2", text)


def parts(text: str) -> list[tuple[str, str]]:
    """Split a text into pieces, each after its address: that of a number, or "" for the text between numbers.

    A text with its own address is one piece.
    """
    if isinstance(text, SourcedText):
        return [(text.source, str(text))]
    found, end = [], 0
    for match in _MARK.finditer(text):
        found += [("", text[end : match.start()]), (match[1], match[2])]
        end = match.end()
    return [piece for piece in [*found, ("", text[end:])] if piece[1]]


def _computed(value: float, source: str) -> Any:
    return SourcedInt(value, source) if isinstance(value, int) else SourcedFloat(value, source)


def _operation(sign: str, compute: Callable[[Any, Any], Any], before: Any, after: Any) -> Callable[[Any, Any], Any]:
    """Make an operator that also builds the expression; the neutral number `before` or `after` keeps an address."""

    def operate(left: Any, right: Any) -> Any:
        if not (isinstance(left, _NUMBER) and isinstance(right, _NUMBER)) or bool in (type(left), type(right)):
            return NotImplemented
        first, second = getattr(left, "source", None), getattr(right, "source", None)
        if first is None and left == before:
            source = second
        elif second is None and right == after:
            source = first
        else:
            source = f"({first or repr(left)} {sign} {second or repr(right)})"
        return _computed(compute(plain(left), plain(right)), source or "")

    return operate


def _refused(name: str) -> Callable[..., Any]:
    def refuse(self: Any, *_: Any) -> Any:
        raise TypeError(f"{name} of {source_of(self)} would lose its address; take plain(number) where that is meant")

    return refuse


for _kind in (SourcedFloat, SourcedInt):
    for _name, _made in (
        ("add", _operation("+", operator.add, 0, 0)),
        ("sub", _operation("-", operator.sub, None, 0)),
        ("mul", _operation("*", operator.mul, 1, 1)),
        ("truediv", _operation("/", operator.truediv, None, 1)),
    ):
        setattr(_kind, f"__{_name}__", _made)
        setattr(_kind, f"__r{_name}__", lambda self, other, made=_made: made(other, self))
    for _name in ("round", "floordiv", "rfloordiv", "mod", "rmod", "divmod", "pow", "rpow"):
        setattr(_kind, f"__{_name}__", _refused(_name))
    setattr(_kind, "__neg__", lambda self: 0 - self)  # noqa: B010 - beside the others
    setattr(_kind, "__abs__", lambda self: _computed(abs(plain(self)), f"abs({source_of(self)})"))  # noqa: B010
