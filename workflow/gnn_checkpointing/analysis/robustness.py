"""Robustness trials: does the answer depend on family, draw, hour, one graph, or the rule that ends timing?"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import get_args

import numpy as np
import pandas as pd
from statsmodels.regression.linear_model import OLS

from gnn_checkpointing.analysis import fitting, results, single_graphs, stopping
from gnn_checkpointing.analysis.estimates import Noise
from gnn_checkpointing.analysis.fitting import ROUNDING, answering, answers, observed
from gnn_checkpointing.analysis.rounding import Floats, first_greatest, rank
from gnn_checkpointing.analysis.table import Protocol, Row, by_series, drawn, grouped, moment

RESPONSE: results.Response = "step_time_seconds"
"""The response that may drift; bytes do not depend on the hour."""
LEAST_FREEDOM = 8
"""Fewest degrees of freedom (draws minus places) for a useful interval."""

_OTHER_RULE = (
    "The rule that ends timing was not played: no cell was timed in as many processes as the study names, so that "
    "another rule ended it."
)


def robustness(rows: Sequence[Row], protocol: Protocol, noise: Noise) -> results.Robustness:
    """Run all trials; the result has a sentence for each that could not be run."""
    own, confidence = drawn(rows), protocol.confidence
    without_forms = replace(protocol, memory_forms=(), time_forms=(), capacity_gib=())
    played = any(row.processes == protocol.processes for row in rows)
    tried: dict[str, tuple[Sequence[results.Result], list[str]]] = {
        "families": families(own),
        "replicates": replicates(own),
        "drift": drift(own, rows, confidence),
        "influence": single_graphs.influence(own, confidence),
        "left_out": single_graphs.left_out(own, confidence, noise),
        "stopping": (_stopping(without_forms), []) if played else ([], [_OTHER_RULE]),
    }
    not_tried = [reason for _, reasons in tried.values() for reason in reasons]
    return results.Robustness.model_validate(
        {name: found for name, (found, _) in tried.items()} | {"not_tried": not_tried}
    )


@cache
def _stopping(protocol: Protocol) -> list[results.StoppingRule]:
    """The simulation of the study's rule, which reads no measurement and so is played once for all tables."""
    return stopping.stopping(protocol, np.random.default_rng(protocol.seed))


@answers
def families(rows: Sequence[Row]) -> Iterator[tuple[str, results.FamilyFactor | str]]:
    """Effect of the graph family on every policy's ratios, or the reason why it could not be tested."""
    paired = [row for row in rows if row.policy != "none" and row.activation_ratio is not None]
    if len({row.family for row in paired}) < 2:
        one = f"all generated graphs are of one family, {paired[0].family}" if paired else ""
        yield "The family as a factor is not tried", one or "no policy was measured beside none on a generated graph"
        return
    for (convolution, policy), cells in by_series(paired):
        for quantity in get_args(results.Quantity):
            subject = f"{convolution}, {policy}: the family as a factor of {quantity} is not tried"
            yield subject, _factor([row for row in cells if getattr(row, quantity) is not None], quantity)


def _factor(cells: Sequence[Row], quantity: results.Quantity) -> results.FamilyFactor | str:
    """Test log ratio = place + family, where a place is a number of nodes and a requested degree.

    The factor place absorbs any dependence of the ratio on nodes and degree. With straight lines in log nodes and log
    degree instead, curvature could pass for a family effect or hide one.
    """
    by_place = grouped(cells, lambda row: (row.num_nodes, row.requested_average_degree)).values()
    shared = [row for part in by_place if len({row.family for row in part}) > 1 for row in part]
    names = sorted({row.family for row in shared})
    if len(names) < 2:
        return "no size and degree was measured on two families"
    values = np.log([float(getattr(row, quantity)) for row in shared])
    labels = [f"{row.num_nodes} {row.requested_average_degree}" for row in shared], [row.family for row in shared]
    places, of_families = (pd.get_dummies(pd.Series(each), dtype=float).to_numpy() for each in labels)
    columns = np.hstack([places, of_families[:, 1:]])
    if rank(columns) < columns.shape[1]:
        return "not all families meet others at one size and degree"
    if len(shared) <= columns.shape[1]:
        return "there are too few graphs to tell a family from chance"
    full, restricted = OLS(values, columns).fit(), OLS(values, places).fit()
    shifts = np.array([0.0, *full.params[places.shape[1] :]])
    shifts -= shifts.mean()
    furthest = first_greatest(np.abs(shifts), nothing=ROUNDING)
    differs = bool(abs(shifts[furthest]) > ROUNDING)
    # Without any spread the F test has no p-value of its own, so it is set to 1 or 0.
    spread = [np.abs(fit.resid).max() >= ROUNDING for fit in (restricted, full)]
    return results.FamilyFactor(
        convolution=cells[0].convolution,
        policy=cells[0].policy,
        quantity=quantity,
        families=names,
        largest_shift=float(np.exp(shifts[furthest])) if differs else 1.0,
        furthest_family=names[furthest] if differs else "",
        p_value=float(full.compare_f_test(restricted)[1]) if all(spread) else float(not spread[0]),
    )


