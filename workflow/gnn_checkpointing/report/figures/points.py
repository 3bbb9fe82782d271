"""Residuals over the number of edges, and ratios by graph: points without lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.ticker import FixedFormatter, FixedLocator

from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.figures.canvas import panel_svg
from gnn_checkpointing.report.figures.lines import Line
from gnn_checkpointing.report.figures.palette import INK, Look
from gnn_checkpointing.report.figures.scales import Scale


@dataclass(frozen=True)
class Mark:
    """A ratio on the line of one graph."""

    label: str
    policy: str
    value: float


def residual_panel(name: str, lines: Sequence[Line], looks: Mapping[str, Look], x: Scale, y: Scale) -> str:
    """Return the SVG of relative residuals over the number of edges, one marker a cell."""

    def draw(axes: Axes) -> None:
        scales.apply(axes, x, y)
        axes.axhline(0, color=INK, linewidth=0.8, alpha=0.7)
        for line in lines:
            look = looks[line.policy]
            axes.plot(
                [point.x for point in line.points],
                [point.y for point in line.points],
                linestyle="none",
                color=look.colour,
                marker=look.marker,
                markersize=3.6,
                markerfacecolor="none",
                markeredgewidth=0.9,
                label=line.policy,
            )
        legend = axes.legend(
            loc="lower left",
            bbox_to_anchor=(-0.02, 1.13),
            ncols=min(3, len(lines)),
            frameon=False,
            fontsize=8,
            handletextpad=0.1,
            columnspacing=1.0,
            borderaxespad=0,
        )
        legend.set_zorder(3)
        axes.set_position((0.13, 0.17, 0.80, 0.64))

    return panel_svg(name, draw)


def ratio_panel(name: str, marks: Sequence[Mark], looks: Mapping[str, Look], x: Scale) -> str:
    """Return the SVG of ratios, one line of the panel a graph, one marker a policy."""
    labels = list(dict.fromkeys(mark.label for mark in marks))
    policies = list(dict.fromkeys(mark.policy for mark in marks))

    def draw(axes: Axes) -> None:
        axes.set_xscale("log" if x.log else "linear")
        axes.xaxis.set_major_locator(FixedLocator(list(x.ticks)))
        axes.xaxis.set_major_formatter(FixedFormatter(list(x.tick_labels)))
        axes.xaxis.minorticks_off()
        axes.set_xlim(x.low, x.high)
        axes.set_xlabel(x.label)
        axes.axvline(1.0, color=INK, linewidth=0.8, dashes=(4, 3), alpha=0.7)
        axes.yaxis.set_major_locator(FixedLocator(list(range(len(labels)))))
        axes.yaxis.set_major_formatter(FixedFormatter([_short(label) for label in labels]))
        axes.set_ylim(len(labels) - 0.5, -0.5)
        for position, policy in enumerate(policies):
            look = looks[policy]
            shift = 0.18 * (position - (len(policies) - 1) / 2)
            chosen = [mark for mark in marks if mark.policy == policy]
            axes.plot(
                [mark.value for mark in chosen],
                [labels.index(mark.label) + shift for mark in chosen],
                linestyle="none",
                color=look.colour,
                marker=look.marker,
                markersize=4.5,
                label=policy,
            )
        axes.legend(
            loc="lower left",
            bbox_to_anchor=(-0.02, 1.0),
            ncols=min(3, len(policies)),
            frameon=False,
            fontsize=8,
            handletextpad=0.1,
            columnspacing=1.0,
            borderaxespad=0,
        )
        axes.set_position((0.32, 0.17, 0.65, 0.71))

    return panel_svg(name, draw)


def _short(label: str) -> str:
    """Return a graph's label cut to what fits beside the panel; the table beneath has it whole."""
    return label if len(label) <= 13 else label[:12] + "\N{HORIZONTAL ELLIPSIS}"
