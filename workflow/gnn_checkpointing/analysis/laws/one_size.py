"""Laws in the edges alone, for series whose graphs all have one number of nodes. They serve planning only."""

from collections.abc import Sequence

import numpy as np

from gnn_checkpointing.analysis.fitting import WEIGHTS, answering
from gnn_checkpointing.analysis.laws.fit import APART, relative_terms
from gnn_checkpointing.analysis.laws.series import Form, Series, matrix
from gnn_checkpointing.analysis.results import PredictiveLaw, ResidentLaw, Response
from gnn_checkpointing.analysis.rounding import Floats, first_least, rank
from gnn_checkpointing.analysis.table import Row, by_series, drawn

_LEAST_LEVELS = 3
_WEIGHT_BYTES = 4
_EQUAL = 1e-6
"""Errors that differ by less are equal."""

_FORMS = {
    "additive": Form(("nodes", "edges")),
    "blocks": Form(("nodes", "edges_at_once")),
    "several_blocks": Form(("nodes", "nodes_with_blocks", "edges_at_once")),
}
"""The last one is for bytes alone."""


def one_size_laws(measured: Sequence[Row]) -> tuple[list[PredictiveLaw], list[ResidentLaw]]:
    """The laws of all such series: of each response, and of the bytes that are resident before a step.

    Costs that all graphs share are charged to the nodes, except the bytes of parameters, and the half-width of an
    interval is the worst error on a held-out level.
    """
    laws: list[PredictiveLaw] = []
    resident: list[ResidentLaw] = []
    for (convolution, policy), cells in by_series(drawn(measured)):
        series = [one for response in WEIGHTS if (one := one_size_series(cells, response)) is not None]
        if found := [law for one in series if (law := _law(one)) is not None]:
            laws += found
            weights = float(_WEIGHT_BYTES * (cells[0].parameters or 0))
            before = np.array([row.resident_bytes - weights for row in cells])
            columns = np.array([(row.num_nodes, row.num_edges) for row in cells], dtype=np.float64)
            node, edge = relative_terms(columns, before, before).tolist()
            resident.append(
                ResidentLaw(convolution=convolution, policy=policy, constant=weights, per_node=node, per_edge=edge)
            )
    return laws, resident


def one_size_series(cells: Sequence[Row], response: Response) -> Series | None:
    """The cells with the response, if all graphs have one number of nodes and of features and edges suffice."""
    having = answering(cells, response)
    sizes, levels = ({(row.num_nodes, row.num_features) for row in cells}, {row.num_edges for row in having})
    return Series(having, response) if len(sizes) == 1 and len(levels) >= _LEAST_LEVELS else None


def _law(series: Series) -> PredictiveLaw | None:
    """The law whose error on held-out levels is smallest; None if no level can be held out."""
    sizes, values = series.sizes, series.values
    forms = list(_FORMS)[: 1 if sizes.at_once is None else 2 if series.response == "step_time_seconds" else 3]
    errors = [max(one_size_errors(series, form), default=np.inf) for form in forms]
    if not np.isfinite(min(errors)):
        return None
    place = first_least(errors, nothing=_EQUAL)
    columns = matrix(_FORMS[forms[place]], sizes)
    terms = relative_terms(columns, values, values)
    pieces = [dict(zip(_FORMS[forms[place]].columns, terms.tolist(), strict=True))]
    return series.law(forms[place], pieces, None, columns @ terms, errors[place])


def one_size_errors(series: Series, form: str = "additive") -> list[float]:
    """The worst error on each level that is left out of the fit; levels that it needs stay in."""
    columns, values, errors = matrix(_FORMS[form], series.sizes), series.values, []
    for level in np.unique(series.sizes.edges):
        out = series.sizes.edges == level
        if rank(columns[~out], APART) == columns.shape[1]:
            expected: Floats = columns[out] @ relative_terms(columns[~out], values[~out], values[~out])
            errors.append(float(np.abs(expected / values[out] - 1).max()))
    return errors