@answers
def replicates(rows: Sequence[Row]) -> Iterator[tuple[str, results.ReplicateSpread | str]]:
    """Relative standard deviation of each response between draws, or the reason why it is unknown."""
    groups = grouped(
        rows, lambda row: (row.convolution, row.policy, row.family, row.num_nodes, row.requested_average_degree)
    )
    places = [cells for cells in groups.values() if len(cells) > 1]
    if not places:
        yield "The spread between draws is not tried", "no size, degree and family was drawn twice"
    for response in fitting.WEIGHTS if places else ():
        yield f"The spread of {response} between draws is not tried", _spread(places, response)


def _spread(places: Sequence[Sequence[Row]], response: results.Response) -> results.ReplicateSpread | str:
    """Spread between draws over the places with at least two values and a positive mean."""
    having = [(observed(answering(cells, response), response), cells[0]) for cells in places]
    found = [(float(each.std(ddof=1) / each.mean()), row) for each, row in having if len(each) > 1 and each.mean() > 0]
    if not found:
        return "no place has two values"
    shares = [share for share, _ in found]
    worst, at = found[first_greatest(shares, nothing=ROUNDING)]
    return results.ReplicateSpread(
        response=response,
        places=len(found),
        median=float(np.median(shares)),
        worst=worst,
        worst_at=f"{at.convolution}, {at.policy}, {at.family} of {at.num_nodes} nodes, degree {at.degree:g}",
    )


@answers
def drift(
    rows: Sequence[Row], everything: Sequence[Row], confidence: float
) -> Iterator[tuple[str, results.RunDrift | str]]:
    """Change of each convolution's and policy's step time over the run, or the reason why it is unknown.

    `rows` are generated graphs; `everything` is all that was measured, which gives each cell's place in the whole run.
    """
    places = order(everything)
    for (convolution, policy), cells in by_series(rows):
        subject = f"{convolution}, {policy}: drift of {RESPONSE} is not tried"
        yield subject, _drift(answering(cells, RESPONSE), places, confidence)


def order(rows: Sequence[Row]) -> dict[str, float]:
    """Each cell's place in the order of measurement, from -1/2 for the first to 1/2 for the last."""
    started = {row.cell: moment(row.started, "started", row.cell) for row in rows}
    cells = sorted(started, key=lambda cell: (started[cell], cell))
    return {cell: place / max(1, len(cells) - 1) - 0.5 for place, cell in enumerate(cells)}


def _drift(cells: Sequence[Row], places: dict[str, float], confidence: float) -> results.RunDrift | str:
    """Regress on measurement order along with what explains the time, so that late dense graphs do not look like drift.

    The response is the time relative to its expected value, so the coefficient of the order is the relative change over
    the run. The order is random and thus independent of the scatter, so plain least squares gives the right interval;
    robust intervals are twice too wide where a mean has two draws.
    """
    explained = _beside_draws(cells) or _beside_law(cells, confidence)
    if explained is None:
        return "these cells carry no additive law, and too few of them are draws of one size and density"
    kept, shares, columns = explained
    late = np.array([places[row.cell] for row in kept])
    scaled = columns / fitting.largest(columns)
    if np.abs(OLS(late, scaled).fit().resid).max() < ROUNDING:
        return "the order of measurement cannot be told from size and density"
    found = OLS(shares, np.column_stack([scaled, late])).fit()
    slope, error = float(found.params[-1]), float(found.bse[-1])
    low, high = found.conf_int(alpha=1 - confidence)[-1]
    p_value = float(found.pvalues[-1])
    if error < ROUNDING:  # without noise only rounding errors remain
        low = high = slope = 0.0 if abs(slope) < ROUNDING else slope
        p_value = float(slope == 0)
    return results.RunDrift(
        convolution=cells[0].convolution,
        policy=cells[0].policy,
        response=RESPONSE,
        change=results.Estimate(estimate=slope, low=low, high=high),
        p_value=p_value,
    )


def _beside_draws(cells: Sequence[Row]) -> tuple[Sequence[Row], Floats, Floats] | None:
    """Each cell's time / the mean over draws of its size, density and family, and an indicator column for each group.

    The mean absorbs any effect of nodes and edges; None if there are too few repeated draws.
    """
    groups = grouped(cells, lambda row: (row.family, row.num_nodes, row.requested_average_degree)).values()
    drawn_again = [part for part in groups if len(part) > 1]
    counts = [len(part) for part in drawn_again]
    if sum(counts) - len(counts) < LEAST_FREEDOM:
        return None
    kept = [row for part in drawn_again for row in part]
    means = np.repeat([observed(part, RESPONSE).mean() for part in drawn_again], counts)
    return kept, observed(kept, RESPONSE) / means, np.repeat(np.eye(len(counts)), counts, axis=0)


def _beside_law(cells: Sequence[Row], confidence: float) -> tuple[Sequence[Row], Floats, Floats] | None:
    """Each cell's time and the law's columns, both divided by the additive law's value; None where there is no law."""
    if fitting.why_not(cells, RESPONSE):
        return None
    expected = fitting.fitted(fitting.design(cells), observed(cells, RESPONSE), "relative", confidence).fitted
    if (expected <= 0).any():
        return None
    return cells, observed(cells, RESPONSE) / expected, fitting.design(cells) / expected[:, np.newaxis]
