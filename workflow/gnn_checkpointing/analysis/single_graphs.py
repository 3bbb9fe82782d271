"""Influence of single graphs: which one moves a law most, and whether leaving one out reverses a statement."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from gnn_checkpointing.analysis.estimates import Noise, mean_bytes
from gnn_checkpointing.analysis.fitting import EDGES, WEIGHTS, answering, answers, design, fitted, is_nothing, why_not
from gnn_checkpointing.analysis.laws.series import Series
from gnn_checkpointing.analysis.regression import RESPONSES, interactions
from gnn_checkpointing.analysis.results import Estimate, Influence, LeftOut, Response, Side, Statement
from gnn_checkpointing.analysis.rounding import CLOSE, first_greatest, least_squares
from gnn_checkpointing.analysis.table import Row, by_series


@answers
def influence(rows: Sequence[Row], confidence: float) -> Iterator[tuple[str, Influence | str]]:
    """The most influential graph of each law of peak and time, or the reason why it is unknown."""
    for (convolution, policy), cells in by_series(rows):
        for response in RESPONSES:
            subject = f"{convolution}, {policy}: no graph's influence on {response} is told"
            yield subject, _influence(answering(cells, response), response, confidence)


def _influence(cells: Sequence[Row], response: Response, confidence: float) -> Influence | str:
    if reason := why_not(cells, response):
        return reason
    series = Series(cells, response)
    fit = fitted(design(cells), series.values, WEIGHTS[response], confidence)
    if is_nothing(fit, EDGES):
        return "the law does not grow with the edges, so nothing is a share of its slope"
    found = {"graph": "", "shift_per_edge": 0.0, "cooks_distance": 0.0}
    if not fit.exact:
        graphs = np.array([row.graph for row in cells])
        names = list(dict.fromkeys(graphs.tolist()))
        # The weights of the whole fit are kept, so that the law stays the same.
        columns, target = fit.result.model.wexog, fit.result.model.wendog
        without = [least_squares(columns[graphs != name], target[graphs != name]) for name in names]
        moves = np.array(without) - fit.result.params
        shares = moves[:, EDGES] / abs(fit.result.params[EDGES])
        worst = first_greatest(np.abs(shares))
        # How far all fitted values move, in units of the residual variance: Cook (1977), Technometrics 19:1.
        distance = ((columns @ moves[worst]) ** 2).sum() / (columns.shape[1] * fit.result.mse_resid)
        found = {"graph": names[worst], "shift_per_edge": float(shares[worst]), "cooks_distance": float(distance)}
    return Influence.model_validate({**series.about, **found})


def left_out(rows: Sequence[Row], confidence: float, noise: Noise) -> tuple[list[LeftOut], list[str]]:
    """Each statement with each of its graphs left out in turn, and the reasons where this is not possible.

    `rows` are comparable cells of generated graphs.
    """
    densest, no_densest = _densest(rows, noise)
    slopes, no_slopes = _slopes(rows, confidence)
    return densest + slopes, no_densest + no_slopes


def side_of(estimate: Estimate, boundary: float) -> Side:
    """Side of the boundary on which an interval lies, by more than rounding errors."""
    if estimate.high < boundary - CLOSE:
        return "below"
    return "above" if estimate.low > boundary + CLOSE else "holds"


@answers
def _densest(rows: Sequence[Row], noise: Noise) -> Iterator[tuple[str, LeftOut | str]]:
    """The ratios at each policy's densest level, which depend only on the graphs of that level and size."""
    paired = [row for row in rows if row.policy != "none" and row.activation_ratio is not None]
    for series, cells in by_series(paired):
        densest = max((row.degree, row.num_nodes) for row in cells)
        level = [row for row in cells if (row.degree, row.num_nodes) == densest]
        timed = [row for row in level if row.time_ratio is not None]
        chosen: dict[Statement, list[Row]] = {"densest_activation_ratio": level, "densest_time_ratio": timed}
        for statement, those in chosen.items():
            subject = f"{', '.join(series)}: no graph is left out of {statement}"
            graphs = list(dict.fromkeys(row.graph for row in those))
            if len(graphs) < 2:
                yield subject, "the densest level has one graph" if graphs else "no cell of the densest level was timed"
                continue
            parts = {"": those, **{graph: [row for row in those if row.graph != graph] for graph in graphs}}
            of_time = statement == "densest_time_ratio"
            found = {
                graph: noise.time_ratio(part) if of_time else mean_bytes(part, "activation_ratio")
                for graph, part in parts.items()
            }
            yield subject, _statement(statement, *series, found.pop(""), found)


def _slopes(rows: Sequence[Row], confidence: float) -> tuple[list[LeftOut], list[str]]:
    """The policy x edges differences of peak bytes; a graph is left out of none and of the policy at once."""
    found, missing = interactions(rows, confidence, ("activation_bytes",))
    cells_of = dict(by_series(rows))
    statements = []
    for one in found:
        cells = [*cells_of[one.convolution, "none"], *cells_of[one.convolution, one.policy]]
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
    boundary = 0.0 if statement == "difference_per_edge" else 1.0
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
