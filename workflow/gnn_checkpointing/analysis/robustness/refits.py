"""Least squares without one group of rows, for every group in turn: from one factorisation instead of a fit each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

Floats = NDArray[np.float64]
Places = NDArray[np.intp]

LIGHT = 0.5
"""The share below which no coefficient rests on a group alone, and below which its refit is taken from here."""


@dataclass(frozen=True)
class Refits:
    """A least-squares fit, and what becomes of it without each group of its rows.

    The rows are kept in an orthonormal basis of the columns, Q. Without a group g, Q'Q is I - Q_g'Q_g, and the fit
    moves by -(I - Q_g'Q_g)^-1 Q_g' r_g, r the residuals: Belsley, Kuh and Welsch (1980), "Regression Diagnostics",
    section 2.1, for a group. So what is solved is as well conditioned as the group is light, whatever the columns are.
    """

    basis: Floats
    """[num_rows, num_columns]"""
    inverse: Floats
    """From the basis to the columns' coefficients, [num_columns, num_columns]."""
    numbers: dict[str, int]
    """Each group's number in all that follows."""
    order: Places
    """The rows' places, group by group."""
    starts: Places
    """Where each group begins in `order`, [num_groups]."""
    shares: Floats
    """How much of a combination of coefficients rests on each group at most, [num_groups]; of one row, its leverage."""
    moves: Floats
    """What the fit moves by in the basis without each group, [num_groups, num_columns]; NaN where it is not light."""

    @classmethod
    def of(cls, columns: Floats, target: Floats, groups: Sequence[str]) -> Refits:
        """Fit `target` ([num_rows]) on `columns` ([num_rows, num_columns], of full rank); `groups` names each row's."""
        basis, triangle = np.linalg.qr(columns)
        residuals = target - basis @ (basis.T @ target)
        names, codes, counts = np.unique(np.array(groups), return_inverse=True, return_counts=True)
        order, starts = np.argsort(codes, kind="stable"), np.cumsum(counts) - counts
        grams = np.add.reduceat((basis[:, :, np.newaxis] * basis[:, np.newaxis])[order], starts)
        pulls = np.add.reduceat((basis * residuals[:, np.newaxis])[order], starts)
        shares = np.linalg.eigvalsh(grams)[:, -1]
        light = shares < LIGHT
        breads = np.full_like(grams, np.nan)
        breads[light] = np.linalg.inv(np.eye(basis.shape[1]) - grams[light])
        return cls(
            basis=basis,
            inverse=solve_triangular(triangle, np.eye(len(triangle))),
            numbers={str(name): number for number, name in enumerate(names)},
            order=order,
            starts=starts,
            shares=shares,
            moves=-np.einsum("gij,gj->gi", breads, pulls),
        )

    def rows(self, group: int) -> Places:
        """Return the places of the group's rows."""
        following = self.starts[group + 1] if group + 1 < len(self.starts) else None
        found: Places = self.order[self.starts[group] : following]
        return found
