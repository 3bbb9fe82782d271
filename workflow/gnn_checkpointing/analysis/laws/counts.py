"""The physical law: activation bytes counted from the tensors that PyG's convolutions make, beside what was measured.

Letters of the formulas: N nodes, E directed edges, L layers of F channels and H heads, M input features, C classes, T
training nodes; float32. R: the random state that a recomputed layer keeps, 5,056 bytes; later code keeps none. K edges
of the largest block, and S is 1 where a layer fills two blocks or more, else 0.

`closed_forms.csv` has a sum per row; where a series has several, one instant or another is the peak: the largest. Kept
are of a node each layer's output, for the next layer's weights (4 L F N), of a training node its class shares, and by
SAGE each mean for its weights and, of all layers but the first, how many neighbours went into it (4 L N - 4 N). At the
peak live the head's gradients (4 C F + 4 C + 8), beside them an attention layer's bias (4 F), and the messages: of GCN,
whose self-loops are edges of each node, the gathered and the weighted ones. Where features are wide, SAGE's first
messages, their sums and means are the peak, while nothing else is kept (8 M N + 4 N + 4 M E). Beside the second full
block live the sums of the first. Peaks of blocks hold for the code that keeps no random state (`never`).
"""

import csv
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import numpy as np

from gnn_checkpointing.analysis.fitting import answering
from gnn_checkpointing.analysis.laws.fit import FittedForm
from gnn_checkpointing.analysis.laws.series import Series
from gnn_checkpointing.analysis.results import AnalyticCount, ClosedForm, PredictiveLaw, Response
from gnn_checkpointing.analysis.table import Row, by_series, drawn, grouped

_STATE = 5056
_BYTES: tuple[Response, ...] = ("activation_bytes", "saved_activation_bytes")
Forms = dict[tuple[str, str, Response], tuple[str, ...]]


def _forms(random_state_kept: str) -> Forms:
    with Path(__file__).with_name("closed_forms.csv").open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["random_state_kept"] == random_state_kept]
    found: Forms = {}
    for row in rows:
        key = (row["convolution"], row["policy"], cast("Response", row["response"]))
        found[key] = (*found.get(key, ()), row["formula"])
    return found


FORMS, BLOCK_FORMS = _forms(""), _forms("never")
"""By series, policy and response: the largest of these sums."""

# The same of one edge, for more convolutions: kept, at the peak, and at the peak where whole layers are checkpointed.
# Autograd keeps in every layer of GCN and SAGE nothing, since the weight of a message needs no gradient and a sum needs
# none of its inputs. SAGE-max: the messages, for the gradient of the maximum; those of the first layer come from
# features, which need none. GAT: the message, and of each head its logit, exponential, denominator and share. GATv2:
# x_j, the sum of both ends, its leaky ReLU, and of each head the last three. EdgeConv: both ends side by side, the
# hidden values, the messages. Beside that lives at the peak what one layer works with: the gathered and the weighted
# messages of GCN, the gathered ones of SAGE with a one to count them, three gradients of the messages with one of the
# heads under attention, five and a mask of a byte under a maximum. A whole layer keeps all of its own while it is
# differentiated.
_PER_EDGE = {
    "GCN": ("0", "8 F", "8 F"),
    "SAGE": ("0", "4 F + 4", "4 F + 4"),
    "SAGE-max": ("4 L F - 4 F", "4 L F + 17 F", "25 F"),
    "GAT": ("4 L F + 16 L H", "4 L F + 16 L H + 12 F + 4 H", "16 F + 16 H"),
    "GATv2": ("12 L F + 12 L H", "12 L F + 12 L H + 12 F + 4 H", "24 F + 12 H"),
    "EdgeConv": ("16 L F", "16 L F + 21 F", "37 F"),
}


def counted(convolution: str, policy: str, response: Response) -> str | None:
    """What one more edge costs, as a formula; None where it was not counted.

    Generated kernels keep what their compiler chooses, and a sparse product makes no messages: neither is counted.
    """
    if convolution not in _PER_EDGE:
        return None
    kept, peak, one_layer = _PER_EDGE[convolution]
    saved = response == "saved_activation_bytes"
    per_policy = {"none": kept if saved else peak, "layers": "0" if saved else one_layer}
    return {**per_policy, "edge_blocks": "0", "layers+edge_blocks": "0"}.get(policy)


