"""The physical law: activation bytes counted from the tensors that PyG's convolutions make, against measurements.

Letters of the formulas: N nodes, E directed edges, L layers of F channels and H heads, M input features, C classes, T
training nodes; float32. K edges of the first block, while S is 0, and of the second one, while S is 1. Of the first
layer's first block, which is cut by its features, Q are the edges and P the nodes that they end at; of its second one U
and V, and W are all nodes if there is one. No layer keeps a random state; older code kept 5,056 bytes in each
recomputed one.

`closed_forms.csv` has one sum per row. If a series has several, the largest applies, since the peak may fall on
different instants. Kept for the backward pass: each layer's output per node, for the next layer's weights (4 L F N);
the class shares of each training node; in SAGE each mean, for its weights, and the number of neighbours in it, except
in the first layer (4 L N - 4 N). The peak adds the head's gradients (4 C F + 4 C + 8), an attention layer's bias (4 F),
and the messages: in GCN, where each node's self-loop is an edge, the gathered and the weighted ones. With wide features
the peak is SAGE's first messages with their sums and means, while nothing else is kept (8 M N + 4 N + 4 M E). The sums
of the first block live while the second block is computed.
"""

import csv
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from operator import itemgetter
from pathlib import Path

import numpy as np

from gnn_checkpointing.analysis.fitting import answering
from gnn_checkpointing.analysis.laws.fit import FittedForm
from gnn_checkpointing.analysis.laws.series import Series
from gnn_checkpointing.analysis.results import AnalyticCount, ClosedForm, PredictiveLaw, Response
from gnn_checkpointing.analysis.table import Row, by_series, drawn, grouped

_BYTES: tuple[Response, ...] = ("activation_bytes", "saved_activation_bytes")

with Path(__file__).with_name("closed_forms.csv").open(encoding="utf-8", newline="") as _stream:
    _rows = grouped(csv.DictReader(_stream), itemgetter("convolution", "policy", "response"))
FORMS: dict[tuple[str, str, str], list[str]] = {key: [one["formula"] for one in own] for key, own in _rows.items()}
"""The sums by series, policy and response; the largest one applies."""

# Bytes per edge, for more convolutions: kept, at the peak, and at the peak when whole layers are checkpointed.
# Per layer, autograd keeps nothing for GCN and SAGE: the weight of a message needs no gradient, and a sum needs none of
# its inputs. SAGE-max keeps the messages, for the gradient of the maximum, except in the first layer, whose messages
# come from features that need no gradient. GAT keeps the message and per head its logit, exponential, denominator and
# share. GATv2 keeps x_j, the sum of both ends, its leaky ReLU, and per head the last three. EdgeConv keeps both ends
# concatenated, the hidden values, and the messages. The peak adds the working memory of one layer: GCN's gathered and
# weighted messages; SAGE's gathered messages and a one to count each; with attention three gradients of the messages
# and one of the heads; with a maximum five gradients and a mask of one byte. A checkpointed layer keeps all of its own
# tensors while it is differentiated.
_PER_EDGE = {
    "GCN": ("0", "8 F", "8 F"),
    "SAGE": ("0", "4 F + 4", "4 F + 4"),
    "SAGE-max": ("4 L F - 4 F", "4 L F + 17 F", "25 F"),
    "GAT": ("4 L F + 16 L H", "4 L F + 16 L H + 12 F + 4 H", "16 F + 16 H"),
    "GATv2": ("12 L F + 12 L H", "12 L F + 12 L H + 12 F + 4 H", "24 F + 12 H"),
    "EdgeConv": ("16 L F", "16 L F + 21 F", "37 F"),
}


def counted(convolution: str, policy: str, response: Response) -> str | None:
    """Bytes per additional edge, as a formula; None where it was not counted.

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


def closed_forms(rows: Sequence[Row], laws: Sequence[PredictiveLaw]) -> list[ClosedForm]:
    """Every closed form compared with the cells that it covers and, where one was chosen, with the fitted law."""
    counting = [row for row in drawn(rows) if row.training_nodes and row.num_classes]
    fitted = {(law.convolution, law.policy, law.response): law for law in laws}
    found = []
    for (convolution, policy), cells in by_series(counting):
        for response in _BYTES:
            series = Series(answering(cells, response), response)
            forms = FORMS.get((convolution, policy, response), [])
            if not forms or not series.rows:
                continue
            counts = np.array([largest_of(forms, row) for row in series.rows])
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


def largest_of(forms: Sequence[str], row: Row) -> float:
    """The largest of the sums, while a layer computes its first block and while it computes its second one."""
    sizes = _sizes(row)
    left = sizes["E"] + sizes["N"] * row.convolution.startswith("GCN") - sizes["K"]
    instants = [sizes] if left <= 0 else [sizes, sizes | {"K": min(sizes["K"], left), "S": 1.0}]
    return max(value(form, instant) for form in forms for instant in instants)


def _sizes(row: Row) -> dict[str, float]:
    """The letters of a row; blocks of its first layer are taken to be those of a hidden one.

    So they are where there are as many features as channels, and with fewer the first layer has no peak.
    """
    edges = row.num_edges + row.num_nodes * row.convolution.startswith("GCN")  # where each self-loop is an edge
    first = min(edges, row.edges_at_once or edges)
    second = min(first, edges - first)
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
        "Q": first,
        "P": row.num_nodes * first / max(edges, 1),
        "U": second,
        "V": row.num_nodes * second / max(edges, 1),
        "W": row.num_nodes * (second > 0),
        "S": 0.0,
    }


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
