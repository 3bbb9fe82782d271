"""A law as a line of text: N nodes, E edges, K edges of the largest block, N₂ nodes where two blocks are full."""

from __future__ import annotations

from gnn_checkpointing.analysis.results import PredictiveLaw, Response
from gnn_checkpointing.report import units
from gnn_checkpointing.sourced import exponential

FORMS = {
    "additive": "additive",
    "blocks": "additive, with blocks",
    "several_blocks": "additive, with several blocks",
    "largest_of_two": "larger of two",
    "largest_of_two_blocks": "larger of two, with blocks",
    "knee": "with a knee",
    "quadratic": "quadratic",
    "power": "power law",
}
RESPONSES: dict[Response, str] = {
    "activation_bytes": "Activation memory",
    "saved_activation_bytes": "Saved activations",
    "step_time_seconds": "Step time",
}
_FACTORS = {
    "constant": "",
    "nodes": "N",
    "edges": "E",
    "edges_at_once": "K",
    "nodes_with_blocks": "N₂",
    "edges_squared": "E²",
    "log_nodes": "N",
    "log_edges": "E",
}


def in_words(law: PredictiveLaw) -> str:
    """Return the law as a formula with units, such as "larger of 1.20 KiB + 400 B·N and 96.0 B·E"."""
    if law.form == "power":
        return _power(law)
    pieces = [_sum(law, piece) for piece in law.pieces if any(piece.values())] or ["0"]
    return pieces[0] if len(pieces) == 1 else f"larger of {pieces[0]} and {pieces[1]}"


def amount(value: float, response: Response) -> str:
    """Return a response's value with its unit."""
    return units.duration(value) if response == "step_time_seconds" else units.size(value)


def _sum(law: PredictiveLaw, piece: dict[str, float]) -> str:
    terms = []
    for name, value in piece.items():
        if value:
            factor = f"(E {units.MINUS} {units.count(law.knee or 0)})₊" if name == "edges_over_knee" else _FACTORS[name]
            terms.append(f"{_slope(value, law.response)}·{factor}" if factor else amount(value, law.response))
    return " + ".join(terms)


def _slope(value: float, response: Response) -> str:
    """Return what one node or edge costs: whole bytes, as they are counted."""
    if response == "step_time_seconds":
        return units.duration(value)
    return f"{units.significant(value, 4 if value >= 1000 else 3)}{units.SPACE}B"


def _power(law: PredictiveLaw) -> str:
    (piece,) = law.pieces
    powers = [
        f"{_FACTORS[name]}^{units.fixed(value, 3)}" for name, value in piece.items() if name != "constant" and value
    ]
    return "·".join([amount(exponential(piece["constant"]), law.response), *powers])
