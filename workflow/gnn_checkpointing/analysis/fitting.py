"""One least-squares fit: columns scaled for conditioning, coefficients in base units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student
from statsmodels.regression.linear_model import WLS

from gnn_checkpointing.analysis.results import Estimate, Response, exactly
from gnn_checkpointing.analysis.rounding import places_of, rounded

Floats = NDArray[np.float64]
Weights = Literal["equal", "relative"]

# Below this share of the largest response a difference is the rounding of double precision, not a finding.
ROUNDING = 1e-9
REWEIGHTINGS = 2
# Memory is exact and its law additive; a step's time scatters in proportion to itself.
WEIGHTS: dict[Response, Weights] = {
    "activation_bytes": "equal",
    "saved_activation_bytes": "equal",
    "step_time_seconds": "relative",
}
# Responses that scatter; bytes are the same in every run, and what a law misses of them is its own error.
SAMPLED: tuple[Response, ...] = ("step_time_seconds",)


@dataclass(frozen=True)
class Fit:
    """A fitted linear law, with statsmodels' result in scaled units beside it."""

    result: Any
    column_scales: Floats
    response_scale: float
    weights: Weights
    fitted: Floats
    coefficients: tuple[Estimate, ...]
    exact: bool

    @property
    def r_squared(self) -> float:
        """The weighted share of variance explained; an exact fit explains all, even where nothing varies."""
        return 1.0 if self.exact else float(self.result.rsquared)


def fitted(
    design: Floats, response: Floats, weights: Weights, confidence: float, clusters: Sequence[str] | None = None
) -> Fit:
    """Fit `response` ([num_rows], positive) on `design` ([num_rows, num_columns]) with robust intervals.

    HC3 without `clusters`, cluster-robust with them; Student's t either way. Relative weights are 1 / fitted^2, begun
    from 1 / observed^2, which alone would pull the fit towards the rows that came out low.
    """
    column_scales = largest(design)
    response_scale = float(np.abs(response).max())
    scaled, target = design / column_scales, response / response_scale
    model = WLS(target, scaled, weights=np.ones(len(target)) if weights == "equal" else target**-2)
    for _ in range(0 if weights == "equal" else REWEIGHTINGS):
        expected = model.fit().fittedvalues
        model = WLS(target, scaled, weights=np.where(expected > 0, expected, target) ** -2)
    if clusters is None:
        result = model.fit(cov_type="HC3", use_t=True)
    else:
        codes = np.unique(np.asarray(clusters), return_inverse=True)[1]
        result = model.fit(cov_type="cluster", cov_kwds={"groups": codes}, use_t=True)
    exact = bool(np.abs(target - result.fittedvalues).max() < ROUNDING)
    reach = _standard_errors(result) * student.ppf((1 + confidence) / 2, _degrees_of_freedom(result))
    # [num_columns, 3]: estimate, low, high.
    table = np.column_stack([result.params, result.params - reach, result.params + reach]).tolist()
    units = (response_scale / column_scales).tolist()
    return Fit(
        result=result,
        column_scales=column_scales,
        response_scale=response_scale,
        weights=weights,
        fitted=result.fittedvalues * response_scale,
        coefficients=tuple(in_units(ends, unit) for ends, unit in zip(table, units, strict=True)),
        exact=exact,
    )


def coefficients(fit: Fit, response: Response) -> tuple[Estimate, ...]:
    """The coefficients; those of bytes have no sampling error, and so no interval."""
    if response in SAMPLED:
        return fit.coefficients
    return tuple(exactly(one.estimate) for one in fit.coefficients)


def in_units(ends: Sequence[float], unit: float) -> Estimate:
    """A coefficient of scaled columns with its interval (estimate, low, high) in base units.

    It has no digit below the rounding of the largest response: an exact fit leaves 1e-16 where it means 0.
    """
    places = places_of(ROUNDING * unit)
    estimate, low, high = (rounded(end * unit, places) for end in ends)
    return Estimate(estimate=estimate, low=low, high=high)


def p_value(fit: Fit, column: int) -> float:
    """The p-value of a coefficient being 0, by Student's t; without any spread it is 1 or 0."""
    if is_nothing(fit, column):
        return 1.0
    error = float(_standard_errors(fit.result)[column])
    if fit.exact or error == 0:
        return 0.0
    return float(2 * student.sf(abs(fit.result.params[column]) / error, _degrees_of_freedom(fit.result)))


def is_nothing(fit: Fit, column: int) -> bool:
    """Whether a coefficient times its largest column value is rounding beside the largest response."""
    return bool(abs(fit.result.params[column]) < ROUNDING)


def predicted(fit: Fit, design: Floats, confidence: float) -> tuple[Floats, Floats, Floats]:
    """Predictions of new observations ([num_rows]) with the ends of their prediction intervals.

    Replicates of a graph have the same row, and are predicted once.
    """
    rows, places = np.unique(design / fit.column_scales, axis=0, return_inverse=True)
    if len(rows) == rows.shape[1]:  # statsmodels 0.15.0 refuses weights where the rows are as many as the coefficients
        rows = np.vstack([rows, rows[:1]])
    values = rows @ fit.result.params
    relative = (values != 0) & (fit.weights == "relative")
    weights = np.where(relative, values, 1.0) ** -2
    ends = fit.result.get_prediction(rows, weights=weights).conf_int(obs=True, alpha=1 - confidence)
    # A variance of 0 may come out below 0.
    lows, highs = np.where(np.isfinite(ends).all(axis=1), ends.T, values)
    unit = fit.response_scale
    return values[places] * unit, lows[places] * unit, highs[places] * unit


def largest(design: Floats) -> Floats:
    """The largest magnitude of each column ([num_columns])."""
    # Column by column in memory: a maximum across rows of three numbers takes seven times as long.
    found: Floats = np.abs(design, order="F").max(axis=0)
    return found


def largest_leverage(design: Floats) -> float:
    """The largest leverage of a row: 1 where a coefficient rests on that row alone."""
    orthogonal = np.linalg.qr(design / largest(design))[0]
    return float((orthogonal**2).sum(axis=1).max())


def _standard_errors(result: Any) -> Floats:
    """The robust standard errors; a variance of 0 may come out as -1e-40, of which statsmodels makes NaN."""
    variances: Floats = np.diag(result.cov_params()).clip(min=0.0)
    return np.sqrt(variances)


def _degrees_of_freedom(result: Any) -> float:
    """Those of Student's t: one less than the clusters where there are clusters."""
    return float(getattr(result, "df_resid_inference", result.df_resid))
