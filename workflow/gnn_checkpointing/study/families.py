"""The families of drawn graphs, one row each: a new one is its file in `graphs/families/` and its row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema


@dataclass(frozen=True)
class FamilyRow:
    """How a family is called in a graph's label (`title`), in the report (`name`) and in help (`words`).

    `drawer` is the dotted name of the function that draws its edges; none for images, whose edges follow from pixels.
    """

    title: str
    name: str
    words: str
    drawer: str = ""


_IN = "gnn_checkpointing.graphs.families"

FAMILIES: dict[str, FamilyRow] = {
    "sbm": FamilyRow("SBM", "Block model", "stochastic block model", f"{_IN}.sbm:sbm_pairs"),
    "erdos_renyi": FamilyRow("Erdős-Rényi", "Erdős-Rényi", "no structure", f"{_IN}.independent:erdos_renyi_pairs"),
    "heavy_tail": FamilyRow("Heavy tail", "Heavy tail", "hubs", f"{_IN}.independent:heavy_tail_pairs"),
    "watts_strogatz": FamilyRow(
        "Watts-Strogatz", "Watts-Strogatz", "small world", f"{_IN}.ordered:watts_strogatz_pairs"
    ),
    "spatial": FamilyRow("Spatial", "Spatial", "closest points of a square", f"{_IN}.spatial:spatial_pairs"),
    "rmat": FamilyRow("R-MAT", "R-MAT", "skewed, as web graphs", f"{_IN}.independent:rmat_pairs"),
    "circuit": FamilyRow("Circuit", "Circuit", "gates in order, sparse", f"{_IN}.ordered:circuit_pairs"),
    "images": FamilyRow("Images", "Images", "patches of drawn images, read by Vision GNNs alone"),
}

FAMILY_HELP = "; ".join(f"{family} ({row.words})" for family, row in FAMILIES.items())


def _known(family: str) -> str:
    if family not in FAMILIES:
        raise ValueError(f"unknown family '{family[:60]}'; allowed: {', '.join(FAMILIES)}")
    return family


Family = Annotated[str, AfterValidator(_known), WithJsonSchema({"type": "string", "enum": list(FAMILIES)})]
