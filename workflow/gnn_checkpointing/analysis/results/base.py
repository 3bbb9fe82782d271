"""Building blocks of all results: frozen values that are rounded when written, and estimates with intervals."""

import math
from statistics import NormalDist
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, PlainSerializer

from gnn_checkpointing.analysis.rounding import probability, share
from gnn_checkpointing.sourced import plain

Response = Literal["activation_bytes", "saved_activation_bytes", "step_time_seconds"]
Quantity = Literal["activation_ratio", "time_ratio"]

Share = Annotated[float, PlainSerializer(share, return_type=float)]
"""A fraction of one, such as a relative error; 1e-16 instead of 0 is written as 0."""

Probability = Annotated[float, PlainSerializer(probability, return_type=float)]
"""A p-value."""


class Result(BaseModel):
    """A part of a result: frozen, closed to unknown fields, finite numbers only.

    Results are rounded by `all_significant` when they are written. Everything derived from results reads the written
    values, and so does not depend on digits that differ between processors.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def in_words(name: str) -> property:
    """A property that gives the degree in a field, or each degree of a list, as text."""

    def text(result: Any) -> Any:
        value = getattr(result, name)
        return [f"{degree:g}" for degree in value] if isinstance(value, list) else f"{value:g}"

    return property(text)


class OfPolicy(Result):
    """A result about one convolution under one policy."""

    convolution: str
    policy: str


class OfResponse(OfPolicy):
    """A result about one response of one convolution under one policy."""

    response: Response


class Estimate(Result):
    """A value with its interval at the study's confidence level."""

    estimate: float
    low: float
    high: float

    def over(self, other: Self) -> Self:
        """The quotient of two positive spans; its ends are the worst cases."""
        return self._divided(other, plain(self.low / other.high), plain(self.high / other.low))

    def relative_to(self, other: Self) -> Self:
        """The quotient of two positive estimates; their independent errors add in quadrature on the log scale."""
        middle = plain(self.estimate / other.estimate)
        below = _hypotenuse(self.low / self.estimate, other.estimate / other.high)
        above = _hypotenuse(self.high / self.estimate, other.estimate / other.low)
        return self._divided(other, middle / below, middle * above)

    def _divided(self, other: Self, low: float, high: float) -> Self:
        # A copy: a new model would lose the file and field that the estimates come from.
        return self.model_copy(update={"estimate": self.estimate / other.estimate, "low": low, "high": high})

    @property
    def inverse(self) -> Self:
        """The reciprocal."""
        return self.model_copy(update={"estimate": 1 / self.estimate, "low": 1 / self.high, "high": 1 / self.low})


def quantile(confidence: float, freedom: int | None = None) -> float:
    """The quantile of a two-sided interval: normal, or Student's t for a deviation that has degrees of freedom."""
    tail = (1 + confidence) / 2
    if freedom is None:
        return NormalDist().inv_cdf(tail)
    from scipy.special import stdtrit  # few results need it, and it is slow to import

    return float(stdtrit(freedom, tail))


def exactly(value: float) -> Estimate:
    """A value without sampling error."""
    return Estimate(estimate=value, low=value, high=value)


def _hypotenuse(one: float, other: float) -> float:
    return math.exp(math.hypot(math.log(plain(one)), math.log(plain(other))))
