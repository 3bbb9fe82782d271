"""Predictions of a law beyond its fit: real graphs, cells that ran out of memory or time, and the densest that fits."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from statistics import median
from typing import Self

import numpy as np
from scipy.optimize import brentq

from gnn_checkpointing.analysis import results
from gnn_checkpointing.analysis.effects import labels_of
from gnn_checkpointing.analysis.fitting import ROUNDING, SAMPLED, answering, answers, design, largest
from gnn_checkpointing.analysis.laws.fit import FittedForm
from gnn_checkpointing.analysis.laws.series import FORMS, Series, Sizes
from gnn_checkpointing.analysis.rounding import first_greatest, least_squares, places_of, rounded
from gnn_checkpointing.analysis.table import Row, grouped
from gnn_checkpointing.analysis.table import series as series_name
from gnn_checkpointing.records.measurements_table import Value


@dataclass(frozen=True)
class FittedLaw:
    """A published law, the form that computes it, and the series that it was fitted to."""

    law: results.PredictiveLaw
    fit: FittedForm
    series: Series

    @cached_property
    def resident(self) -> results.ResidentLaw:
        """Bytes resident before a step: a constant, per node and per edge; exact where the graphs alone decide."""
        columns, before = design(self.series.rows), np.array([float(row.resident_bytes) for row in self.series.rows])
        units = ROUNDING * before.max() / largest(columns)
        terms = zip(least_squares(columns, before).tolist(), units.tolist(), strict=True)
        constant, node, edge = (rounded(term, places_of(unit)) for term, unit in terms)
        own = {"convolution": self.law.convolution, "policy": self.law.policy}
        return results.ResidentLaw(**own, constant=constant, per_node=node, per_edge=edge)

    def reaching(self, share: float) -> Self:
        """The law with its half-width raised to `share` of the prediction, if it is smaller."""
        return replace(self, law=self.law.model_copy(update={"half_width": max(self.law.half_width, share)}))

    def for_the_loss(self, row: Row) -> float:
        """Bytes that the loss keeps for classes and training nodes (4 C T, see `counts.py`), beyond those in the law.

        The law's bytes per node include those of the graphs that it was fitted to. None of this is measured; 0 if
        classes are not known, and for other responses than saved bytes.
        """
        known = all(one.num_classes and one.training_nodes for one in (row, *self.series.rows))
        if self.law.response != "saved_activation_bytes" or not known:
            return 0.0
        per_node = np.mean([one.num_classes * one.training_nodes / one.num_nodes for one in self.series.rows])
        return 4 * float(row.num_classes * row.training_nodes - per_node * row.num_nodes)

    def at(self, sizes: Sizes, share: float = 0.0, *, with_resident: bool) -> float:
        """The law's value for one graph, raised by `share`; `with_resident` adds the bytes resident before a step."""
        value = (1 + share) * float(self.fit.at(sizes)[0])
        before = self.resident.constant + self.resident.per_node * sizes.nodes + self.resident.per_edge * sizes.edges
        return value + float(before[0]) if with_resident else value


@answers
def scores(fitted: FittedLaw, real: Sequence[Row]) -> Iterator[tuple[str, results.Score | str]]:
    """The law's predictions for the real graphs of its series, or the reason why it cannot predict them.

    The law uses a real graph's sizes, classes and (from the degrees) its largest block, but no measurements.
    """
    law, labels = fitted.law, labels_of(real)
    for row in answering(real, law.response):
        if (row.convolution, row.policy) == fitted.series.key[:2]:
            yield f"{fitted.series.name}: {labels[row.graph]} is not predicted", _score(fitted, row, labels[row.graph])


