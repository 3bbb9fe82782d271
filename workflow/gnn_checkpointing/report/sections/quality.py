"""What the run says against itself: what failed, whether results are the same, how noisy times are, and training."""

from __future__ import annotations

from typing import Any

from gnn_checkpointing.records.measurements_table import number
from gnn_checkpointing.records.training import REORDERED
from gnn_checkpointing.report import units
from gnn_checkpointing.report.inputs import ACCURACY, MEASUREMENTS, QUALITY, ReportInputs, Row
from gnn_checkpointing.report.page import Note, Section
from gnn_checkpointing.report.sections.parts import LISTED, Part, blocks, outcome_text, time_ratio
from gnn_checkpointing.report.texts import Texts
from gnn_checkpointing.sourced import counted, counted_where

_text = Texts("quality")


def failed_section(inputs: ReportInputs) -> Section:
    """Outcomes other than completed; it says so when there are none.

    A policy that refuses, or lacks what it needs on this machine, was never started: it is apart from failures.
    """
    failed = [row for row in inputs.rows if row["outcome"] not in ("completed", "refused", "unavailable")]
    lost = inputs.started - counted_where(inputs.rows, ("outcome", "=", "completed"))
    absences = [("unavailable here", one) for one in inputs.quality.unavailable]
    absences += [("refused", one) for one in inputs.quality.refused]
    parts = blocks(
        _text("some-failed" if failed else "none-failed", started=inputs.started, lost=lost),
        _text.table(inputs, "table-failed", MEASUREMENTS, failed, outcome_text=outcome_text),
        _text.table(inputs, "table-absent", QUALITY, absences, names=", ".join),
    )
    return Section("failed", "Failed cells", parts)


def quality_section(inputs: ReportInputs) -> Section:
    """Sameness and noise."""
    warnings = inputs.quality.warnings
    more = counted(warnings) - LISTED
    said: list[Part] = [Note(warning) for warning in warnings[:LISTED]]
    parts = blocks(
        _sameness(inputs), _noise(inputs), said, _text("warnings", warnings=warnings, more=more, file=QUALITY)
    )
    return Section("quality", "Sameness and noise", parts)


def _sameness(inputs: ReportInputs) -> list[Part]:
    quality, tolerance = inputs.quality, inputs.study.measurement.gradient_tolerance
    parts: list[Part] = []
    if quality.not_the_same:
        parts = [Note(_text("not-the-same", tolerance=tolerance, policies=quality.not_the_same))]
    elif inputs.effects.generated or inputs.effects.real:
        parts = [_text("loss-every-gradient-and-every", tolerance=tolerance)]
    if quality.other_models:
        parts.append(_text("trains-another-model-than-none", other_models=" and ".join(quality.other_models)))

    def worst(policy: str) -> dict[str, float | None]:
        rows = [row for row in inputs.completed if row["policy"] == policy]
        return {
            name: max((value for row in rows if (value := number(row, name)) is not None), default=None)
            for name in ("loss_error", "gradient_error", "buffer_error")
        }

    policies = [policy for policy in inputs.compared if policy not in quality.other_models]
    return [*parts, _text.table(inputs, "table-sameness", MEASUREMENTS, policies, worst=worst)]


def _noise(inputs: ReportInputs) -> list[Part]:
    quality, target = inputs.quality, inputs.study.measurement.ratio_half_width
    widths = [(width, row) for row in inputs.completed if (width := _half_width(row)) is not None]
    if not widths:
        return [_text("nothing-timed")]
    wide = sorted(
        ((width, row) for width, row in widths if width > target),
        key=lambda pair: (-pair[0], str(pair[1]["cell"]), str(pair[1]["policy"])),
    )
    facts = _text.names("noise", quality=quality, target=target)
    if not wide:
        return [facts, _text("all-within")]
    known: dict[str, Any] = {"target": target, "too_wide": 1 - quality.within_target, "wide": wide, "listed": LISTED}
    return [facts, _text.table(inputs, "table-wide", MEASUREMENTS, wide[:LISTED], ratio_of=time_ratio, **known)]


def _half_width(row: Row) -> float | None:
    """Half the width of a row's interval relative to its ratio; None where it has no interval."""
    found = None if number(row, "time_ratio_low") is None else time_ratio(row)
    return None if found is None else (found.high - found.low) / 2 / found.estimate


def accuracy_section(inputs: ReportInputs) -> Section:
    """Whether checkpointing changes what is learnt."""
    if not inputs.accuracy:
        return Section("accuracy", "Accuracy", blocks(_text("no-training")))

    def worst(*, reordered: bool) -> float:
        own = (one.largest_loss_difference for one in inputs.accuracy if (one.policy == REORDERED) is reordered)
        return max(own, default=0.0)

    opening = _text("training", reordered=REORDERED, worst=worst(reordered=False), control=worst(reordered=True))
    shown = _text.table(inputs, "table-accuracy", ACCURACY, inputs.accuracy)
    return Section("accuracy", "Accuracy", blocks(opening, shown))
