"""Axes with ticks at round values in the reader's units."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Self

from gnn_checkpointing.report import units
from gnn_checkpointing.sourced import plain


@dataclass(frozen=True)
class Scale:
    """One axis: its label, whether it is logarithmic, its ends and its ticks.

    `words` selects the number format: a key of `WORDS`, which the page's script knows too.
    """

    label: str
    log: bool
    low: float
    high: float
    ticks: tuple[float, ...]
    tick_labels: tuple[str, ...]
    words: str = "plain"

    def share(self, value: float) -> float:
        """Position of a value: 0 at `low`, 1 at `high`; -1 for a non-positive value on a logarithmic axis."""
        if not self.log:
            return float((value - self.low) / (self.high - self.low))
        return math.log(value / self.low) / math.log(self.high / self.low) if value > 0 else -1.0

    def between(self, low: float, high: float) -> Self:
        """The same axis from `low` to `high`, with its ticks between them."""
        kept = [(tick, text) for tick, text in zip(self.ticks, self.tick_labels, strict=True) if low <= tick <= high]
        ticks, labels = tuple(tick for tick, _ in kept), tuple(text for _, text in kept)
        return replace(self, low=low, high=high, ticks=ticks, tick_labels=labels)

    def text(self, value: float) -> str:
        """Format a value as this axis does."""
        return WORDS[self.words](value)

    @property
    def told(self) -> str:
        """The axis in the form that the page's script reads: kind, ends, words, label."""
        return f"{'log' if self.log else 'linear'} {self.low:.6g} {self.high:.6g} {self.words} {self.label}"


WORDS: dict[str, Callable[[float], str]] = {
    "plain": units.plain,
    "size": units.size,
    "duration": units.duration,
    "ratio": units.ratio,
    "percent": units.percent,
    "count": units.count,
}


def degree_scale(degrees: Sequence[float], label: str = "average degree (edges per node)") -> Scale:
    """A logarithmic axis with ticks at the measured degrees, thinned to at most eight."""
    levels = sorted(set(degrees))
    step = math.ceil(len(levels) / 8)
    ticks = tuple(levels[::-1][::step][::-1])
    return Scale(label, True, levels[0] / 1.2, levels[-1] * 1.2, ticks, tuple(f"{tick:g}" for tick in ticks))


def step_scale(names: Sequence[str], label: str) -> Scale:
    """A linear axis of steps 1, 2, ... with these names under them, thinned to at most four."""
    places = list(range(1, len(names) + 1))
    kept = places[:: math.ceil(len(places) / 4)]
    room = 0.06 * len(places)
    ticks, words = tuple(map(float, kept)), tuple(names[place - 1] for place in kept)
    return Scale(label, False, 1 - room, len(places) + room, ticks, words)


def value_scale(values: Sequence[float], label: str) -> Scale:
    """A linear axis of plain numbers."""
    return _linear(values, label, _with_minus)


def size_scale(values: Sequence[float], label: str) -> Scale:
    """A logarithmic axis in binary units."""
    return _logarithmic(values, label, _powers_of_two, "size")


def time_scale(values: Sequence[float], label: str) -> Scale:
    """A logarithmic axis in seconds, milliseconds or microseconds."""
    return _logarithmic(values, label, _one_two_five, "duration")


def count_scale(values: Sequence[float], label: str) -> Scale:
    """A logarithmic axis of whole numbers; large ones in thousands (k) or millions (M)."""
    return _logarithmic(values, label, _one_two_five, "count", _short_count)


def ratio_scale(values: Sequence[float], label: str) -> Scale:
    """An axis that contains 1: linear while the ratios span less than a factor of five, else logarithmic."""
    values = [*values, 1.0]
    if max(values) / min(values) < 5:
        return _linear(values, label, "{:.2f}".format, "ratio")
    return _logarithmic(values, label, _one_two_five, "ratio", "{:g}".format)


def log_ratio_scale(values: Sequence[float], label: str) -> Scale:
    """A logarithmic axis of ratios that contains 1."""
    values = [*values, 1.0]
    return _logarithmic((min(values) / 1.15, max(values) * 1.15), label, _one_two_five, "ratio", "{:g}".format)


def minute_scale(end: float, label: str) -> Scale:
    """A linear axis from 0 to `end`, both included."""
    return _linear([0.0, end], label, "{:g}".format).between(0.0, end)


def share_scale(values: Sequence[float], label: str) -> Scale:
    """A linear axis of percentages that contains 0 in its middle."""
    reach = max(0.001, *(abs(value) for value in values))  # below a thousandth there is nothing to see
    return _linear([-reach, reach], label, lambda tick: _with_minus(100 * tick, ".3g"), "percent")


def deviation_scale(values: Sequence[float], label: str) -> Scale:
    """A linear axis of standard deviations that contains 0 in its middle."""
    reach = max(1.0, *(abs(value) for value in values))
    return _linear([-reach, reach], label, _with_minus)


def _logarithmic(
    values: Sequence[float],
    label: str,
    round_values: Callable[[float, float], list[float]],
    words: str,
    text: Callable[[float], str] | None = None,
) -> Scale:
    """A logarithmic axis with ticks at round values; without `text`, `words` formats them without trailing zeros."""
    least, most = plain(min(values)), plain(max(values))  # an axis has no address
    ticks = round_values(least, most)
    room = (most / least) ** 0.06 * 1.05
    low, high = least / room, most * room
    if not any(low <= tick <= high for tick in ticks):  # values close together, or one alone, between two ticks
        low = max((tick for tick in ticks if tick < low), default=low)
        high = min((tick for tick in ticks if tick > high), default=high)
    kept = tuple(tick for tick in ticks if low <= tick <= high)
    labels = (text(tick) if text else units.without_idle_zeros(WORDS[words](tick)) for tick in kept)
    return Scale(label, True, low, high, kept, tuple(labels), words)


def _linear(values: Sequence[float], label: str, text: Callable[[float], str], words: str = "plain") -> Scale:
    low, high = plain(min(values)), plain(max(values))  # an axis has no address
    room = 0.06 * (high - low) or 0.05
    low, high = low - room, high + room
    raw = (high - low) / 5
    power = 10 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= raw)
    places = range(math.ceil(low / step), math.floor(high / step) + 1)
    ticks = tuple(round(number * step, 10) + 0.0 for number in places)
    return Scale(label, False, low, high, ticks, tuple(map(text, ticks)), words)


def _with_minus(value: float, form: str = "g") -> str:
    return f"{value:{form}}".replace("-", units.MINUS)


def _powers_of_two(low: float, high: float) -> list[float]:
    first, last = math.floor(math.log2(low)), math.ceil(math.log2(high))
    step = max(1, math.ceil((last - first) / 6))
    return [2.0**exponent for exponent in range(first, last + 1) if exponent % step == 0]


def _one_two_five(low: float, high: float) -> list[float]:
    """Round values around low to high: the finest steps that give at most six ticks, else powers of ten."""
    exponents = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 2)
    for leading in ((1, 1.5, 2, 3, 5, 7), (1, 2, 5), (1, 3)):
        values = [float(f"{digit}e{exponent}") for exponent in exponents for digit in leading]
        if sum(low / 1.2 <= value <= high * 1.2 for value in values) <= 6:
            return values
    return [float(f"1e{exponent}") for exponent in exponents]


def _short_count(value: float) -> str:
    for factor, unit in ((1e6, " M"), (1e3, " k")):
        if value >= factor:
            return f"{value / factor:g}{unit}"
    return f"{value:g}"
