"""The families of generated graphs, one row each, and their grids; a new one needs a file in `graphs/` and a row."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Annotated, Self

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from gnn_checkpointing.study.convolutions import PATCHES, Convolution
from gnn_checkpointing.study.settings import Rounds
from gnn_checkpointing.study.vocabulary import Count, Degree, Fraction, FromTwo, Part, known


@dataclass(frozen=True)
class FamilyRow:
    """Names of a family in a graph's label (`title`), in the report (`name`) and in help (`words`).

    `drawer` is the dotted name of the function that draws its edges; images have none, as their edges follow from
    pixels.
    """

    title: str
    name: str
    words: str
    drawer: str = ""


_IN = "gnn_checkpointing.graphs.families"

FAMILIES: dict[str, FamilyRow] = {
    "sbm": FamilyRow("SBM", "Block model", "stochastic block model", f"{_IN}.drawn:sbm_pairs"),
    "erdos_renyi": FamilyRow("Erdős-Rényi", "Erdős-Rényi", "no structure", f"{_IN}.drawn:erdos_renyi_pairs"),
    "heavy_tail": FamilyRow("Heavy tail", "Heavy tail", "hubs", f"{_IN}.drawn:heavy_tail_pairs"),
    "watts_strogatz": FamilyRow("Watts-Strogatz", "Watts-Strogatz", "small world", f"{_IN}.drawn:watts_strogatz_pairs"),
    "spatial": FamilyRow("Spatial", "Spatial", "closest points of a square", f"{_IN}.drawn:spatial_pairs"),
    "rmat": FamilyRow("R-MAT", "R-MAT", "skewed, as web graphs", f"{_IN}.drawn:rmat_pairs"),
    "circuit": FamilyRow("Circuit", "Circuit", "gates in order, sparse", f"{_IN}.drawn:circuit_pairs"),
    "images": FamilyRow("Images", "Images", "patches of drawn images, read by Vision GNNs alone"),
}

FAMILY_HELP = "; ".join(f"{family} ({row.words})" for family, row in FAMILIES.items())

Family = Annotated[
    str, AfterValidator(partial(known, "family", FAMILIES)), WithJsonSchema({"type": "string", "enum": list(FAMILIES)})
]

MOST_GRAPHS = 100_000
"""Maximum number of graphs in a grid: more would take years to measure, and before that exhaust a planner's memory."""


def block_sizes(num_nodes: int, num_blocks: int) -> list[int]:
    """Sizes of blocks that differ by at most one node and sum to `num_nodes`."""
    size, larger = divmod(num_nodes, num_blocks)
    return [size + (block < larger) for block in range(num_blocks)]


class GeneratedGraphs(Part):
    """A grid of random graphs: node counts x average degrees x replicates of one family."""

    family: Family = Field(description=FAMILY_HELP)
    num_nodes: tuple[FromTwo, ...] = Field(min_length=1, description="node counts")
    average_degrees: tuple[Degree, ...] = Field(
        min_length=1, description="num_edges / num_nodes, both directions of an edge counted"
    )
    replicates: Count = Field(1, description="independent graphs drawn for each size and degree")
    num_features: Count = Field(32, description="input features per node; images: always a patch's pixels")
    num_classes: FromTwo = Field(4, description="labels; in sbm its blocks; images: always object and background")
    homophily: Fraction = Field(0.7, description="share of edges that join nodes of one block (sbm only)")
    rewiring: Fraction = Field(
        0.1, description="share of edges that lead anywhere, not along the ring (watts_strogatz)"
    )
    feature_noise: Annotated[float, Field(ge=0, le=10**6)] = Field(
        2.0, description="standard deviation of the noise added to a class's feature pattern of +1 and -1"
    )

    convolutions: tuple[Convolution, ...] | None = Field(
        None, description="those of the study's convolutions that read these graphs; null: all of them"
    )
    timed: bool = Field(True, description="false: bytes and sameness alone, which need two steps, not timed rounds")

    @property
    def count(self) -> int:
        """Number of graphs in the grid."""
        return len(self.num_nodes) * len(self.average_degrees) * self.replicates

    @model_validator(mode="after")
    def _simple_graphs_exist(self) -> Self:
        # Stop at the first complaint: on such values, the next check could run forever or make no sense.
        if complaint := next(chain(self._wrong_sizes(), self._wrong_blocks(), self._wrong_images()), ""):
            raise ValueError(complaint)
        return self

    def _wrong_sizes(self) -> Iterator[str]:
        smallest, sparsest, densest = min(self.num_nodes), min(self.average_degrees), max(self.average_degrees)
        if self.count > MOST_GRAPHS:
            yield f"{self.count} graphs in one grid; allowed are {MOST_GRAPHS}: lower replicates, or name fewer degrees"
        if smallest * sparsest < 1:
            yield f"average degree {sparsest:g} leaves {smallest} nodes without an edge; raise average_degrees"
        if densest > smallest - 1:
            yield (
                f"average degree {densest:g} is impossible with {smallest} nodes: a simple graph allows at most "
                f"{smallest - 1}; lower average_degrees or raise num_nodes"
            )
        for nodes in self.num_nodes:
            degrees: dict[int, float] = {}
            for degree in self.average_degrees:
                first = degrees.setdefault(2 * round(nodes * degree / 2), degree)
                if first != degree:
                    yield (
                        f"average_degrees {first} and {degree} give {nodes} nodes equally many edges; name one of them"
                    )
        if self.num_classes > smallest:
            yield f"num_classes {self.num_classes} exceeds the {smallest} nodes of the smallest graph"

    def _wrong_images(self) -> Iterator[str]:
        for nodes in self.num_nodes if self.family == "images" else ():
            if nodes % PATCHES:
                yield (
                    f"num_nodes {nodes} is no multiple of {PATCHES}, the patches of an image: 8 images are "
                    f"{8 * PATCHES}"
                )
        for degree in self.average_degrees if self.family == "images" else ():
            if degree != int(degree) or not 2 <= 2 * degree <= PATCHES:
                yield (
                    f"average degree {degree:g}: of images it is the number of neighbours in a ViG's first block, "
                    f"which the last one doubles; allowed: whole numbers from 1 to {PATCHES // 2}"
                )

    def _wrong_blocks(self) -> Iterator[str]:
        """Check that there are enough pairs inside and between blocks for homophily at the tightest size and degree."""
        if self.family != "sbm":
            return
        nodes, degree = min(self.num_nodes), max(self.average_degrees)
        pairs = nodes * (nodes - 1) // 2
        inside = sum(size * (size - 1) // 2 for size in block_sizes(nodes, self.num_classes))
        edges = round(nodes * degree / 2)
        wanted = round(edges * self.homophily)
        if wanted > inside or edges - wanted > pairs - inside:
            low, high = max(0.0, 1 - (pairs - inside) / edges), min(1.0, inside / edges)
            yield (
                f"homophily {self.homophily:g} is impossible at {nodes} nodes, average degree {degree:g} and "
                f"{self.num_classes} blocks; allowed there: {low:.2f} to {high:.2f}"
            )


class LargeGraphs(GeneratedGraphs):
    """Graphs far beyond the grids, measured in few rounds: laws are fitted on them, too, effects are not."""

    rounds: Rounds = Field(Rounds(at_least=3, at_most=3), description="rounds of their cells")
