"""Least-squares fits with intervals in base units, and whether rows suffice for a law in nodes and edges."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import Any, Literal, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

from gnn_checkpointing.analysis.results import Estimate, Response, exactly
from gnn_checkpointing.analysis.rounding import CLOSE, Floats, places_of, rank, rounded
from gnn_checkpointing.analysis.table import Row

Found = TypeVar("Found")
Asked = ParamSpec("Asked")
Weights = Literal["equal", "relative"]

COLUMNS = ("constant", "nodes", "edges")
EDGES = COLUMNS.index("edges")
LEAST_LEVELS, LEAST_SIZES, LEAST_CELLS = 3, 2, 2 * len(COLUMNS)

# Differences below this share of the largest response are double-precision rounding, not findings.
ROUNDING = 1e-9
REWEIGHTINGS = 2
# Memory is exact and its law additive; the scatter of a step's time is proportional to the time.
WEIGHTS: dict[Response, Weights] = {
    "activation_bytes": "equal",
    "saved_activation_bytes": "equal",
    "step_time_seconds": "relative",
}
# Responses with random scatter. Bytes are the same in every run, so their residuals are the law's own error.
SAMPLED: tuple[Response, ...] = ("step_time_seconds",)


def answers(
    asked: Callable[Asked, Iterator[tuple[str, Found | str]]],
) -> Callable[Asked, tuple[list[Found], list[str]]]:
    """Collect all results, and a sentence for each subject that is yielded with a reason instead of a result."""

    @wraps(asked)
    def told(*args: Asked.args, **kwargs: Asked.kwargs) -> tuple[list[Found], list[str]]:
        pairs = list(asked(*args, **kwargs))
        missing = [f"{subject}: {reason}." for subject, reason in pairs if isinstance(reason, str)]
        return [found for _, found in pairs if not isinstance(found, str)], missing

    return told


def design(rows: Sequence[Row]) -> Floats:
    """Design matrix of the rows ([num_rows, 3]): ones, num_nodes, num_edges."""
    return np.array([(1.0, row.num_nodes, row.num_edges) for row in rows])


def answering(rows: Sequence[Row], response: Response) -> list[Row]:
    """The rows that have the response; cells that were not timed have no step time."""
    return [row for row in rows if getattr(row, response) is not None]


def observed(rows: Sequence[Row], response: Response) -> Floats:
    """The response of the rows ([num_rows])."""
    return np.array([float(getattr(row, response)) for row in rows])


def why_not(rows: Sequence[Row], response: Response | None = None) -> str | None:
    """Reason why no law (of `response`, if given) can be fitted to rows of generated graphs; None if one can."""
    levels, sizes = ({getattr(row, name) for row in rows} for name in ("requested_average_degree", "num_nodes"))
    if len({row.num_features for row in rows}) > 1:
        return "the graphs differ in their number of input features, which the law does not know"
    if len(rows) < LEAST_CELLS:
        cells = "comparable cell" if len(rows) == 1 else "comparable cells"
        return f"only {len(rows)} {cells} of generated graphs, and a law wants {LEAST_CELLS}"
    if len(levels) < LEAST_LEVELS:
        return f"only {len(levels)} level{'s' * (len(levels) != 1)} of average degree, and a law wants {LEAST_LEVELS}"
    if len(sizes) < LEAST_SIZES:
        return f"all graphs have {min(sizes)} nodes, so bytes per node cannot be told from the constant"
    columns = design(rows)
    if rank(columns) < len(COLUMNS):
        return "nodes and edges grow in step, so their shares cannot be told apart"
    if largest_leverage(columns) > 1 - CLOSE:
        return "one cell alone decides a coefficient, which leaves no interval"
    if response is not None and (observed(rows, response) <= 0).any():
        return "a cell's value is 0, which has no relative error"
    return None


@dataclass(frozen=True)
class Fit:
    """A fitted linear law; `result` is statsmodels' result in scaled units."""

    result: Any
    column_scales: Floats
    response_scale: float
    weights: Weights
    fitted: Floats
    confidence: float
    exact: bool

    @cached_property
    def coefficients(self) -> tuple[Estimate, ...]:
        """Each coefficient with its interval, in base units."""
        with np.errstate(invalid="ignore"):  # a variance of 0 may come out as -1e-40
            ends = self.result.conf_int(alpha=1 - self.confidence)
        params = self.result.params[:, np.newaxis]
        table = np.hstack([params, np.where(np.isnan(ends), params, ends)])  # [num_columns, 3]: estimate, low, high
        units = self.response_scale / self.column_scales  # bytes or seconds in the unit of each coefficient
        scaled = zip(table.tolist(), units.tolist(), strict=True)
        found = ([_rounded(end, unit) for end in row] for row, unit in scaled)
        return tuple(Estimate(estimate=middle, low=low, high=high) for middle, low, high in found)

    @property
    def r_squared(self) -> float:
        """Weighted share of variance explained; 1 for an exact fit, even if nothing varies."""
        return 1.0 if self.exact else float(self.result.rsquared)


