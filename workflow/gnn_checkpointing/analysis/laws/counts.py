"""The physical law: activation bytes counted from the tensors that PyG's convolutions make, beside what was measured.

Letters of the formulas: N nodes, E directed edges, L layers of F channels and H heads, M input features, C classes, T
training nodes; float32. R: the random state that a recomputed layer keeps, 5,056 bytes; later code keeps none. K edges
of the largest block, and S is 1 where a layer fills two blocks or more, else 0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from gnn_checkpointing.analysis.laws.fit import FittedForm
from gnn_checkpointing.analysis.laws.series import Series
from gnn_checkpointing.analysis.results import AnalyticCount, ClosedForm, PredictiveLaw, Response
from gnn_checkpointing.analysis.support import answering
from gnn_checkpointing.analysis.table import Row, by_series, drawn

# Of a node each layer's output is kept, for the next layer's weights, and of a training node its class shares.
_BASE = "4 L F N + 4 C T + 8"
_LAYERS = f"{_BASE} + R L"
_STATE = 5056
# The head's gradients, and beside them an attention layer's bias.
_HEAD, _BIAS = "4 C F + 4 C + 8", "4 F"
# SAGE keeps each mean for its weights, and of all layers but the first how many neighbours went into it.
_MEANS = "4 M N + 4 L F N - 4 F N"
_COUNTS = "4 L N - 4 N"
# Where features are wide, the first layer's messages, their sums and means are the peak, while nothing else is kept.
_WIDE = "8 M N + 4 N + 4 M E"
_SAGE = f"4 L F N + {_MEANS} + {_COUNTS}"

_BYTES: tuple[Response, ...] = ("activation_bytes", "saved_activation_bytes")
Forms = Mapping[tuple[str, str, Response], tuple[str, ...]]

FORMS: Forms = {
    ("GCN", "none", "saved_activation_bytes"): (_BASE,),
    ("GCN", "layers", "saved_activation_bytes"): (_LAYERS,),
    ("GCN", "edge_blocks", "saved_activation_bytes"): (_BASE,),
    # Self-loops are edges of each node. Gathered and weighted messages live side by side.
    ("GCN", "none", "activation_bytes"): ("4 L F N + 4 F N + 8 F E + 8 F N",),
    ("GCN", "layers", "activation_bytes"): (f"4 L F N + 8 F N + 8 F E + 8 F N + R L + R + {_HEAD}",),
    ("GCN (spmm)", "none", "saved_activation_bytes"): (_BASE,),
    ("GCN (spmm)", "layers", "saved_activation_bytes"): (_LAYERS,),
    ("SAGE", "none", "saved_activation_bytes"): (f"{_BASE} + {_MEANS} + {_COUNTS}",),
    ("SAGE", "layers", "saved_activation_bytes"): (_LAYERS,),
    ("SAGE", "edge_blocks", "saved_activation_bytes"): (f"{_BASE} + {_MEANS}",),
    # One instant or another is the peak: the last layer's mean, its gradients, or the messages beside their counts.
    ("SAGE", "none", "activation_bytes"): (
        f"{_SAGE} + 4 F E",
        f"{_SAGE} - 4 N + 4 F E + 8 F F + {_HEAD} + {_BIAS}",
        f"{_SAGE} - 8 F N + 4 F E + 4 E",
        _WIDE,
    ),
    ("SAGE", "layers", "activation_bytes"): (
        f"4 L F N + 8 F N + 4 N + 4 F E + R L + R + {_HEAD}",
        f"4 L F N + 4 N + 4 F E + 4 E + R L + R + {_HEAD}",
        f"{_WIDE} + 4 F N + R L - R + 8 L F F - 8 F F + 4 L F - 4 F + {_HEAD}",
    ),
    ("GAT", "none", "saved_activation_bytes"): (f"{_BASE} + 4 L F N + 4 L F E + 16 L H E",),
    ("GAT", "layers", "saved_activation_bytes"): (_LAYERS,),
    ("GAT", "edge_blocks", "saved_activation_bytes"): (_BASE,),
    ("GAT", "fused_edge_blocks", "saved_activation_bytes"): (f"{_BASE} + 4 L H N",),
    ("GAT", "none", "activation_bytes"): (
        f"8 L F N - 4 F N + 4 L F E + 16 L H E + 12 F E + 4 H E + {_HEAD} + {_BIAS}",
    ),
    ("GAT", "layers", "activation_bytes"): (f"4 L F N + 16 F E + 16 H E + R L + {_HEAD} + {_BIAS}",),
    ("GATv2", "none", "saved_activation_bytes"): (f"{_BASE} + 12 L F E + 12 L H E",),
    ("GATv2", "layers", "saved_activation_bytes"): (_LAYERS,),
    ("GATv2", "edge_blocks", "saved_activation_bytes"): (_BASE,),
    ("GATv2", "fused_edge_blocks", "saved_activation_bytes"): (f"{_BASE} + 4 L H N",),
    ("GATv2", "none", "activation_bytes"): (
        f"4 L F N - 4 F N + 12 L F E + 12 L H E + 12 F E + 4 H E + {_HEAD} + {_BIAS}",
    ),
    ("GATv2", "layers", "activation_bytes"): (f"4 L F N - 4 F N + 24 F E + 12 H E + R L + {_HEAD} + {_BIAS}",),
}
"""By series, policy and response: the largest of these sums."""

# Beside the second full block live the sums of the first; SAGE counts the neighbours of one block, or of each.
_BLOCKED_SAGE = f"4 L F N + {_MEANS} + 4 F N + 4 S F N"
BLOCK_FORMS: Forms = {
    ("GCN", "edge_blocks", "activation_bytes"): (f"4 L F N + 4 F N + 4 S F N + 8 F K + 16 K + {_HEAD} + {_BIAS} + 4",),
    ("SAGE", "edge_blocks", "activation_bytes"): (
        f"{_BLOCKED_SAGE} + 4 N - 4 S N + 4 F K + 16 K + 8 F F + {_HEAD} + {_BIAS} + 4",
        f"{_BLOCKED_SAGE} - 4 F N + 4 F K + 16 K + 8 S K + 8 F F + {_HEAD} + {_BIAS}",
    ),
    ("GATv2", "edge_blocks", "activation_bytes"): (
        f"4 L F N + 8 F N + 8 S F N + 24 F K + 12 H K + {_HEAD} + {_BIAS} + 4 + 4 S F",
    ),
}
"""The peaks of blocks, by the code that keeps no random state; earlier code worked through its blocks otherwise."""

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
    counting = [row for row in drawn(rows) if row.training_nodes]
    classes = _classes(counting)
    if classes is None:
        return []
    state = _random_state(counting, classes)
    known = FORMS if state else {**FORMS, **BLOCK_FORMS}
    fitted = {(law.convolution, law.policy, law.response): law for law in laws}
    found = []
    for (convolution, policy), cells in by_series(counting):
        for response in _BYTES:
            forms = tuple(with_state(form, state) for form in known.get((convolution, policy, response), ()))
            answers = answering(cells, response)
            if forms and answers:
                law = fitted.get((convolution, policy, response))
                found.append(_compared(Series(answers, response), forms, classes, law))
    return found


def _compared(series: Series, forms: tuple[str, ...], classes: int, law: PredictiveLaw | None) -> ClosedForm:
    counts = np.array([max(value(form, _sizes(row, classes)) for form in forms) for row in series.rows])
    errors = np.abs(counts - series.values) / series.values
    law_error = None
    if law is not None:
        by_graph = {one.graph: one.fitted for one in law.residuals}
        by_law = np.array([by_graph.get(row.graph, np.nan) for row in series.rows])
        law_error = float(np.nanmax(np.abs(by_law - counts) / counts))
    compared = {
        "formula": forms[0] if len(forms) == 1 else f"the largest of {'; '.join(forms)}",
        "cells": len(series.rows),
        "exact_cells": int((counts == series.values).sum()),
        "worst_error": float(errors.max()),
        "law_error": law_error,
    }
    return ClosedForm.model_validate({**series.about, **compared})


def _sizes(row: Row, classes: float = 0) -> dict[str, float]:
    return {
        "N": row.num_nodes,
        "E": row.num_edges,
        "L": row.num_layers,
        "F": row.hidden_channels,
        "H": row.heads,
        "M": row.num_features,
        "C": classes,
        "T": row.training_nodes or 0,
        "K": row.edges_at_once or 0,
        "S": float(row.num_edges >= 2 * (row.edges_at_once or row.num_edges)),
    }


def _classes(rows: Sequence[Row]) -> int | None:
    """The number of classes, which no column has, from what the first cell keeps for its loss.

    A whole number that is wrong there is wrong in each of the other forms.
    """
    for row in rows:
        forms = FORMS.get((row.convolution, row.policy, "saved_activation_bytes"))
        if forms is not None and row.policy == "none":
            least, more = (value(forms[0], _sizes(row, classes)) for classes in (0, 1))
            return round((row.saved_activation_bytes - least) / (more - least))
    return None


def _random_state(rows: Sequence[Row], classes: int) -> int:
    """What a recomputed layer kept of the random numbers when these cells were measured, in bytes: all or nothing."""
    for row in rows:
        if row.policy == "layers" and (row.convolution, "layers", "saved_activation_bytes") in FORMS:
            kept = row.saved_activation_bytes - value(_BASE, _sizes(row, classes))
            return _STATE if kept == _STATE * row.num_layers else 0
    return 0


def analytic(series: Series, law: FittedForm) -> AnalyticCount | None:
    """The three slopes between the two densest levels of the largest graphs that have two; None where none have."""
    places: dict[tuple[int, float], list[int]] = {}
    for place, row in enumerate(series.rows):
        places.setdefault((row.num_nodes, row.requested_average_degree or 0.0), []).append(place)
    sizes = [nodes for nodes, _ in places]
    nodes = max((nodes for nodes in sizes if sizes.count(nodes) > 1), default=None)
    if nodes is None:
        return None
    ends = [places[one] for one in sorted(places) if one[0] == nodes][-2:]
    edges = [float(series.sizes.edges[end].mean()) for end in ends]
    measured = [float(series.values[end].mean()) for end in ends]
    by_law = [float(law.at(series.sizes.only(end)).mean()) for end in ends]
    formula = counted(*series.key)
    slopes = {
        "num_nodes": nodes,
        "measured": float(np.diff(measured)[0] / np.diff(edges)[0]),
        "law": float(np.diff(by_law)[0] / np.diff(edges)[0]),
        "counted": None if formula is None else value(formula, _sizes(series.rows[0])),
        "formula": formula or "",
    }
    return AnalyticCount.model_validate({**series.about, **slopes})
