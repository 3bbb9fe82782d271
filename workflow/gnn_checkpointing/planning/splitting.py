"""Laws as a planner's: split into what grows with layers, channels, heads and features."""

from collections.abc import Mapping, Sequence

from gnn_checkpointing.analysis.laws.counts import FORMS, counted, terms
from gnn_checkpointing.analysis.laws.counts import value as value_of
from gnn_checkpointing.analysis.results import ClosedForm, PredictiveLaw, Response
from gnn_checkpointing.planning.arithmetic import OF_EDGES, grown, longest_segment
from gnn_checkpointing.planning.counted import GROWTHS, counted_pieces
from gnn_checkpointing.planning.knowledge import Growth, PlannedLaw, Sizes
from gnn_checkpointing.study.convolutions import READS_FEATURES
from gnn_checkpointing.study.policy_names import parse_policy

Laws = Mapping[tuple[str, str, Response], PredictiveLaw]

_COUNT_MET = 1e-3
"""If a law's bytes per edge are this near the count of tensors, the count replaces them; it has a term for heads."""

_FORM_MET, _LEAST = 0.01, 0.005
"""Largest error of a closed form against the cells of a study for which it is taken as the law, and the least
half-width of its bytes: degrees decide how full blocks are."""


def base(convolution: str) -> str:
    """The convolution of a series, whose name may include the aggregation."""
    return convolution.split(" ")[0]


def form_of(law: PredictiveLaw, forms: Sequence[ClosedForm]) -> ClosedForm | None:
    """The closed form of the law's series, if the study's cells agree with it."""
    key = law.convolution, law.policy, law.response
    met = (one for one in forms if (one.convolution, one.policy, one.response) == key)
    return next((one for one in met if one.worst_error <= _FORM_MET), None)


def planned_bytes(
    law: PredictiveLaw, laws: Laws, forms: Sequence[ClosedForm], measured: Sizes, classes: int
) -> PlannedLaw:
    """The law of the activation peak: the closed form if there is one, or the fitted law with each term split.

    What is kept for the backward pass arises in every layer; the rest is the working memory of one layer. If the bytes
    per edge agree with the count of the edge's tensors, that count replaces both parts, with its own term for heads. A
    segment keeps its input, however many layers it has, and works with what `none` keeps of each of its layers.
    """
    if (form := form_of(law, forms)) is not None:
        pieces = counted_pieces(FORMS[law.convolution, law.policy, law.response], measured, classes)
        return _planned(law, pieces).model_copy(update={"half_width": max(form.worst_error, _LEAST), "knee": None})
    if law.form == "power":
        return _power(law, measured)
    saved = laws.get((law.convolution, law.policy, "saved_activation_bytes"))
    kept = saved.pieces[0] if saved is not None and len(saved.pieces) == 1 and saved.form != "power" else {}
    stored: dict[str, Growth] = {}
    if parse_policy(law.policy).kind == "segments":
        none = laws.get((law.convolution, "none", "activation_bytes"))
        kept = {}
        if none is not None and none.form != "power":
            stored = planned_bytes(none, laws, forms, measured, classes).pieces[0]
    pieces = [
        {
            column: _split(term, kept.get(column, 0.0), stored.get(column, Growth()), measured, law, column)
            for column, term in piece.items()
        }
        for piece in law.pieces
    ]
    formula = counted(law.convolution, law.policy, law.response)
    if formula is not None:
        expected = value_of(formula, {"L": measured.num_layers, "F": measured.hidden_channels, "H": measured.heads})
        count = Growth(**{GROWTHS[" ".join(names)]: number for number, names in terms(formula)})
        for piece, own in zip(pieces, law.pieces, strict=True):
            if "edges" in own and abs(own["edges"] - expected) <= _COUNT_MET * max(expected, 1):
                piece["edges"] = count
    return _planned(law, pieces)


def planned_seconds(law: PredictiveLaw, none: PredictiveLaw | None, measured: Sizes) -> PlannedLaw:
    """The law of the step time: work grows with layers x channels, and the overhead of operators with layers.

    Overhead is what a step takes whatever the graph. Where all graphs have one size, the law charges it to the nodes:
    then it is what the policy takes for the nodes beyond `none`.
    """
    if law.form == "power":
        return _power(law, measured)
    layers, values = measured.num_layers, measured.num_layers * measured.hidden_channels
    pieces = []
    for piece in law.pieces:
        work = dict(piece)
        overhead = work.pop("constant", 0.0)
        same = none is not None and law.num_nodes == none.num_nodes and law.num_nodes[0] == law.num_nodes[1]
        if none is not None and same and "constant" not in piece and "nodes" in none.pieces[0]:
            work["nodes"] = min(piece["nodes"], none.pieces[0]["nodes"])
            overhead = (piece["nodes"] - work["nodes"]) * law.num_nodes[0]
        planned = {column: Growth(layer_channels=term / values) for column, term in work.items()}
        pieces.append({"constant": Growth(layers=overhead / layers), **planned})
    return _planned(law, pieces)


def _power(law: PredictiveLaw, measured: Sizes) -> PlannedLaw:
    pieces = [{column: Growth(rest=term) for column, term in piece.items()} for piece in law.pieces]
    share = Growth(layer_channels=1.0 / (measured.num_layers * measured.hidden_channels))
    return _planned(law, pieces).model_copy(update={"link": "exponential", "factor": share})


def _planned(law: PredictiveLaw, pieces: list[dict[str, Growth]]) -> PlannedLaw:
    same = {name: getattr(law, name) for name in ("knee", "half_width", "num_nodes", "num_edges")}
    return PlannedLaw(link="sum", pieces=pieces, factor=Growth(rest=1.0), **same)


def _split(term: float, kept: float, stored: Growth, measured: Sizes, law: PredictiveLaw, column: str) -> Growth:
    more = Growth(segment_channels=stored.layer_channels, segment_heads=stored.layer_heads)
    rest = term - kept - grown(more, measured, 0, longest_segment(law.policy, measured.num_layers))
    width = measured.hidden_channels
    if column in OF_EDGES and base(law.convolution) in READS_FEATURES:
        width = max(width, measured.num_features)
    return Growth(
        layer_channels=kept / (measured.num_layers * measured.hidden_channels),
        channels=rest / width,
        segment_channels=more.segment_channels,
        segment_heads=more.segment_heads,
    )
