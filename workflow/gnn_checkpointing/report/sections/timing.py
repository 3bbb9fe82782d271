"""Whether the hour, or the rule that ends timing, is part of the answer."""

from __future__ import annotations

from collections.abc import Sequence

from gnn_checkpointing.analysis.results import RunDrift, StoppingRule
from gnn_checkpointing.report import units
from gnn_checkpointing.report.inputs import ROBUSTNESS, ReportInputs
from gnn_checkpointing.report.page import Block, Note, Paragraph
from gnn_checkpointing.report.panels import Of, table
from gnn_checkpointing.report.sections.worst import worst
from gnn_checkpointing.report.texts import texts
from gnn_checkpointing.sourced import counted, counted_where

_text = texts("timing")

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
            _text(
                "graphs-were-measured-in-a",
                small=small,
                items=counted(items),
                chance=chance,
                items2=chance * counted(items),
            )
        ),
        table(
            "table-drift",
            _text("table-drift", confidence=inputs.effects.confidence, more=more),
            ROBUSTNESS,
            listed,
            Of("Convolution", "convolution"),
            Of("Policy", "policy", inputs.named, content="text"),
            Of("Change over the run", "change", units.share_estimate),
            Of("p", "p_value", units.probability),
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
            _text(
                "timing-ends-when-the-intervals",
                target_half_width=first.target_half_width,
                plays=first.plays,
                at_least=first.at_least,
                at_most=first.at_most,
                first=_shared(first),
                level=level,
                expected_error=2 * first.expected_error,
            )
        )
    ]
    if short:
        least = min(short, key=lambda item: item.covered)
        blocks.append(
            Note(
                _text(
                    "intervals-at-hold-less-than", level=level, covered=least.covered, fixed_covered=least.fixed_covered
                )
            )
        )
    blocks.append(
        table(
            "table-stopping",
            _text("table-stopping"),
            ROBUSTNESS,
            items,
            Of(
                "Noise of a round's ratio",
                lambda item: units.percent(item.noise) + _DISTRIBUTIONS[item.distribution],
                content="prose",
            ),
            Of("Holds, by the rule", "covered", units.accuracy),
            Of("Holds, rounds fixed", "fixed_covered", units.accuracy),
            Of("Median rounds", "median_rounds", units.plain),
            Of("Narrow enough", "reached_target", units.percent),
        )
    )
    return blocks


def _shared(rule: StoppingRule) -> str:
    if rule.processes == 1:
        return ""
    return f", shared out among {units.count(rule.processes)} processes that each stop by themselves"
