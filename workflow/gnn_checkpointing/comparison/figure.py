"""The figure of a comparison: every time ratio on one machine against the same on the other."""

from __future__ import annotations

from gnn_checkpointing.comparison.folders import COMPARISON
from gnn_checkpointing.comparison.results import Pair, RatioPair, RatioSummary
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figure import Figure, Panel
from gnn_checkpointing.report.figures import drawn, scales
from gnn_checkpointing.report.figures.lines import Line, Point
from gnn_checkpointing.report.figures.palette import looks
from gnn_checkpointing.report.figures.points import identity_panel, thinning
from gnn_checkpointing.sourced import plain


def ratios_figure(key: str, pair: Pair) -> Figure:
    """Return a panel for each convolution: one mark a cell and policy, at its time ratio on either machine."""
    values = [plain(one.estimate) for ratio in pair.ratios for one in (ratio.first, ratio.second)]
    x = scales.ratio_scale(values, f"step time / none's, {pair.first}")
    y = scales.ratio_scale(values, f"step time / none's, {pair.second}")
    policies = list(dict.fromkeys(ratio.policy for ratio in pair.ratios))
    panels, drawn_lines = [], []
    for number, (title, ratios) in enumerate(_by_panel(pair).items()):
        lines = [
            Line(policy, tuple(_point(ratio) for ratio in ratios if ratio.policy == policy))
            for policy in policies
            if any(ratio.policy == policy for ratio in ratios)
        ]
        drawn_lines.append(lines)
        panels.append(
            Panel(
                id=f"ratios-{key}-{number}",
                title=title,
                alternative=_alternative(title, pair, ratios),
                svg=identity_panel(f"ratios-{key}-{number}", lines, looks(policies), x, y),
                drawn=drawn.of_points(lines, x, y),
                convolution=ratios[0].convolution,
            )
        )
    return Figure(
        id=f"figure-{key}-ratios",
        caption=f"Step time of each policy / none's in the same cell: on {pair.first} and on {pair.second}.",
        how_to_read="Each mark is a cell and policy. On the line a policy costs the same share on both machines; above "
        f"it costs more on the second. Intervals are in the table below.{thinning(drawn_lines)}",
        panels=tuple(panels),
        source=COMPARISON,
    )


def _by_panel(pair: Pair) -> dict[str, list[RatioPair]]:
    several = len({ratio.allocator for ratio in pair.ratios}) > 1
    panels: dict[str, list[RatioPair]] = {}
    for ratio in pair.ratios:
        title = f"{ratio.convolution}, allocator {ratio.allocator}" if several else ratio.convolution
        panels.setdefault(title, []).append(ratio)
    return panels


def _point(ratio: RatioPair) -> Point:
    second = ratio.second
    return Point(plain(ratio.first.estimate), plain(second.estimate), plain(second.low), plain(second.high))


def _alternative(title: str, pair: Pair, ratios: list[RatioPair]) -> str:
    """Return for each policy how many marks there are, and where they lie on either machine."""
    sentences = [
        f"Scatter chart, {title}: step time / none's on {pair.second} against that on {pair.first}, one mark a cell, "
        "with the line on which both are equal."
    ]
    for policy in dict.fromkeys(ratio.policy for ratio in ratios):
        own = [ratio for ratio in ratios if ratio.policy == policy]
        spans = [
            f"{units.ratio(min(side))} to {units.ratio(max(side))} on {slug}"
            for slug, side in (
                (pair.first, [ratio.first.estimate for ratio in own]),
                (pair.second, [ratio.second.estimate for ratio in own]),
            )
        ]
        whole = next(one for one in pair.ratio_summaries if _is_of(one, own[0]))
        sentences.append(
            f"Policy {policy}, {units.count(whole.cells)} marks: {', '.join(spans)}; in the median "
            f"{units.ratio_estimate(whole.quotient)} times as much on the second."
        )
    return " ".join(sentences)


def _is_of(summary: RatioSummary, ratio: RatioPair) -> bool:
    """Return whether a summary is of the convolution, policy and allocator that the ratio is of."""
    return (summary.convolution, summary.policy, summary.allocator) == (
        ratio.convolution,
        ratio.policy,
        ratio.allocator,
    )