def terms(formula: str) -> list[tuple[float, list[str]]]:
    """The terms of a sum of products, such as "4 L F N - 4 F N", each a number and letters."""
    split = (term.split() for term in formula.replace("- ", "+ -").split("+ "))
    return [(float(number), letters) for number, *letters in split]


def value(formula: str, sizes: Mapping[str, float]) -> float:
    """The value of a sum of products."""
    return sum(number * math.prod(sizes[letter] for letter in letters) for number, letters in terms(formula))


def with_state(formula: str, state: int) -> str:
    """The formula with R in figures, or without its terms where no random state is kept."""
    if state:
        return formula.replace("R", str(state))
    signed = formula.replace("- ", "+ -").split(" + ")
    return " + ".join(term for term in signed if "R" not in term).replace("+ -", "- ")


def closed_forms(rows: Sequence[Row], laws: Sequence[PredictiveLaw]) -> list[ClosedForm]:
    """Every closed form beside the cells that it counts, and the fitted law's error where one was chosen."""
    counting = [row for row in drawn(rows) if row.training_nodes and row.num_classes]
    state = _random_state(counting)
    known = FORMS if state else {**FORMS, **BLOCK_FORMS}
    fitted = {(law.convolution, law.policy, law.response): law for law in laws}
    found = []
    for (convolution, policy), cells in by_series(counting):
        for response in _BYTES:
            series = Series(answering(cells, response), response)
            forms = [with_state(form, state) for form in known.get((convolution, policy, response), ())]
            if not forms or not series.rows:
                continue
            counts = np.array([max(value(form, _sizes(row)) for form in forms) for row in series.rows])
            by_graph = {one.graph: one.fitted for law in [fitted.get(series.key)] if law for one in law.residuals}
            by_law = np.array([by_graph.get(row.graph, np.nan) for row in series.rows])
            compared = {
                "formula": forms[0] if len(forms) == 1 else f"the largest of {'; '.join(forms)}",
                "cells": len(series.rows),
                "exact_cells": int((counts == series.values).sum()),
                "worst_error": float((np.abs(counts - series.values) / series.values).max()),
                "law_error": float(np.nanmax(np.abs(by_law - counts) / counts)) if by_graph else None,
            }
            found.append(ClosedForm.model_validate({**series.about, **compared}))
    return found


def _sizes(row: Row) -> dict[str, float]:
    return {
        "N": row.num_nodes,
        "E": row.num_edges,
        "L": row.num_layers,
        "F": row.hidden_channels,
        "H": row.heads,
        "M": row.num_features,
        "C": row.num_classes or 0,
        "T": row.training_nodes or 0,
        "K": row.edges_at_once or 0,
        "S": float(row.num_edges >= 2 * (row.edges_at_once or row.num_edges)),
    }


def _random_state(rows: Sequence[Row]) -> int:
    """What a recomputed layer kept of the random numbers when these cells were measured, in bytes: all or nothing."""
    for row in rows:
        forms = FORMS.get((row.convolution, "layers", "saved_activation_bytes"))
        if forms is not None and row.policy == "layers":
            with_none = value(with_state(forms[0], 0), _sizes(row))
            return _STATE if row.saved_activation_bytes - with_none == _STATE * row.num_layers else 0
    return 0


def analytic(series: Series, law: FittedForm) -> AnalyticCount | None:
    """The three slopes between the two densest levels of the largest graphs that have two; None where none have."""
    levels = [(row.num_nodes, row.degree) for row in series.rows]
    places = grouped(range(len(levels)), levels.__getitem__)
    sizes = Counter(nodes for nodes, _ in places)
    nodes = max((nodes for nodes, count in sizes.items() if count > 1), default=None)
    if nodes is None:
        return None
    ends = [rows for (size, _), rows in sorted(places.items()) if size == nodes][-2:]
    edges, measured, by_law = (
        [float(each[end].mean()) for end in ends] for each in (series.sizes.edges, series.values, law.at(series.sizes))
    )
    formula = counted(*series.key)
    slopes = {
        "num_nodes": nodes,
        "measured": float(np.diff(measured)[0] / np.diff(edges)[0]),
        "law": float(np.diff(by_law)[0] / np.diff(edges)[0]),
        "counted": None if formula is None else value(formula, _sizes(series.rows[0])),
        "formula": formula or "",
    }
    return AnalyticCount.model_validate({**series.about, **slopes})
