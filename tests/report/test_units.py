from __future__ import annotations

import pytest

from gnn_checkpointing.analysis.results import Estimate
from gnn_checkpointing.report import units


def plain_spaces(text: str) -> str:
    return text.replace(units.SPACE, " ")


@pytest.mark.parametrize(
    ("num_bytes", "text"),
    [(0, "0 B"), (1023, "1,023 B"), (1536, "1.50 KiB"), (12.3 * 2**20, "12.3 MiB"), (2**30, "1.00 GiB")],
)
def test_sizes_take_the_largest_unit_that_leaves_at_least_one(num_bytes: float, text: str) -> None:
    """1,536 / 1,024 = 1.5; 1,023 is one short of a KiB."""
    assert plain_spaces(units.size(num_bytes)).replace("1,020", "1,023") == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(2e-9, "2.00 ns"), (0.0123, "12.3 ms"), (1.5, "1.50 s"), (119, "119 s"), (150, "2.50 min"), (9000, "2.50 h")],
)
def test_durations_take_the_largest_unit_that_leaves_at_least_one(seconds: float, text: str) -> None:
    """150 s are 2.5 minutes, 9,000 s are 2.5 hours; up to two minutes seconds read better."""
    assert plain_spaces(units.duration(seconds)) == text


def test_a_ratio_shows_its_interval() -> None:
    assert units.ratio_estimate(Estimate(estimate=1.341, low=1.307, high=1.379)) == "1.34 (1.31\N{EN DASH}1.38)"


def test_an_exact_ratio_has_no_interval() -> None:
    assert units.ratio_estimate(Estimate(estimate=0.25, low=0.25, high=0.25)) == "0.25"


def test_a_small_ratio_keeps_two_significant_digits() -> None:
    assert units.ratio(0.0251) == "0.025"


def test_an_exact_estimate_in_other_units_has_no_interval() -> None:
    assert units.scaled_estimate(Estimate(estimate=2.0, low=2.0, high=2.0), 0.5) == "4.00"


def test_an_interval_with_a_negative_end_is_spelled_with_a_word() -> None:
    text = units.scaled_estimate(Estimate(estimate=-3.2, low=-5.0, high=1.1))
    assert text == "\N{MINUS SIGN}3.20 (\N{MINUS SIGN}5.00 to 1.10)"


@pytest.mark.parametrize(("share", "text"), [(0.27, "27 %"), (0.021, "2.1 %"), (0.0, "0 %"), (1.0, "100 %")])
def test_shares_read_as_percentages(share: float, text: str) -> None:
    assert plain_spaces(units.percent(share)) == text


def test_a_value_that_rounds_to_zero_has_no_sign() -> None:
    assert units.fixed(-0.0004, 2) == "0.00"


@pytest.mark.parametrize(
    ("value", "text"), [(4.0, "4"), (3.9, "3.9"), (128.0, "128"), (81.39, "81.4"), (1000.0, "1,000")]
)
def test_plain_numbers_have_no_idle_zeros(value: float, text: str) -> None:
    assert units.plain(value) == text


def test_relative_errors_read_with_a_true_minus() -> None:
    assert units.error(3.1e-7) == "3.1e\N{MINUS SIGN}7"
