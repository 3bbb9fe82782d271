"""Decisions hold against noise of a millionth of a millionth: what is least, what is greater, what has full rank."""

from __future__ import annotations

import numpy as np
import pytest

from gnn_checkpointing.analysis.tolerance import first_greatest, first_least, greater, least_squares, rank

NOISE = 1e-12


@pytest.mark.parametrize("noise", [-NOISE, 0.0, NOISE])
def test_of_equal_values_the_first_is_taken(noise: float) -> None:
    assert first_least([3.0, 2.0, 2.0 * (1 + noise), 2.5]) == 1
    assert first_greatest([3.0, 7.0 * (1 + noise), 7.0]) == 1
    assert first_least([1.0, 1.0 - 1e-6]) == 1


def test_differences_up_to_nothing_are_none() -> None:
    """Errors of 1e-30 and 1e-31 are both none, though one is ten times the other."""
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
