"""The physical law: activation bytes in closed form, from counting tensors, beside what was measured.

N nodes, E directed edges, L layers of F channels and H heads, M input features, C classes, T training nodes; float32.
R: the random state that a recomputed layer keeps, 5,056 bytes; later code keeps none. K edges of the largest block, and
S is 1 where a layer fills two blocks or more, else 0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from gnn_checkpointing.analysis.laws.series import Floats
from gnn_checkpointing.analysis.results import ClosedForm, PredictiveLaw, Response
from gnn_checkpointing.analysis.support import answering
from gnn_checkpointing.analysis.table import Row, comparable, grouped

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


def value(formula: str, sizes: Mapping[str, float]) -> float:
    """The value of a sum of products, such as "4 L F N - 4 F N"."""
    signed = formula.replace("- ", "+ -").split("+ ")
    return sum(math.prod(sizes[one] if one in sizes else float(one) for one in term.split()) for term in signed)


def with_state(formula: str, state: int) -> str:
    """The formula with R in figures, or without its terms where no random state is kept."""
    if state:
        return formula.replace("R", str(state))
    terms = formula.replace("- ", "+ -").split(" + ")
    return " + ".join(term for term in terms if "R" not in term).replace("+ -", "- ")


def closed_forms(rows: Sequence[Row], laws: Sequence[PredictiveLaw]) -> list[ClosedForm]:
    """Every closed form beside the cells that it counts, and the fitted law's error where one was chosen."""
    drawn = [row for row in comparable(rows) if row.is_drawn and row.training_nodes]
    classes = _classes(drawn)
    if classes is None:
        return []
    state = _random_state(drawn, classes)
    known = FORMS if state else {**FORMS, **BLOCK_FORMS}
    fitted = {(law.convolution, law.policy, law.response): law for law in laws}
    found = []
    for (convolution, policy), cells in grouped(drawn, lambda row: (row.convolution, row.policy)):
        for response in _BYTES:
            forms = tuple(with_state(form, state) for form in known.get((convolution, policy, response), ()))
            answers = answering(cells, response)
            if forms and answers:
                law = fitted.get((convolution, policy, response))
                found.append(_compared(answers, response, forms, classes, law))
    return found


def _compared(
    cells: Sequence[Row], response: str, forms: tuple[str, ...], classes: int, law: PredictiveLaw | None
) -> ClosedForm:
    measured: Floats = np.array([float(getattr(row, response)) for row in cells])
    counted: Floats = np.array([max(value(form, _sizes(row, classes)) for form in forms) for row in cells])
    errors = np.abs(counted - measured) / measured
    fitted = None
    if law is not None:
        by_graph = {one.graph: one.fitted for one in law.residuals}
        told = np.array([by_graph.get(row.graph, np.nan) for row in cells])
        fitted = float(np.nanmax(np.abs(told - counted) / counted))
    return ClosedForm.model_validate(
        {
            "convolution": cells[0].convolution,
            "policy": cells[0].policy,
            "response": response,
            "formula": forms[0] if len(forms) == 1 else f"the largest of {'; '.join(forms)}",
            "cells": len(cells),
            "exact_cells": int((counted == measured).sum()),
            "worst_error": float(errors.max()),
            "law_error": fitted,
        }
    )


def _sizes(row: Row, classes: float) -> dict[str, float]:
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
