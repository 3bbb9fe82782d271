"""Whether the hour, or the rule that ends timing, is part of the answer."""

from __future__ import annotations

from collections.abc import Sequence

from gnn_checkpointing.analysis.results import RunDrift, StoppingRule
from gnn_checkpointing.report import units
from gnn_checkpointing.report.inputs import ROBUSTNESS, ReportInputs
from gnn_checkpointing.report.page import Block, Cell, Column, Note, Paragraph, Table
from gnn_checkpointing.report.sections.worst import worst
from gnn_checkpointing.sourced import counted, counted_where

_DISTRIBUTIONS = {"lognormal": "", "heavy_tailed": ", one round in ten ten times that"}


def drift_blocks(inputs: ReportInputs, items: list[RunDrift]) -> list[Block]:
    """Return how step times changed over the run."""
    if not items:
        return []
    chance = 1 - inputs.effects.confidence
    small = counted_where(items, ("p_value", "<", chance))
    listed, more = worst(items, lambda item: abs(item.change.estimate), ROBUSTNESS)
    return [
        Paragraph(
            "Graphs were measured in a random order, and the policies of a cell side by side: a machine that slows "
            f"down blurs times and moves no ratio. In {units.count(small)} of {units.count(counted(items))} series the "
            f"step time changed over the run with p below {units.plain(chance)}, where chance alone would give "
            f"about {units.plain(chance * counted(items))}; the policies of a convolution rise and fall together."
        ),
        Table(
            id="table-drift",
            caption="Change of the step time from the first cell of the run to the last, beside what nodes and edges "
            f"explain, with {units.confidence(inputs.effects.confidence)} interval.{more}",
            columns=(
                Column("Convolution"),
                Column("Policy"),
                Column("Change over the run", "", "number"),
                Column("p", "", "number"),
            ),
            rows=tuple(
                (
                    Cell(item.convolution, item.convolution),
                    Cell(inputs.named(item.policy), item.policy),
                    Cell(units.share_estimate(item.change), item.change.estimate),
                    Cell(units.probability(item.p_value), item.p_value),
                )
                for item in listed
            ),
            source=ROBUSTNESS,
        ),
    ]


def stopping_blocks(inputs: ReportInputs, items: Sequence[StoppingRule]) -> list[Block]:
    """Return how the rule that ends timing fares on known ratios."""
    if not items:
        return []
    level = inputs.effects.confidence
    first = items[0]
    short = [item for item in items if item.covered < level - 3 * item.expected_error]
    blocks: list[Block] = [
        Paragraph(
            f"Timing ends when the intervals are within ±{units.percent(first.target_half_width)}, which could favour "
            f"intervals that are narrow by luck. The rule was played {units.count(first.plays)} times on rounds of a "
            f"known ratio, at several noises, {units.count(first.at_least)} to {units.count(first.at_most)} rounds "
            f"long{_shared(first)}. An interval at {units.confidence(level)} should hold the truth that often, give or "
            f"take {units.percent(2 * first.expected_error)}."
        )
    ]
    if short:
        least = min(short, key=lambda item: item.covered)
        blocks.append(
            Note(
                f"Intervals at {units.confidence(level)} hold less than they say: the true ratio in "
                f"{units.accuracy(least.covered)} of the plays where it was least, against "
                f"{units.accuracy(least.fixed_covered)} with as many rounds fixed beforehand."
            )
        )
    blocks.append(
        Table(
            id="table-stopping",
            caption="How often the published interval of a time ratio holds the true one, when timing stops by the "
            "rule and when the usual number of rounds is fixed beforehand.",
            columns=(
                Column("Noise of a round's ratio", "", "prose"),
                Column("Holds, by the rule", "", "number"),
                Column("Holds, rounds fixed", "", "number"),
                Column("Median rounds", "", "number"),
                Column("Narrow enough", "", "number"),
            ),
            rows=tuple(
                (
                    Cell(units.percent(item.noise) + _DISTRIBUTIONS[item.distribution], item.noise),
                    Cell(units.accuracy(item.covered), item.covered),
                    Cell(units.accuracy(item.fixed_covered), item.fixed_covered),
                    Cell(units.plain(item.median_rounds), item.median_rounds),
                    Cell(units.percent(item.reached_target), item.reached_target),
                )
                for item in items
            ),
            source=ROBUSTNESS,
        )
    )
    return blocks


def _shared(rule: StoppingRule) -> str:
    if rule.processes == 1:
        return ""
    return f", shared out among {units.count(rule.processes)} processes that each stop by themselves"
