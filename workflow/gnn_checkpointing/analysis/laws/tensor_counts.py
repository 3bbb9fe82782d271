"""Bytes that one edge costs, counted from the tensors that PyG's gather-scatter convolutions make of it."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields

import numpy as np

from gnn_checkpointing.analysis.laws.fit import FittedForm
from gnn_checkpointing.analysis.laws.series import Series
from gnn_checkpointing.analysis.results import AnalyticCount, Response


@dataclass(frozen=True)
class Count:
    """Bytes of an edge: so many for each layer x channel, layer x head, channel and head, and some besides.

    Values are float32, 4 bytes; the mask of a maximum is 1 byte.
    """

    layer_channels: int = 0
    layer_heads: int = 0
    channels: int = 0
    heads: int = 0
    besides: int = 0

    def __add__(self, other: Count) -> Count:
        """What lives where both do."""
        return Count(*(one + two for one, two in zip(astuple(self), astuple(other), strict=True)))

    def bytes(self, num_layers: int, channels: int, heads: int) -> int:
        """The bytes of one edge in a stack of such layers."""
        each = (num_layers * channels, num_layers * heads, channels, heads, 1)
        return sum(share * count for share, count in zip(astuple(self), each, strict=True))

    @property
    def words(self) -> str:
        """The count as a formula in layers L, channels F and heads H."""
        names = dict(zip((field.name for field in fields(self)), (" L F", " L H", " F", " H", ""), strict=True))
        terms = [f"{getattr(self, name)}{unit}" for name, unit in names.items() if getattr(self, name)]
        return " + ".join(terms).replace("+ -", "- ") or "0"


# What autograd keeps of an edge in every layer. GCN and SAGE: nothing, since the weight of a message needs no gradient
# and a sum needs none of its inputs. SAGE-max: the messages, for the maximum's gradient; the first layer's come from
# features, which need no gradient. GAT: the message, and of each head its logit, exponential, denominator and share.
# GATv2: x_j, the sum of both ends, its leaky ReLU, and of each head the last three. EdgeConv: both ends side by side,
# the hidden values, the messages.
_KEPT = {
    "GCN": Count(),
    "SAGE": Count(),
    "SAGE-max": Count(layer_channels=4, channels=-4),
    "GAT": Count(layer_channels=4, layer_heads=16),
    "GATv2": Count(layer_channels=12, layer_heads=12),
    "EdgeConv": Count(layer_channels=16),
}
# What lives beside that at the peak, in one layer: the gathered and the weighted messages of GCN, the gathered ones of
# SAGE with a one to count them, three gradients of the messages with one of the heads under attention, five and a mask
# under a maximum.
_WORKED = {
    "GCN": Count(channels=8),
    "SAGE": Count(channels=4, besides=4),
    "SAGE-max": Count(channels=21),
    "GAT": Count(channels=12, heads=4),
    "GATv2": Count(channels=12, heads=4),
    "EdgeConv": Count(channels=21),
}
# The peak where whole layers are checkpointed: what one layer keeps while it is differentiated, and its gradients.
_ONE_LAYER = {
    "GCN": Count(channels=8),
    "SAGE": Count(channels=4, besides=4),
    "SAGE-max": Count(channels=25),
    "GAT": Count(channels=16, heads=16),
    "GATv2": Count(channels=24, heads=12),
    "EdgeConv": Count(channels=37),
}
_BLOCKED = ("edge_blocks", "layers+edge_blocks")


def counted(convolution: str, policy: str, response: Response) -> Count | None:
    """What one more edge costs; None where nobody counted.

    Generated kernels keep what their compiler chooses, and a sparse product makes no messages: neither is counted.
    """
    if convolution not in _KEPT:
        return None
    if policy in _BLOCKED:
        return Count()
    if policy == "layers":
        return Count() if response == "saved_activation_bytes" else _ONE_LAYER[convolution]
    if policy != "none":
        return None
    kept = _KEPT[convolution]
    return kept if response == "saved_activation_bytes" else kept + _WORKED[convolution]


def analytic(series: Series, law: FittedForm) -> AnalyticCount | None:
    """The three slopes between the two densest levels of the largest graphs that have two; None where none have."""
    levels_of: dict[int, set[float]] = {}
    for row in series.rows:
        levels_of.setdefault(row.num_nodes, set()).add(row.requested_average_degree or 0.0)
    nodes = max((nodes for nodes, levels in levels_of.items() if len(levels) > 1), default=None)
    if nodes is None:
        return None
    levels = sorted(levels_of[nodes])
    ends = [_at_level(series, nodes, level) for level in levels[-2:]]
    edges = [float(series.sizes.edges[end].mean()) for end in ends]
    measured = [float(series.values[end].mean()) for end in ends]
    by_law = [float(law.at(series.sizes.only(end)).mean()) for end in ends]
    row = series.rows[0]
    count = counted(series.convolution, series.policy, series.response)
    return AnalyticCount(
        convolution=series.convolution,
        policy=series.policy,
        response=series.response,
        num_nodes=nodes,
        measured=float(np.diff(measured)[0] / np.diff(edges)[0]),
        law=float(np.diff(by_law)[0] / np.diff(edges)[0]),
        counted=None if count is None else float(count.bytes(row.num_layers, row.hidden_channels, row.heads)),
        formula="" if count is None else count.words,
    )


def _at_level(series: Series, nodes: int, level: float) -> list[int]:
    return [
        place
        for place, row in enumerate(series.rows)
        if row.num_nodes == nodes and row.requested_average_degree == level
    ]
