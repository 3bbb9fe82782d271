"""Least squares without one group of rows, for every group in turn: from one factorisation instead of a fit each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

Floats = NDArray[np.float64]
Places = NDArray[np.intp]

LIGHT = 0.5
"""The share below which no coefficient rests on a group alone, and below which its refit is taken from here."""


@dataclass(frozen=True)
class Refits:
    """A least-squares fit, and what becomes of it without a group of its rows.

    The rows are kept in an orthonormal basis of the columns, Q. Without a group g, Q'Q is I - Q_g'Q_g, and the fit
    moves by -(I - Q_g'Q_g)^-1 Q_g' r_g, r the residuals: Belsley, Kuh and Welsch (1980), "Regression Diagnostics",
    section 2.1, for a group. So what is solved is as well conditioned as the group is light, whatever the columns are.
    """

    basis: Floats
    """[num_rows, num_columns]"""
    inverse: Floats
    """From the basis to the columns' coefficients, [num_columns, num_columns]."""
    residuals: Floats
    """[num_rows]"""
    groups: dict[str, Places]
    """Places of each group's rows."""

    @classmethod
    def of(cls, columns: Floats, target: Floats, groups: Sequence[str]) -> Refits:
        """Fit `target` ([num_rows]) on `columns` ([num_rows, num_columns], of full rank); `groups` names each row's."""
        basis, triangle = np.linalg.qr(columns)
        codes = np.array(groups)
        names, order, counts = np.unique(codes, return_inverse=True, return_counts=True)
        places = np.split(np.argsort(order, kind="stable"), np.cumsum(counts)[:-1])
        return cls(
            basis=basis,
            inverse=solve_triangular(triangle, np.eye(len(triangle))),
            residuals=target - basis @ (basis.T @ target),
            groups={str(name): rows for name, rows in zip(names, places, strict=True)},
        )

    def share(self, group: str) -> float:
        """Return how much of any combination of coefficients rests on the group at most; of one row, its leverage."""
        return float(np.linalg.norm(self.basis[self.groups[group]], 2) ** 2)

    def move(self, group: str) -> Floats:
        """Return by how much the coefficients move without the group, `[num_columns]`."""
        move: Floats = self.inverse @ self.without(group).move
        return move

    def without(self, group: str) -> Without:
        """Return what is left without the group, in the basis."""
        own = self.groups[group]
        rows = self.basis[own]
        bread = np.linalg.inv(np.eye(rows.shape[1]) - rows.T @ rows).astype(np.float64)
        move: Floats = -bread @ (rows.T @ self.residuals[own])
        residuals = self.residuals - self.basis @ move
        residuals[own] = 0.0
        return Without(bread=bread, move=move, residuals=residuals)

    def scores(self, residuals: Floats) -> Floats:
        """Return each group's sum of basis x residual, `[num_groups, num_columns]`: clustered errors are made of it."""
        ordered, starts = self._ordered
        sums: Floats = np.add.reduceat(self.basis[ordered] * residuals[ordered, np.newaxis], starts, axis=0)
        return sums

    @cached_property
    def _ordered(self) -> tuple[Places, Places]:
        """Return the rows' places group by group, and where each group begins among them."""
        lengths = [len(rows) for rows in self.groups.values()]
        return np.concatenate(list(self.groups.values())), np.cumsum([0, *lengths[:-1]])


@dataclass(frozen=True)
class Without:
    """A fit without one group, in the basis of the whole: its inverse Gram matrix, its move, its residuals.

    `residuals` ([num_rows]) are 0 where the group was.
    """

    bread: Floats
    move: Floats
    residuals: Floats