def _score(fitted: FittedLaw, row: Row, label: str) -> results.Score | str:
    law = fitted.law
    if row.num_features != law.num_features:
        return f"it has {row.num_features} input features, and the law knows {law.num_features}"
    one = Series([row], law.response)
    predicted, measured = fitted.at(one.sizes, with_resident=False) + fitted.for_the_loss(row), float(one.values[0])
    low, high = predicted * (1 - law.half_width), predicted * (1 + law.half_width)
    ranges = ((row.num_nodes, law.num_nodes), (row.num_edges, law.num_edges))
    names = ("graph", "num_nodes", "num_edges", "convolution", "policy")
    return results.Score(
        **{name: getattr(row, name) for name in names},
        label=label,
        response=law.response,
        measured=measured,
        predicted=results.Estimate(estimate=predicted, low=low, high=high),
        error=(predicted - measured) / measured,
        inside=_holds(low, high, measured),
        in_range=all(least <= size <= most for size, (least, most) in ranges),
    )


def _holds(low: float, high: float, measured: float) -> bool:
    slack = ROUNDING * measured
    return low - slack <= measured <= high + slack


def worst_miss(found: Iterable[results.Score], response: results.Response, apart_from: str = "") -> float:
    """Largest error of a law of bytes on a real graph in range, as a share of the prediction; 0 for seconds.

    Bytes are exact, and so are their laws on generated graphs; of the ways in which real graphs differ, laws know only
    classes and training nodes. Seconds scatter on both, and their intervals hold on real graphs as they are.
    """
    chosen = (one for one in found if one.response == response and one.in_range and one.graph != apart_from)
    misses = (abs(one.error) * one.measured / one.predicted.estimate for one in chosen if response not in SAMPLED)
    return max(misses, default=0.0)


def bounded(found: Sequence[results.Score]) -> list[results.Score]:
    """The scores, with bounds of bytes widened to the laws' largest error on the other real graphs."""
    widened = []
    for score in found:
        middle, reach = score.predicted.estimate, worst_miss(found, score.response, apart_from=score.graph)
        low, high = min(score.predicted.low, middle * (1 - reach)), max(score.predicted.high, middle * (1 + reach))
        bounds = {"predicted": results.Estimate(estimate=middle, low=low, high=high)}
        widened.append(score.model_copy(update={**bounds, "inside": _holds(low, high, score.measured)}))
    return widened


def summaries(found: Iterable[results.Score]) -> list[results.ScoreSummary]:
    """Median and worst absolute error of each response, over the graphs within the laws' range."""
    summed = []
    for response, each in grouped((score for score in found if score.in_range), lambda score: score.response).items():
        errors = [abs(score.error) for score in each]
        worst = first_greatest(errors, nothing=ROUNDING)
        summed.append(
            results.ScoreSummary(
                response=response,
                scored=len(each),
                median_error=median(errors),
                worst_error=errors[worst],
                worst_at=f"{each[worst].label}, {each[worst].convolution}, {each[worst].policy}",
                inside=sum(score.inside for score in each) / len(each),
            )
        )
    return summed


def censored(
    rows: Sequence[Mapping[str, Value]], laws: Sequence[FittedLaw], timeout_seconds: float
) -> list[results.Censored]:
    """Every cell x policy that ran out of memory or time, with its law's prediction.

    The memory limit applies to everything that the step needs, so resident bytes are added. The time limit is how long
    a policy may be silent, which a single step must not reach.
    """
    found = []
    for row in sorted(rows, key=lambda row: (str(row["cell"]), str(row["policy"]))):
        if row["outcome"] not in ("out_of_memory", "timed_out") or row["other_model"]:
            continue
        in_memory = row["outcome"] == "out_of_memory"
        limit = float(row["memory_limit_bytes"] or 0) if in_memory else timeout_seconds
        answer = _predicted(row, laws, in_memory=in_memory)
        predicted = None if isinstance(answer, str) else answer
        values = {
            **{name: row[name] for name in ("cell", "policy", "outcome")},
            "label": row["graph_label"],
            "convolution": series_name(row),
            "limit": limit,
            "predicted": predicted,
            "foreseen": None if predicted is None else predicted >= limit,
            "reason": answer if isinstance(answer, str) else "",
        }
        found.append(results.Censored.model_validate(values))
    return found