def fitted(
    design: Floats, response: Floats, weights: Weights, confidence: float, clusters: Sequence[str] | None = None
) -> Fit:
    """Fit `response` ([num_rows], positive) on `design` ([num_rows, num_columns]) with robust intervals.

    HC3 without `clusters`, cluster-robust with them; Student's t either way. Relative weights are 1 / fitted^2,
    iterated from 1 / observed^2; on its own, the latter would bias the fit towards rows with low values.
    """
    # Imported here because it takes a second, and most who read findings fit nothing.
    from statsmodels.regression.linear_model import WLS

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
    return Fit(
        result=result,
        column_scales=column_scales,
        response_scale=response_scale,
        weights=weights,
        fitted=result.fittedvalues * response_scale,
        confidence=confidence,
        exact=bool(np.abs(target - result.fittedvalues).max() < ROUNDING),
    )


def coefficients(fit: Fit, response: Response) -> tuple[Estimate, ...]:
    """The coefficients; coefficients of bytes have no sampling error, so their intervals are single points."""
    found = fit.coefficients
    return found if response in SAMPLED else tuple(exactly(one.estimate) for one in found)


def _rounded(value: float, unit: float) -> float:
    """A value in base units without the digits below the rounding error of the largest response.

    An exact fit leaves 1e-16 instead of 0.
    """
    return rounded(value * unit, places_of(ROUNDING * unit))


def p_value(fit: Fit, column: int) -> float:
    """The p-value of a coefficient against 0, by Student's t; without any spread it is 1 or 0."""
    if is_nothing(fit, column):
        return 1.0
    with np.errstate(invalid="ignore", divide="ignore"):
        found = float(fit.result.pvalues[column])
    return 0.0 if fit.exact or math.isnan(found) else found


def is_nothing(fit: Fit, column: int) -> bool:
    """Whether a coefficient times its largest column value is below the rounding error of the largest response."""
    return bool(abs(fit.result.params[column]) < ROUNDING)


def predicted(fit: Fit, design: Floats, confidence: float) -> tuple[Floats, Floats, Floats]:
    """Predictions of new observations ([num_rows]) with the ends of their prediction intervals.

    Replicates of a graph share a row of the design, which is predicted once.
    """
    rows, places = np.unique(design / fit.column_scales, axis=0, return_inverse=True)
    if len(rows) == rows.shape[1]:  # statsmodels 0.15.0 refuses weights if there are as many rows as coefficients
        rows = np.vstack([rows, rows[:1]])
    values = rows @ fit.result.params
    weights = np.where((values != 0) & (fit.weights == "relative"), values, 1.0) ** -2
    ends = fit.result.get_prediction(rows, weights=weights).conf_int(obs=True, alpha=1 - confidence)
    # A variance of 0 may come out below 0.
    lows, highs = np.where(np.isfinite(ends).all(axis=1), ends.T, values)
    unit = fit.response_scale
    return values[places] * unit, lows[places] * unit, highs[places] * unit


def held_out(
    kept: tuple[Floats, Floats], out: tuple[Floats, Floats], weights: Weights, confidence: float
) -> tuple[Floats, NDArray[np.bool_], Floats]:
    """Predict `out` by a fit to `kept`; both are (columns, response), and each result is [num_rows].

    The results are errors as shares of the observations, whether the prediction intervals contain the observations, and
    half-widths of the intervals as shares of the predictions.
    """
    columns, actual = out
    values, lows, highs = predicted(fitted(*kept, weights, confidence), columns, confidence)
    slack = ROUNDING * actual
    inside = (lows - slack <= actual) & (actual <= highs + slack)
    return np.abs(values - actual) / actual, inside, (highs - lows) / 2 / np.maximum(np.abs(values), slack)


def largest(design: Floats) -> Floats:
    """The largest magnitude of each column ([num_columns])."""
    # Column-major order: a maximum across rows of three numbers takes seven times as long.
    found: Floats = np.abs(design, order="F").max(axis=0)
    return found


def largest_leverage(design: Floats) -> float:
    """The largest leverage of a row; 1 if a coefficient depends on that row alone."""
    return float((np.linalg.qr(design / largest(design))[0] ** 2).sum(axis=1).max())
