"""A study's laws split into what grows with layers, channels, heads and features."""

from __future__ import annotations

from collections.abc import Mapping

from gnn_checkpointing.analysis.laws.counts import counted, terms, value
from gnn_checkpointing.analysis.results import PredictiveLaw, ResidentLaw
from gnn_checkpointing.planning.arithmetic import OF_EDGES
from gnn_checkpointing.planning.knowledge import Growth, PlannedLaw, Resident, Sizes
from gnn_checkpointing.study.block_rule import BYTES_PER_VALUE
from gnn_checkpointing.study.convolutions import READS_FEATURES

_COUNT_MET = 1e-3
"""A law's bytes per edge that lie so near the count of tensors are that count, which tells heads apart."""

_MEAN_OF_FEATURES = 4
"""Bytes of a node and feature that SAGE keeps, for the first layer's weights."""

_FIRST_LAYER: Mapping[str, dict[str, Growth]] = {
    "none": {"nodes": Growth(features=8, rest=4), "edges": Growth(features=4)},
    "layers": {"nodes": Growth(features=8, channels=4, rest=4), "edges": Growth(features=4)},
    "edge_blocks": {"nodes": Growth(features=8, rest=4), "edges_at_once": Growth(features=4, rest=16)},
}
"""SAGE's peak where features are wide: messages of the first layer, their sums and means, while little else is kept.

Counted from its tensors; of blocks it is the most, as if one block had all nodes, and beside its features an edge of a
block takes the 16 bytes that the closed forms of blocks count. It holds where the laws are of graphs with fewer
features than channels; others have it in their own terms.
"""

_GROWTHS = {"L F": "layer_channels", "L H": "layer_heads", "F": "channels", "H": "heads", "": "rest"}


def planned_bytes(law: PredictiveLaw, saved: PredictiveLaw | None, measured: Sizes) -> PlannedLaw:
    """The law of the activation peak with each term split into what is kept for backward and the rest.

    What is kept is kept in every layer; the rest is what one layer works with. Where the bytes of an edge meet the
    count of its tensors, that count tells both, heads apart.
    """
    if law.form == "power":
        return planned_seconds(law, measured)
    kept = saved.pieces[0] if saved is not None and len(saved.pieces) == 1 and saved.form != "power" else {}
    pieces = [
        {column: _split(term, kept.get(column, 0.0), measured, law, column) for column, term in piece.items()}
        for piece in law.pieces
    ]
    formula = counted(law.convolution, law.policy, law.response)
    if formula is not None:
        letters = {"L": measured.num_layers, "F": measured.hidden_channels, "H": measured.heads}
        expected = value(formula, letters)
        count = Growth(**{_GROWTHS[" ".join(names)]: number for number, names in terms(formula)})
        for piece, own in zip(pieces, law.pieces, strict=True):
            if "edges" in own and abs(own["edges"] - expected) <= _COUNT_MET * max(expected, 1):
                piece["edges"] = count
    if counts_features(law, measured):
        pieces.append(_FIRST_LAYER[law.policy])
    return _planned(law, pieces)


def planned_seconds(law: PredictiveLaw, measured: Sizes) -> PlannedLaw:
    """The law of the step time, all of which is taken to grow with layers x channels."""
    layers = measured.num_layers * measured.hidden_channels
    if law.form == "power":
        pieces = [{column: Growth(rest=term) for column, term in piece.items()} for piece in law.pieces]
        factor = Growth(layer_channels=1.0 / layers)
        return _planned(law, pieces).model_copy(update={"link": "exponential", "factor": factor})
    return _planned(
        law, [{column: Growth(layer_channels=term / layers) for column, term in piece.items()} for piece in law.pieces]
    )


def _planned(law: PredictiveLaw, pieces: list[dict[str, Growth]]) -> PlannedLaw:
    return PlannedLaw(
        link="sum",
        pieces=pieces,
        factor=Growth(rest=1.0),
        knee=law.knee,
        half_width=law.half_width,
        num_nodes=law.num_nodes,
        num_edges=law.num_edges,
    )


def counts_features(law: PredictiveLaw, measured: Sizes) -> bool:
    """Whether what features take is counted besides the law, whose graphs have too few for it to tell."""
    return (
        law.convolution == "SAGE"
        and law.policy in _FIRST_LAYER
        and measured.num_features <= measured.hidden_channels
        and law.form != "power"
    )


def _split(term: float, kept: float, measured: Sizes, law: PredictiveLaw, column: str) -> Growth:
    keeps_means = counts_features(law, measured) and law.policy != "layers" and column == "nodes" and kept
    features = _MEAN_OF_FEATURES if keeps_means else 0
    width = measured.hidden_channels
    if column in OF_EDGES and base(law.convolution) in READS_FEATURES:
        width = max(width, measured.num_features)
    return Growth(
        layer_channels=(kept - features * measured.num_features) / (measured.num_layers * measured.hidden_channels),
        channels=(term - kept) / width,
        features=features,
    )


def planned_resident(law: ResidentLaw, measured: Sizes) -> Resident:
    """What lives before a step, split into parameters, nodes, features and edges."""
    return Resident(
        parameters=law.constant / (measured.num_layers * measured.hidden_channels**2),
        per_node=law.per_node - BYTES_PER_VALUE * measured.num_features,
        per_feature=BYTES_PER_VALUE,
        per_edge=law.per_edge,
    )


def base(convolution: str) -> str:
    """The convolution of a series, whose name may include the aggregation."""
    return convolution.split(" ")[0]
