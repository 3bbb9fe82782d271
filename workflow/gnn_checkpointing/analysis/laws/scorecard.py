"""The laws of generated graphs asked for real ones of the same run: prediction beside measurement."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

from gnn_checkpointing.analysis.effects import labels_of
from gnn_checkpointing.analysis.fitting import ROUNDING
from gnn_checkpointing.analysis.laws.fit import FittedForm
from gnn_checkpointing.analysis.laws.series import series_of, sizes_of
from gnn_checkpointing.analysis.results import Estimate, PredictiveLaw, Response, Score, ScoreSummary
from gnn_checkpointing.analysis.support import answering
from gnn_checkpointing.analysis.table import Row
from gnn_checkpointing.analysis.tolerance import first_greatest


def scores(law: PredictiveLaw, fit: FittedForm, real: Sequence[Row]) -> tuple[list[Score], list[str]]:
    """The law's predictions of the real graphs' cells of its series, and what it cannot predict and why.

    The law reads nodes, edges and (from the degrees) the largest block of a real graph, nothing that was measured.
    """
    own = [
        row for row in answering(real, law.response) if (row.convolution, row.policy) == (law.convolution, law.policy)
    ]
    labels = labels_of(real)
    found: list[Score] = []
    missing: list[str] = []
    for row in own:
        if row.num_features != law.num_features:
            missing.append(
                f"{law.convolution}, {law.policy}: {labels[row.graph]} is not predicted: it has {row.num_features} "
                f"input features, and the law knows {law.num_features}."
            )
            continue
        found.append(_score(law, fit, row, labels[row.graph]))
    return found, missing


def _score(law: PredictiveLaw, fit: FittedForm, row: Row, label: str) -> Score:
    predicted = float(fit.at(sizes_of([row]))[0])
    measured = float(series_of([row], law.response).values[0])
    low, high = predicted * (1 - law.half_width), predicted * (1 + law.half_width)
    slack = ROUNDING * measured
    return Score(
        graph=row.graph,
        label=label,
        num_nodes=row.num_nodes,
        num_edges=row.num_edges,
        convolution=row.convolution,
        policy=row.policy,
        response=law.response,
        measured=measured,
        predicted=Estimate(estimate=predicted, low=low, high=high),
        error=(predicted - measured) / measured,
        inside=low - slack <= measured <= high + slack,
        in_range=law.num_nodes[0] <= row.num_nodes <= law.num_nodes[1]
        and law.num_edges[0] <= row.num_edges <= law.num_edges[1],
    )


def summaries(found: Iterable[Score]) -> list[ScoreSummary]:
    """Median and worst absolute error of each response, over what lies within the laws' range."""
    by_response: dict[Response, list[Score]] = {}
    for score in found:
        if score.in_range:
            by_response.setdefault(score.response, []).append(score)
    return [_summary(response, each) for response, each in by_response.items()]


def _summary(response: Response, each: Sequence[Score]) -> ScoreSummary:
    worst = each[first_greatest([abs(score.error) for score in each], nothing=ROUNDING)]
    return ScoreSummary(
        response=response,
        scored=len(each),
        median_error=median(abs(score.error) for score in each),
        worst_error=abs(worst.error),
        worst_at=f"{worst.label}, {worst.convolution}, {worst.policy}",
        inside=sum(score.inside for score in each) / len(each),
    )
