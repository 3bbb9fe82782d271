"""Effects along density: simultaneous bands, the density at which a policy breaks even, and throughput on density."""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import get_args

import numpy as np

from gnn_checkpointing.analysis import results
from gnn_checkpointing.analysis.estimates import Noise, mean_bytes
from gnn_checkpointing.analysis.fitting import LEAST_LEVELS, answers, fitted, largest_leverage
from gnn_checkpointing.analysis.rounding import CLOSE, Floats
from gnn_checkpointing.analysis.table import Row, by_series, comparable, drawn, grouped, policy_order
from gnn_checkpointing.records.measurements_table import per_second

THRESHOLDS: dict[results.Quantity, float] = {"activation_ratio": results.SAVES_BELOW, "time_ratio": 1.0}
METHODS: dict[results.Quantity, str] = {
    "activation_ratio": "exact in every cell; span over draws",
    "time_ratio": "Sidak over the degrees; scatter between draws and from run to run",
}


def trends(rows: Sequence[Row], effects: results.Effects, noise: Noise) -> results.Trends:
    """Bands of every policy along the degrees of generated graphs of the headline size, and its break-evens."""
    places = {(e.convolution, e.policy, e.family, e.num_nodes) for e in effects.generated}
    chosen = [row for row in drawn(rows) if (row.convolution, row.policy, row.family, row.num_nodes) in places]
    chosen.sort(key=lambda row: (row.convolution, policy_order(row.policy), row.degree))
    bands = [
        _band(having, quantity, noise)
        for _, cells in by_series(chosen)
        for quantity in THRESHOLDS
        if (having := [row for row in cells if getattr(row, quantity) is not None])
    ]
    return results.Trends(
        confidence=effects.confidence,
        bands=bands,
        break_evens=[break_even(found, THRESHOLDS[found.quantity]) for found in bands],
    )


def _band(rows: Sequence[Row], quantity: results.Quantity, noise: Noise) -> results.Band:
    """The band of one convolution and policy, whose cells all have the quantity."""
    degrees = grouped(rows, lambda row: row.degree).items()
    together = noise.confidence ** (1 / len(degrees))
    return results.Band(
        convolution=rows[0].convolution,
        policy=rows[0].policy,
        quantity=quantity,
        method=METHODS[quantity],
        points=[
            results.BandPoint(
                degree=degree,
                average_degree=sum(row.average_degree for row in cells) / len(cells),
                cells=len(cells),
                ratio=noise.time_ratio(cells, together) if quantity == "time_ratio" else mean_bytes(cells, quantity),
            )
            for degree, cells in degrees
        ],
    )


def break_even(band: results.Band, threshold: float) -> results.BreakEven:
    """Whether and where the ratio crosses `threshold` between the sparsest level and the densest.

    Interpolates between two levels along a straight line on logarithmic axes, where a ratio of two additive laws is a
    smooth step.
    """
    degrees = np.array([point.average_degree for point in band.points])
    ratios = np.array([[point.ratio.low, point.ratio.estimate, point.ratio.high] for point in band.points])
    heights = np.log(ratios / threshold)
    low, middle, high = np.where(np.abs(heights) < CLOSE, 0.0, heights).T
    undecided = (low < 0) & (high >= 0)
    below = middle < 0
    turns = int((below[1:] != below[:-1]).sum())
    courses: tuple[results.Course, results.Course] = ("below", "above") if turns == 0 else ("rises", "falls")
    course: results.Course = "crosses" if turns > 1 else courses[0] if below[0] else courses[1]
    open_ends, where = "", None
    if turns == 1:
        sides = [side for side, end in (("sparse", 0), ("dense", -1)) if undecided[end]]
        open_ends = "both" if len(sides) == 2 else "".join(sides)
        # An end of the band may cross 0 beyond the measured levels; the outermost crossing within them is taken.
        places = np.concatenate([_crossings(degrees, each) for each in (low, middle, high)])
        where = results.Estimate(
            estimate=float(_crossings(degrees, middle)[0]),
            low=float(degrees[0] if open_ends in ("sparse", "both") else places.min()),
            high=float(degrees[-1] if open_ends in ("dense", "both") else places.max()),
        )
    names = ("convolution", "policy", "quantity")
    found = {
        **{name: getattr(band, name) for name in names},
        **{"threshold": threshold, "course": course, "average_degree": where, "open": open_ends},
        "certain": not open_ends if turns == 1 else turns == 0 and not undecided.any(),
    }
    return results.BreakEven.model_validate(found)