def _predicted(row: Mapping[str, Value], laws: Sequence[FittedLaw], *, in_memory: bool) -> float | str:
    """The peak or the time by the law of the row's series, or the reason why there is none."""
    key = (series_name(row), row["policy"], "activation_bytes" if in_memory else "step_time_seconds")
    law = next((law for law in laws if law.series.key == key), None)
    if law is None:
        return "no law predicts this convolution and policy: see not_fitted"
    if row["num_features"] != law.law.num_features:
        return f"the law knows {law.law.num_features} input features, this graph has {row['num_features']}"
    if "edges_at_once" in FORMS[law.fit.form].columns and row["edges_at_once"] is None:
        return "how large the policy's blocks would have been is not on record"
    nodes, edges, at_once = (float(row[name] or 0) for name in ("num_nodes", "num_edges", "edges_at_once"))
    return law.at(Sizes.of((nodes, edges, at_once)), with_resident=in_memory)


def capacities(laws: Sequence[FittedLaw], limits_gib: Iterable[float]) -> list[results.Capacity]:
    """For the largest graphs of the study, the degree that fits into each limit; `gain` compares with none.

    Where the policy's degree is unbounded, `gain` is a lower bound.
    """
    found = []
    for limit in limits_gib:
        own = [_capacity(law, limit * 2**30) for law in laws if law.law.response == "activation_bytes"]
        none = {
            one.convolution: one.average_degree.estimate
            for one in own
            if one.policy == "none" and one.average_degree is not None and not one.unbounded
        }
        for one in own:
            base = none.get(one.convolution)
            gain = one.average_degree.estimate / base if base and one.average_degree else None
            found.append(one.model_copy(update={"gain": gain}))
    return found


def _capacity(fitted: FittedLaw, memory_bytes: float) -> results.Capacity:
    law = fitted.law
    nodes, reach = law.num_nodes[1], law.half_width
    low, middle, high = (_degree(fitted, nodes, memory_bytes, share) for share in (reach, 0.0, -reach))
    fits = middle is not None and low is not None and high is not None
    return results.Capacity(
        convolution=law.convolution,
        policy=law.policy,
        num_nodes=nodes,
        memory_bytes=memory_bytes,
        average_degree=results.Estimate(estimate=middle, low=low, high=high) if fits else None,
        unbounded=middle == nodes - 1,
        in_range=middle is not None and law.num_edges[0] <= middle * nodes <= law.num_edges[1],
        gain=None,
    )


def _degree(fitted: FittedLaw, nodes: int, memory_bytes: float, share: float) -> float | None:
    """The largest average degree whose peak fits; None if not even a degree of 1 fits."""

    def excess(degree: float) -> float:
        return fitted.at(_sizes(fitted.series, nodes, degree * nodes), share, with_resident=True) - memory_bytes

    densest = float(nodes - 1)
    if excess(1.0) > 0:
        return None
    return densest if excess(densest) <= 0 else float(brentq(excess, 1.0, densest))


def _sizes(series: Series, nodes: int, edges: float) -> Sizes:
    """Sizes of an unmeasured graph; its block is interpolated between the measured densities of that size."""
    measured = series.only([place for place, row in enumerate(series.rows) if row.num_nodes == nodes]).sizes
    if measured.at_once is None:
        return Sizes.of((nodes, edges, None))
    order = np.argsort(measured.edges, kind="stable")
    share = measured.at_once[order] / measured.edges[order]
    # If the densest measured graph was a single block, so is a denser one; otherwise blocks grow no further.
    at_once = edges if share[-1] >= 1 else float(np.interp(edges, measured.edges[order], measured.at_once[order]))
    return Sizes.of((nodes, edges, at_once))
