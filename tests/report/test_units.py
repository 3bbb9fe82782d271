"""Numbers in words."""

from collections.abc import Callable
from typing import Any

import pytest

from gnn_checkpointing.analysis.results import Estimate
from gnn_checkpointing.report import units

CASES: list[tuple[Callable[[Any], str], Any, str]] = [
    # The largest unit that leaves at least one: 1,536 / 1,024 = 1.5; 1,023 is one short of a KiB.
    *((units.size, value, text) for value, text in ((0, "0 B"), (1023, "1,020 B"), (1536, "1.50 KiB"))),
    *((units.size, value, text) for value, text in ((12.3 * 2**20, "12.3 MiB"), (2**30, "1.00 GiB"))),
    # Up to two minutes seconds read better; 150 s are 2.5 minutes, 9,000 s are 2.5 hours.
    *((units.duration, value, text) for value, text in ((2e-9, "2.00 ns"), (0.0123, "12.3 ms"), (1.5, "1.50 s"))),
    *((units.duration, value, text) for value, text in ((119, "119 s"), (150, "2.50 min"), (9000, "2.50 h"))),
    # Ticks have no idle zeros.
    (lambda value: units.without_idle_zeros(units.size(value)), 2**30, "1 GiB"),
    (lambda value: units.without_idle_zeros(units.duration(value)), 0.5, "500 ms"),
    *((units.plain, value, text) for value, text in ((4.0, "4"), (3.9, "3.9"), (128.0, "128"), (81.39, "81.4"))),
    (units.plain, 1000.0, "1,000"),
    *((units.percent, value, text) for value, text in ((0.27, "27 %"), (0.021, "2.1 %"), (0.0, "0 %"), (1.0, "100 %"))),
    *((units.percent, value, text) for value, text in ((0.0021, "0.21 %"), (0.00042, "0.04 %"), (2e-5, "< 0.01 %"))),
    *((units.ratio, value, text) for value, text in ((0.0251, "0.025"), (1.341, "1.34"), (11.88, "11.9"))),
    *((units.ratio, value, text) for value, text in ((0.0996, "0.10"), (0.0003, "0.00030"), (9.996, "10.0"))),
    *((units.percent, value, text) for value, text in ((0.0996, "10 %"), (0.00996, "1.0 %"))),
    (lambda value: units.fixed(value, 2), -0.0004, "0.00"),  # what rounds to zero has no sign
    (units.error, 3.1e-7, "3.1e\N{MINUS SIGN}7"),
    (units.ratio_estimate, (1.341, 1.307, 1.379), "1.34 (1.31\N{EN DASH}1.38)"),
    (units.ratio_estimate, (0.25, 0.25, 0.25), "0.25"),  # exact: no interval
    (units.percent_estimate, (0.911, 0.816, 1.017), "91 % (82\N{EN DASH}102 %)"),
    (units.count_below, 91992, "91,900"),
    (units.count_below, 4113, "4,110"),
    (units.count_below, 64, "64"),
    (units.percent_estimate, (0.25, 0.25, 0.25), "25 %"),
    (lambda value: units.scaled_estimate(value, 0.5), (2.0, 2.0, 2.0), "4.00"),
    # A word stands where a dash would read as a minus.
    (units.scaled_estimate, (-3.2, -5.0, 1.1), "\N{MINUS SIGN}3.20 (\N{MINUS SIGN}5.00 to 1.10)"),
]


@pytest.mark.parametrize(("words", "value", "text"), CASES)
def test_numbers_in_words(words: Callable[[Any], str], value: Any, text: str) -> None:
    if isinstance(value, tuple):
        value = Estimate(**dict(zip(("estimate", "low", "high"), value, strict=True)))
    assert words(value).replace(units.SPACE, " ") == text