def _crossings(degrees: Floats, heights: Floats) -> Floats:
    """Degrees at which the line through the levels crosses 0; both axes are logarithmic."""
    below = heights < 0
    before = np.flatnonzero(below[1:] != below[:-1])
    share = heights[before] / (heights[before] - heights[before + 1])
    return degrees[before] * (degrees[before + 1] / degrees[before]) ** share


LEAST_GRAPHS = 4
"""Fewest graphs that leave an interval: one more than the number of coefficients."""


@answers
def throughput_laws(rows: Sequence[Row], confidence: float) -> Iterator[tuple[str, results.ThroughputLaw | str]]:
    """Regressions of throughput on density for each convolution x policy, or the reason why there is none."""
    timed = [row for row in comparable(rows) if row.step_time_seconds]
    # Generated graphs, whose density was chosen; if a study has none, its real graphs and those derived from them.
    for (convolution, policy), cells in by_series([row for row in timed if row.is_drawn] or timed):
        levels, graphs = len({_level(row) for row in cells}), len({row.graph for row in cells})
        alone = largest_leverage(_columns(cells, "average_degree")[0]) > 1 - CLOSE
        if levels < LEAST_LEVELS or graphs < LEAST_GRAPHS or alone:
            yield (
                f"{convolution}, {policy}: throughput is not regressed on density",
                f"{graphs} timed graphs at {levels} levels, and it wants {LEAST_GRAPHS} at {LEAST_LEVELS}, "
                "none of which decides alone",
            )
            continue
        for response, density in product(get_args(results.Throughput), get_args(results.Density)):
            yield "", _law(cells, response, density, confidence)


def _level(row: Row) -> float:
    """The requested degree, or two digits of the actual one: two draws of one kind of graph differ a little."""
    return row.degree if row.is_drawn else float(f"{row.degree:.2g}")


def _columns(cells: Sequence[Row], density: results.Density) -> tuple[Floats, Floats]:
    """Columns of ones, log density and, if the numbers of nodes differ, log nodes; and the density itself."""
    nodes, edges = np.array([(row.num_nodes, row.num_edges) for row in cells], dtype=np.float64).T
    measured: Floats = edges / (nodes * (nodes - 1)) if density == "density" else edges / nodes
    columns = [np.ones(len(cells)), np.log(measured), *([np.log(nodes)] if np.ptp(nodes) > 0 else [])]
    return np.column_stack(columns), measured


def _law(
    cells: Sequence[Row], response: results.Throughput, density: results.Density, confidence: float
) -> results.ThroughputLaw:
    columns, measured = _columns(cells, density)
    nodes = [row.num_nodes for row in cells]
    counts = nodes if response == "nodes_per_second" else [row.num_edges for row in cells]
    rates = [per_second(count, row.step_time_seconds) for count, row in zip(counts, cells, strict=True)]
    logarithms: Floats = np.log(np.array(rates, dtype=np.float64))
    # A graph measured more than once is a single draw, so its rows are correlated.
    graphs = [row.graph for row in cells]
    fit = fitted(columns, logarithms, "equal", confidence, graphs if len(set(graphs)) < len(graphs) else None)
    errors = np.abs(np.expm1(fit.fitted - logarithms))
    constant, elasticity, *nodes_elasticity = fit.coefficients
    return results.ThroughputLaw(
        convolution=cells[0].convolution,
        policy=cells[0].policy,
        response=response,
        density=density,
        cells=len(cells),
        num_nodes=(min(nodes), max(nodes)),
        span=(float(measured.min()), float(measured.max())),
        constant=constant,
        elasticity=elasticity,
        nodes_elasticity=nodes_elasticity[0] if nodes_elasticity else None,
        r_squared=fit.r_squared,
        median_relative_error=float(np.median(errors)),
        worst_relative_error=float(errors.max()),
    )
