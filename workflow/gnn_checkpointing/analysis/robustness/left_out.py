"""Would a statement of the answer turn if one graph had not been measured?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from gnn_checkpointing.analysis.estimates import Noise, mean_bytes
from gnn_checkpointing.analysis.regression import interactions
from gnn_checkpointing.analysis.results import Estimate, LeftOut
from gnn_checkpointing.analysis.table import Row, grouped
from gnn_checkpointing.analysis.tolerance import CLOSE

Statement = Literal["densest_activation_ratio", "densest_time_ratio", "difference_per_edge"]
Side = Literal["below", "above", "holds"]

BOUNDARIES: dict[Statement, float] = {
    "densest_activation_ratio": 1.0,
    "densest_time_ratio": 1.0,
    "difference_per_edge": 0.0,
}


def left_out(rows: Sequence[Row], confidence: float, noise: Noise) -> tuple[list[LeftOut], list[str]]:
    """Each statement with each of its graphs left out in turn, and what could not be tried and why.

    `rows` are comparable cells of generated graphs.
    """
    found: list[LeftOut] = []
    missing: list[str] = []
    for answers in (_densest(rows, noise), _slopes(rows, confidence)):
        found += answers[0]
        missing += answers[1]
    return found, missing


def side_of(estimate: Estimate, boundary: float) -> Side:
    """On which side of the boundary an interval lies, by more than rounding."""
    if estimate.high < boundary - CLOSE:
        return "below"
    return "above" if estimate.low > boundary + CLOSE else "holds"


def _densest(rows: Sequence[Row], noise: Noise) -> tuple[list[LeftOut], list[str]]:
    """The ratios at each policy's densest level, which rest on the graphs of that level and size alone."""
    found: list[LeftOut] = []
    missing: list[str] = []
    paired = [row for row in rows if row.policy != "none" and row.activation_ratio is not None]
    for series, cells in grouped(paired, lambda row: (row.convolution, row.policy)):
        densest = max(row.requested_average_degree or 0.0 for row in cells)
        largest = max(row.num_nodes for row in cells if row.requested_average_degree == densest)
        level = [row for row in cells if (row.requested_average_degree, row.num_nodes) == (densest, largest)]
        timed = [row for row in level if row.time_ratio is not None]
        chosen: dict[Statement, list[Row]] = {"densest_activation_ratio": level, "densest_time_ratio": timed}
        for statement, those in chosen.items():
            graphs = list(dict.fromkeys(row.graph for row in those))
            if len(graphs) < 2:
                why = "the densest level has one graph" if graphs else "no cell of the densest level was timed"
                missing.append(f"{', '.join(series)}: no graph is left out of {statement}: {why}.")
                continue
            without = {g: _ratio(statement, [r for r in those if r.graph != g], noise) for g in graphs}
            found.append(_statement(statement, *series, _ratio(statement, those, noise), without))
    return found, missing


def _ratio(statement: Statement, cells: Sequence[Row], noise: Noise) -> Estimate:
    return noise.time_ratio(cells) if statement == "densest_time_ratio" else mean_bytes(cells, "activation_ratio")


def _slopes(rows: Sequence[Row], confidence: float) -> tuple[list[LeftOut], list[str]]:
    """The policy x edges differences of peak bytes; leaving out a graph takes it from none and policy alike."""
    found, missing = interactions(rows, confidence, ("activation_bytes",))
    by_series = dict(grouped(rows, lambda row: (row.convolution, row.policy)))
    statements = []
    for one in found:
        cells = [*by_series[one.convolution, "none"], *by_series[one.convolution, one.policy]]
        without: dict[str, Estimate] = {}
        for graph in dict.fromkeys(row.graph for row in cells):
            refit, _ = interactions([row for row in cells if row.graph != graph], confidence, ("activation_bytes",))
            if refit:
                without[graph] = refit[0].difference_per_edge
        whole = one.difference_per_edge
        statements.append(_statement("difference_per_edge", one.convolution, one.policy, whole, without))
    return statements, [text.replace("no interaction", "no graph is left out: no interaction") for text in missing]


def _statement(
    statement: Statement, convolution: str, policy: str, whole: Estimate, without: Mapping[str, Estimate]
) -> LeftOut:
    boundary = BOUNDARIES[statement]
    side = side_of(whole, boundary)
    estimates = [whole.estimate, *(estimate.estimate for estimate in without.values())]
    return LeftOut(
        statement=statement,
        convolution=convolution,
        policy=policy,
        boundary=boundary,
        whole=whole,
        lowest=min(estimates),
        highest=max(estimates),
        side=side,
        changes=[graph for graph, estimate in without.items() if side_of(estimate, boundary) != side],
    )
