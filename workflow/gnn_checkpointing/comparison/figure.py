"""The figure of a comparison: every time ratio on one machine against the same on the other."""

from __future__ import annotations

from gnn_checkpointing.analysis.table import grouped
from gnn_checkpointing.comparison.folders import COMPARISON
from gnn_checkpointing.comparison.results import Pair, RatioPair, RatioSummary
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figure import Figure, Panel
from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.figures.lines import Line, Point
from gnn_checkpointing.report.figures.palette import looks
from gnn_checkpointing.report.figures.points import residual_panel, thinning
from gnn_checkpointing.report.panels import points_of
from gnn_checkpointing.sourced import plain


def ratios_figure(key: str, pair: Pair) -> Figure:
    """A panel for each convolution: one mark per cell and policy, at its time ratio on either machine."""
    values = [plain(one.estimate) for ratio in pair.ratios for one in (ratio.first, ratio.second)]
    x, y = (scales.ratio_scale(values, f"step time / none's, {slug}") for slug in (pair.first, pair.second))
    policies = list(dict.fromkeys(ratio.policy for ratio in pair.ratios))
    several = len({ratio.allocator for ratio in pair.ratios}) > 1
    panels, drawn_lines = [], []
    for number, ((allocator, convolution), ratios) in enumerate(
        grouped(pair.ratios, lambda ratio: (ratio.allocator, ratio.convolution))
    ):
        id, title = f"ratios-{key}-{number}", f"{convolution}, allocator {allocator}" if several else convolution
        by_policy = {policy: [ratio for ratio in ratios if ratio.policy == policy] for policy in policies}
        lines = [Line(policy, tuple(map(_point, own))) for policy, own in by_policy.items() if own]
        drawn_lines.append(lines)
        panels.append(
            Panel(
                id=id,
                title=title,
                alternative=_alternative(title, pair, by_policy),
                svg=residual_panel(id, lines, looks(policies), x, y, diagonal=True),
                drawn=points_of(lines, x, y),
                convolution=convolution,
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


def _point(ratio: RatioPair) -> Point:
    second = ratio.second
    return Point(plain(ratio.first.estimate), plain(second.estimate), plain(second.low), plain(second.high))


def _alternative(title: str, pair: Pair, by_policy: dict[str, list[RatioPair]]) -> str:
    """For each policy how many marks there are, and where they lie on either machine."""
    sentences = [
        f"Scatter chart, {title}: step time / none's on {pair.second} against that on {pair.first}, one mark a cell, "
        "with the line on which both are equal."
    ]
    for policy, own in by_policy.items():
        if own:
            sides = {pair.first: [one.first.estimate for one in own], pair.second: [one.second.estimate for one in own]}
            spans = [f"{units.ratio(min(side))} to {units.ratio(max(side))} on {slug}" for slug, side in sides.items()]
            whole = next(one for one in pair.ratio_summaries if _series(one) == _series(own[0]))
            sentences.append(
                f"Policy {policy}, {units.count(whole.cells)} marks: {', '.join(spans)}; in the median "
                f"{units.ratio_estimate(whole.quotient)} times as much on the second."
            )
    return " ".join(sentences)


def _series(one: RatioSummary | RatioPair) -> tuple[str, str, str]:
    return one.convolution, one.policy, one.allocator
