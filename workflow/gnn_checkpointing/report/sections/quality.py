"""What the run says against itself: what failed, whether results are the same, how noisy times are, and training."""

from __future__ import annotations

from collections.abc import Iterable

from gnn_checkpointing.analysis.results import Accuracy, Estimate
from gnn_checkpointing.records.measurements_table import number
from gnn_checkpointing.records.training import REORDERED
from gnn_checkpointing.report import units
from gnn_checkpointing.report.inputs import ACCURACY, MEASUREMENTS, QUALITY, ReportInputs, Row
from gnn_checkpointing.report.page import Note, Section
from gnn_checkpointing.report.panels import Of, table
from gnn_checkpointing.report.sections.parts import CONVOLUTION, Columns, Part, blocks
from gnn_checkpointing.report.sections.real import outcome_text
from gnn_checkpointing.report.sections.worst import LISTED
from gnn_checkpointing.report.texts import texts
from gnn_checkpointing.sourced import counted, counted_where

_text = texts("quality")

_CELL: Of[Row] = Of("Cell", lambda row: str(row["cell"]), content="prose")
_POLICY: Of[Row] = Of("Policy", lambda row: str(row["policy"]))
_FAILED: Columns = (
    _CELL,
    Of("Convolution", lambda row: str(row["convolution"])),
    _POLICY,
    Of("Outcome", outcome_text),
    Of("Message", lambda row: str(row["message"] or units.NOTHING), content="prose"),
)
_ABSENT: Columns = (
    Of("Policy", lambda row: row[1].policy),
    Of("Why", lambda row: row[0]),
    Of("Convolutions", lambda row: ", ".join(row[1].convolutions), content="prose"),
    Of("Cells", lambda row: row[1].cells, units.count),
    Of("Reason", lambda row: row[1].reason, content="prose"),
)
_WIDE: Columns = (
    Of("Cell", lambda pair: str(pair[1]["cell"]), content="prose"),
    Of("Policy", lambda pair: str(pair[1]["policy"])),
    Of("Time ratio", lambda pair: _ratio(pair[1]), units.ratio_estimate),
    Of("Half-width", lambda pair: pair[0], units.percent),
    Of("Rounds", lambda pair: number(pair[1], "rounds") or 0, units.count),
)
_ACCURACY: Columns = (
    Of("Graph", "graph", content="prose"),
    CONVOLUTION,
    Of("Policy", "policy"),
    Of("Epochs", "epochs", units.count),
    Of("Final loss", "final_loss", lambda value: units.fixed(value, 4)),
    Of("Training accuracy", "train_accuracy", units.accuracy),
    Of("Test accuracy", "test_accuracy", units.accuracy),
    Of("Loss difference", "largest_loss_difference", units.error),
)


def failed_section(inputs: ReportInputs) -> Section:
    """Outcomes other than completed; it says so when there are none.

    A policy that refuses, or lacks what it needs on this machine, was never started: it is apart from failures.
    """
    failed = [row for row in inputs.rows if row["outcome"] not in ("completed", "refused", "unavailable")]
    lost = inputs.started - counted_where(inputs.rows, ("outcome", "=", "completed"))
    listing = table("table-failed", _text("table-failed"), MEASUREMENTS, failed, *_FAILED)
    sentence = _text("some-failed" if failed else "none-failed", started=inputs.started, lost=lost)
    absences = [("unavailable here", one) for one in inputs.quality.unavailable]
    absences += [("refused", one) for one in inputs.quality.refused]
    absent = table("table-absent", _text("table-absent"), QUALITY, absences, *_ABSENT)
    return Section("failed", "Failed cells", blocks(sentence, listing, absent))


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

    def worst(policy: str, column: str) -> float | None:
        own = (number(row, column) for row in inputs.completed if row["policy"] == policy)
        return max((value for value in own if value is not None), default=None)

    shown = table(
        "table-sameness",
        _text("table-sameness"),
        MEASUREMENTS,
        [policy for policy in inputs.compared if policy not in quality.other_models],
        Of("Policy", lambda policy: policy),
        Of("Loss", lambda policy: worst(policy, "loss_error"), units.error),
        Of("Gradients", lambda policy: worst(policy, "gradient_error"), units.error),
        Of("Buffers", lambda policy: worst(policy, "buffer_error"), units.error),
    )
    return [*parts, shown]


def _noise(inputs: ReportInputs) -> list[Part]:
    quality, target = inputs.quality, inputs.study.measurement.ratio_half_width
    widths = [(width, row) for row in inputs.completed if (width := _half_width(row)) is not None]
    if not widths:
        return [_text("nothing-timed")]
    wide = sorted(
        ((width, row) for width, row in widths if width > target),
        key=lambda pair: (-pair[0], str(pair[1]["cell"]), str(pair[1]["policy"])),
    )
    spread, within = quality.process_spread, f"{units.percent(quality.within_target)} (±{units.percent(target)})"
    between = "Standard deviation of a time ratio between processes"
    share, wall = units.percent(quality.measured_share), units.duration(quality.wall_seconds)
    facts = {
        "Time ratios within the target": within,
        "Median half-width of a time ratio": units.percent(quality.median_half_width),
        "Widest half-width": units.percent(quality.worst_half_width),
        **({} if spread is None else {between: units.percent(spread)}),
        "Time inside measured steps": f"{units.duration(quality.measured_seconds)} ({share} of {wall})",
        "Cells that overlapped another": units.count(quality.overlapping_cells),
    }
    if not wide:
        return [facts, _text("all-within")]
    caption = _text("table-wide", target=target, too_wide=1 - quality.within_target, wide=wide, listed=LISTED)
    shown = table("table-wide", caption, MEASUREMENTS, wide[:LISTED], *_WIDE)
    return [facts, shown]


def _ratio(row: Row) -> Estimate | None:
    """A row's time ratio, None for none and where it or its interval is missing."""
    ratio, low, high = (number(row, name) for name in ("time_ratio", "time_ratio_low", "time_ratio_high"))
    if row["policy"] == "none" or not ratio or low is None or high is None:
        return None
    return units.estimate_of(ratio, low, high)


def _half_width(row: Row) -> float | None:
    """Half the width of a row's interval relative to its ratio."""
    found = _ratio(row)
    return None if found is None else (found.high - found.low) / 2 / found.estimate


def accuracy_section(inputs: ReportInputs) -> Section:
    """Whether checkpointing changes what is learnt."""
    if not inputs.accuracy:
        return Section("accuracy", "Accuracy", blocks(_text("no-training")))

    def worst(items: Iterable[Accuracy]) -> float:
        return max((item.largest_loss_difference for item in items), default=0.0)

    opening = _text(
        "training",
        reordered=REORDERED,
        worst=worst(item for item in inputs.accuracy if item.policy != REORDERED),
        control=worst(item for item in inputs.accuracy if item.policy == REORDERED),
    )
    shown = table("table-accuracy", _text("table-accuracy"), ACCURACY, inputs.accuracy, *_ACCURACY)
    return Section("accuracy", "Accuracy", blocks(opening, shown))
