"""Closed forms as a planner's laws: each term by the column of the graph that it counts and the sizes it grows with."""

from collections.abc import Sequence

from gnn_checkpointing.analysis.laws.counts import terms
from gnn_checkpointing.planning.knowledge import Growth, Sizes

_COLUMNS = {"N": "nodes", "E": "edges", "K": "edges_at_once", "Q": "edges_of_first_layer", "P": "nodes_of_first_layer"}
_COLUMNS |= {"U": "edges_of_second_block", "V": "nodes_of_second_block", "W": "nodes_with_wide_blocks"}

GROWTHS = {"L F": "layer_channels", "L H": "layer_heads", "F": "channels", "H": "heads", "M": "features"}
GROWTHS |= {"L": "layers", "": "rest"}
"""Growth by the letters of a term, as `counts.py` defines them."""


def counted_pieces(formulas: Sequence[str], measured: Sizes, classes: int) -> list[dict[str, Growth]]:
    """A piece for each formula.

    A term with the square of the channels, such as that of a weight's gradient, grows with them as if the other side
    had the measured ones; classes are taken as measured. Both are bytes of weights, which hardly count.
    """
    pieces = []
    for formula in formulas:
        sums: dict[str, dict[str, float]] = {}
        for number, letters in terms(formula):
            column = next((name for letter, name in _COLUMNS.items() if letter in letters), "constant")
            if "S" in letters and column == "nodes":
                column = "nodes_with_blocks"
            sizes = [letter for letter in letters if letter not in {*_COLUMNS, "C", "S"}]
            factor = number * classes ** letters.count("C")
            while sizes.count("F") > 1:
                sizes.remove("F")
                factor *= measured.hidden_channels
            growth, name = sums.setdefault(column, {}), GROWTHS[" ".join(sizes)]
            growth[name] = growth.get(name, 0.0) + factor
        pieces.append({column: Growth(**growth) for column, growth in sums.items()})
    return pieces
