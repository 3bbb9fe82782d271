"""Cells that ran out of memory or time are known to lie above a limit: does their law say so?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from gnn_checkpointing.analysis.laws.capacity import resident_at
from gnn_checkpointing.analysis.laws.fit import FittedForm
from gnn_checkpointing.analysis.laws.series import FORMS, Floats, Sizes
from gnn_checkpointing.analysis.results import Censored, Response
from gnn_checkpointing.analysis.table import series
from gnn_checkpointing.records.measurements_table import Value

Laws = Mapping[tuple[str, str, Response], FittedForm]
_ENDED = ("out_of_memory", "timed_out")


def censored(
    rows: Sequence[Mapping[str, Value]],
    laws: Laws,
    resident: Mapping[tuple[str, str], Floats],
    features: int | None,
    timeout_seconds: float,
) -> list[Censored]:
    """Every cell x policy that hit a limit, beside what its law says.

    Memory: the limit counts all that the step needs, so the law of what is resident is added; time: the limit is how
    long a policy may be silent, which one step must not reach.
    """
    found = [row for row in rows if row["outcome"] in _ENDED and not row["other_model"]]
    ordered = sorted(found, key=lambda row: (str(row["cell"]), str(row["policy"])))
    return [_one(row, laws, resident, features, timeout_seconds) for row in ordered]


def _one(
    row: Mapping[str, Value],
    laws: Laws,
    resident: Mapping[tuple[str, str], Floats],
    features: int | None,
    timeout_seconds: float,
) -> Censored:
    in_memory = row["outcome"] == "out_of_memory"
    limit = float(row["memory_limit_bytes"] or 0) if in_memory else timeout_seconds
    predicted, reason = _predicted(row, laws, resident, features, in_memory=in_memory)
    return Censored.model_validate(
        {
            "cell": row["cell"],
            "label": row["graph_label"],
            "convolution": series(row),
            "policy": row["policy"],
            "outcome": row["outcome"],
            "limit": limit,
            "predicted": predicted,
            "foreseen": None if predicted is None else predicted >= limit,
            "reason": reason,
        }
    )


def _predicted(
    row: Mapping[str, Value],
    laws: Laws,
    resident: Mapping[tuple[str, str], Floats],
    features: int | None,
    *,
    in_memory: bool,
) -> tuple[float | None, str]:
    key = (series(row), str(row["policy"]))
    law = laws.get((*key, "activation_bytes" if in_memory else "step_time_seconds"))
    if law is None:
        return None, "no law predicts this convolution and policy: see not_fitted"
    if row["num_features"] != features:
        return None, f"the law knows {features} input features, this graph has {row['num_features']}"
    sizes = _sizes(row)
    if "edges_at_once" in FORMS[law.form].columns and sizes.at_once is None:
        return None, "how large the policy's blocks would have been is not on record"
    value = float(law.at(sizes)[0])
    return value + float(resident_at(resident[key], sizes)[0]) if in_memory else value, ""


def _sizes(row: Mapping[str, Value]) -> Sizes:
    at_once = row["edges_at_once"]
    return Sizes(
        nodes=np.array([float(row["num_nodes"] or 0)]),
        edges=np.array([float(row["num_edges"] or 0)]),
        at_once=None if at_once is None else np.array([float(at_once)]),
    )
