"""What every result is made of: frozen values, and an estimate with its interval."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Response = Literal["activation_bytes", "saved_activation_bytes", "step_time_seconds"]


class Result(BaseModel):
    """A part of a result: frozen, closed to unknown fields, finite numbers only."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Estimate(Result):
    """A value with its interval at the study's confidence level."""

    estimate: float
    low: float
    high: float

    def over(self, other: Estimate) -> Estimate:
        """Return the quotient of two positive estimates; its ends are the worst cases: intervals that meet span 1."""
        return Estimate(estimate=self.estimate / other.estimate, low=self.low / other.high, high=self.high / other.low)
