"""Sameness and noise: what the run says against itself."""

from __future__ import annotations

from gnn_checkpointing.records.measurements_table import number
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figure import Fact
from gnn_checkpointing.report.inputs import MEASUREMENTS, QUALITY, ReportInputs, Row
from gnn_checkpointing.report.page import Block, Column, Facts, Note, Paragraph, Section, Table
from gnn_checkpointing.report.sections.worst import LISTED
from gnn_checkpointing.report.texts import texts
from gnn_checkpointing.sourced import counted

_text = texts("quality")


def quality_section(inputs: ReportInputs) -> Section:
    """Return the section on sameness and noise."""
    return Section("quality", "Sameness and noise", (*_sameness(inputs), *_noise(inputs), *_warnings(inputs)))


def _sameness(inputs: ReportInputs) -> list[Block]:
    quality, tolerance = inputs.quality, inputs.study.measurement.gradient_tolerance
    blocks: list[Block] = []
    if quality.not_the_same:
        blocks.append(
            Note(
                f"Not the same computation as none (relative tolerance {units.error(tolerance)}): "
                + "; ".join(quality.not_the_same)
                + "."
            )
        )
    elif inputs.effects.generated or inputs.effects.real:
        blocks.append(Paragraph(_text("loss-every-gradient-and-every", tolerance=tolerance)))
    if quality.other_models:
        blocks.append(
            Paragraph(_text("trains-another-model-than-none", other_models=" and ".join(quality.other_models)))
        )
    rows = []
    for policy in inputs.compared:
        if policy in quality.other_models:
            continue
        worst = [_worst(inputs, policy, column) for column in ("loss_error", "gradient_error", "buffer_error")]
        rows.append((policy, *worst))
    if rows:
        blocks.append(
            Table(
                id="table-sameness",
                caption="Largest relative difference from none over all cells.",
                columns=(
                    Column("Policy"),
                    Column("Loss", "", "number"),
                    Column("Gradients", "", "number"),
                    Column("Buffers", "", "number"),
                ),
                rows=tuple(rows),
                source=MEASUREMENTS,
            )
        )
    return blocks


def _worst(inputs: ReportInputs, policy: str, column: str) -> str:
    values = [
        value for row in inputs.completed if row["policy"] == policy if (value := number(row, column)) is not None
    ]
    return units.error(max(values)) if values else units.NOTHING


def _noise(inputs: ReportInputs) -> list[Block]:
    quality, target = inputs.quality, inputs.study.measurement.ratio_half_width
    blocks: list[Block] = [
        Facts(
            (
                Fact(
                    "Time ratios within the target",
                    f"{units.percent(quality.within_target)} (±{units.percent(target)})",
                ),
                Fact("Median half-width of a time ratio", units.percent(quality.median_half_width)),
                Fact("Widest half-width", units.percent(quality.worst_half_width)),
                *_between_processes(quality.process_spread),
                Fact(
                    "Time inside measured steps",
                    f"{units.duration(quality.measured_seconds)} "
                    f"({units.percent(quality.measured_share)} of {units.duration(quality.wall_seconds)})",
                ),
                Fact("Cells that overlapped another", units.count(quality.overlapping_cells)),
            )
        )
    ]
    wide = sorted(
        ((width, row) for row in inputs.completed if (width := half_width(row)) is not None and width > target),
        key=lambda pair: (-pair[0], str(pair[1]["cell"]), str(pair[1]["policy"])),
    )
    if not any(half_width(row) is not None for row in inputs.completed):
        return [Paragraph("No time ratio was measured.")]
    if not wide:
        blocks.append(Paragraph("Every time ratio's interval is within the target."))
        return blocks
    too_wide = units.share(1 - quality.within_target)
    shown = f", the {units.count(LISTED)} widest" if len(wide) > LISTED else ""
    blocks.append(
        Table(
            id="table-wide",
            caption=f"Time ratios whose interval is wider than ±{units.percent(target)}: {too_wide} of all{shown}.",
            columns=(
                Column("Cell", "", "prose"),
                Column("Policy"),
                Column("Time ratio", "", "number"),
                Column("Half-width", "", "number"),
                Column("Rounds", "", "number"),
            ),
            rows=tuple(_wide_row(width, row) for width, row in wide[:LISTED]),
            source=MEASUREMENTS,
        )
    )
    return blocks


def _between_processes(spread: float | None) -> list[Fact]:
    if spread is None:
        return []
    return [Fact("Standard deviation of a time ratio between processes", units.percent(spread))]


def half_width(row: Row) -> float | None:
    """Return half the width of a row's time ratio interval relative to the ratio, None for none and where missing."""
    ratio, low, high = (number(row, name) for name in ("time_ratio", "time_ratio_low", "time_ratio_high"))
    if row["policy"] == "none" or not ratio or low is None or high is None:
        return None
    return (high - low) / 2 / ratio


def _wide_row(width: float, row: Row) -> tuple[str, ...]:
    ratio, low, high = (number(row, name) or 0.0 for name in ("time_ratio", "time_ratio_low", "time_ratio_high"))
    rounds = number(row, "rounds") or 0
    return (
        str(row["cell"]),
        str(row["policy"]),
        units.ratio_estimate(units.estimate_of(ratio, low, high)),
        units.percent(width),
        units.count(rounds),
    )


def _warnings(inputs: ReportInputs) -> list[Block]:
    if not inputs.quality.warnings:
        return [Paragraph("The records hold no warnings against themselves.")]
    warnings = inputs.quality.warnings
    blocks: list[Block] = [Note(warning) for warning in warnings[:LISTED]]
    if len(warnings) > LISTED:
        blocks.append(Paragraph(f"{units.count(counted(warnings) - LISTED)} more kinds of warning are in {QUALITY}."))
    return blocks
