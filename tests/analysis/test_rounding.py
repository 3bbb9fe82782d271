"""What is written has the digits that mean something; noise turns no rounding, and no decision about what is equal."""

import numpy as np
import pytest

from gnn_checkpointing.analysis.results import Estimate, HeldOut, Residual
from gnn_checkpointing.analysis.rounding import (
    all_significant,
    first_greatest,
    first_least,
    greater,
    least_squares,
    places_of,
    probability,
    rank,
    rounded,
    share,
    significant,
)

NOISE = 1e-12


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.12345678912, 0.12345679),
        (2.6549045218e-07, 2.6549045e-07),
        (-1480087.9999999863, -1480088.0),
        (17_179_869_184.0, 17_179_869_184.0),
        (123_456_789_012.25, 123_456_789_012.0),
        (9.9999999999, 10.0),
        (0.0, 0.0),
    ],
)
def test_eight_digits_and_never_coarser_than_a_whole_byte(value: float, expected: float) -> None:
    assert significant(value) == expected
    assert significant(expected) == expected


def test_half_way_goes_one_way_whatever_the_noise() -> None:
    """4357 / 1024 = 4.2548828125 has eleven digits: to ten, its last 5 lies half-way."""
    exact = 4357 / 1024
    assert len({significant(exact * (1 + noise), 10) for noise in (-2e-16, 0.0, 2e-16, 1e-15)}) == 1


def test_what_stands_for_nothing_is_nothing() -> None:
    assert [str(share(value)) for value in (5.5e-16, -1.3e-16, -0.0)] == ["0.0"] * 3
    assert share(0.0123456789) == 0.01234568
    assert [probability(value) for value in (1e-9, 0.058199391)] == [0.0, 0.0582]


@pytest.mark.parametrize(("unit", "places"), [(1e-3, 3), (2e-3, 3), (0.5, 1), (1.0, 0), (40.0, 0)])
def test_places_tell_multiples_of_a_unit_apart(unit: float, places: int) -> None:
    assert places_of(unit) == places
    assert rounded(3 * unit, places) != rounded(4 * unit, places)


def test_a_result_is_rounded_when_written_and_keeps_its_digits_until_then() -> None:
    """Whole numbers and words stay as they are; shares that are rounding become nothing, small seconds do not."""
    assert all_significant({"a": [123_456_789_012, "0.123456789123", None, True, 1.23456789123]}) == {
        "a": [123_456_789_012, "0.123456789123", None, True, 1.2345679]
    }
    made = Estimate(estimate=1 / 3, low=0.1 + 0.2, high=2 / 3)
    assert made.estimate == 1 / 3
    assert all_significant(made.model_dump(mode="json")) == {"estimate": 0.33333333, "low": 0.3, "high": 0.66666667}
    residual = Residual(graph="g", num_nodes=1, num_edges=1, observed=1e-9, fitted=2e-12, relative=-1e-16, started="")
    written = all_significant(residual.model_dump(mode="json"))
    assert (written["observed"], written["fitted"], written["relative"]) == (1e-9, 2e-12, 0.0)
    held = HeldOut(level=8.0, cells=1, median_relative_error=2e-16, worst_relative_error=2e-4, inside_interval=1.0)
    assert held.model_dump(mode="json")["median_relative_error"] == 0.0


@pytest.mark.parametrize("noise", [-NOISE, 0.0, NOISE])
def test_of_equal_values_the_first_is_taken(noise: float) -> None:
    assert first_least([3.0, 2.0, 2.0 * (1 + noise), 2.5]) == 1
    assert first_greatest([3.0, 7.0 * (1 + noise), 7.0]) == 1
    assert first_least([1.0, 1.0 - 1e-6]) == 1
    # Errors of 1e-30 and 1e-31 are both none, though one is ten times the other.
    assert first_least([1e-30, 1e-31]) == 1
    assert first_least([1e-30, 1e-31], nothing=1e-18) == 0


def test_greater_is_greater_by_more_than_rounding() -> None:
    one = np.array([1.0, 1.0 + NOISE, 1.0 + 1e-6, 0.0, -2.0])
    assert greater(one, np.ones(5)).tolist() == [False, False, True, False, False]


@pytest.mark.parametrize("noise", [0.0, NOISE])
def test_rank_knows_no_units(noise: float) -> None:
    """Nodes, edges of one degree, and a constant are two columns, in bytes as in gibibytes."""
    nodes = np.array([500.0, 1000.0, 2000.0, 4000.0])
    edges = 128 * nodes * (1 + noise * np.array([1, -1, 1, -1]))
    columns = np.column_stack([np.ones(4), nodes, edges])
    assert rank(columns) == 2
    assert rank(columns * [1e9, 1.0, 1e-9]) == 2
    assert rank(np.column_stack([columns, edges**2])) == 3
    assert rank(np.column_stack([np.ones(4), np.zeros(4)])) == 1


def test_least_squares_knows_no_units_either() -> None:
    """8 bytes beside 4 GB, which plain least squares gives back as 7.99999."""
    edges = np.array([1e6, 3e6, 1e7, 4e7])
    columns = np.column_stack([np.ones(4), edges, edges**2])
    found = least_squares(columns, columns @ np.array([8.0, 100.0, 1e-9]))
    np.testing.assert_allclose(found, [8.0, 100.0, 1e-9], rtol=1e-5)
