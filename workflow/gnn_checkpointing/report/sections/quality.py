"""What the run says against itself: what failed, whether results are the same, how noisy times are, and training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gnn_checkpointing.records.measurements_table import number
from gnn_checkpointing.records.training import REORDERED
from gnn_checkpointing.report.inputs import ReportInputs, Row
from gnn_checkpointing.report.sections.parts import time_ratio


def why(inputs: ReportInputs) -> Callable[[Any], str]:
    """Why a policy was not started: it lacks something here, or refused."""
    return lambda one: "unavailable here" if one in inputs.quality.unavailable else "refused"


def errors(inputs: ReportInputs) -> Callable[[str], dict[str, float | None]]:
    """The largest differences of a policy from none, by column."""

    def largest(policy: str, name: str) -> float | None:
        own = (number(row, name) for row in inputs.completed if row["policy"] == policy)
        return max((value for value in own if value is not None), default=None)

    columns = ("loss_error", "gradient_error", "buffer_error")
    return lambda policy: {name: largest(policy, name) for name in columns}


def half_widths(inputs: ReportInputs) -> list[tuple[float, Row]]:
    """Half the width of each row's interval of time, relative to its ratio, beside the row."""
    found = [(time_ratio(row), row) for row in inputs.completed if number(row, "time_ratio_low") is not None]
    return [((ratio.high - ratio.low) / 2 / ratio.estimate, row) for ratio, row in found if ratio is not None]


def too_wide(widths: Sequence[tuple[float, Row]], target: float) -> list[tuple[float, Row]]:
    """The rows whose half-width is above the target, widest first."""
    wide = [(width, row) for width, row in widths if width > target]
    return sorted(wide, key=lambda pair: (-pair[0], str(pair[1]["cell"]), str(pair[1]["policy"])))


def largest_difference(inputs: ReportInputs, reordered: bool) -> float:  # noqa: FBT001 - a template names it
    """The largest difference of a loss curve from none's: of the control, or of all others."""
    own = (one.largest_loss_difference for one in inputs.accuracy if (one.policy == REORDERED) is reordered)
    return max(own, default=0.0)
