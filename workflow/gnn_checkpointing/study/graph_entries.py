"""The `graphs` part of a study file: which graphs are drawn, loaded, graded and sampled, refused where impossible."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from gnn_checkpointing.study.batch_entries import Batches, EgoInputs
from gnn_checkpointing.study.convolutions import Convolution
from gnn_checkpointing.study.families import FAMILY_HELP, Family
from gnn_checkpointing.study.settings import Rounds
from gnn_checkpointing.study.vision_shapes import PATCHES
from gnn_checkpointing.study.vocabulary import (
    Checksum,
    Count,
    DatasetClass,
    Degree,
    Fraction,
    FromTwo,
    Part,
    Slug,
    Text,
    UserPath,
)

OGB_GRAPHS = ("ogbn-arxiv", "ogbn-products")
"""One kind of node and edge, features, and one label a node: what the benchmark's other graphs lack."""

MOST_GRAPHS = 100_000
"""In one grid: more would take years to measure, and a planner's memory before."""


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
        """Graphs of the grid."""
        return len(self.num_nodes) * len(self.average_degrees) * self.replicates

    @model_validator(mode="after")
    def _simple_graphs_exist(self) -> Self:
        smallest, sparsest, densest = min(self.num_nodes), min(self.average_degrees), max(self.average_degrees)
        if self.count > MOST_GRAPHS:
            raise ValueError(
                f"{self.count} graphs in one grid; allowed are {MOST_GRAPHS}: lower replicates, or name fewer degrees"
            )
        if smallest * sparsest < 1:
            raise ValueError(
                f"average degree {sparsest:g} leaves {smallest} nodes without an edge; raise average_degrees"
            )
        if densest > smallest - 1:
            raise ValueError(
                f"average degree {densest:g} is impossible with {smallest} nodes: a simple graph allows at most "
                f"{smallest - 1}; lower average_degrees or raise num_nodes"
            )
        for nodes in self.num_nodes:
            degrees: dict[int, float] = {}
            for degree in self.average_degrees:
                first = degrees.setdefault(2 * round(nodes * degree / 2), degree)
                if first != degree:
                    raise ValueError(
                        f"average_degrees {first} and {degree} give {nodes} nodes equally many edges; name one of them"
                    )
        if self.num_classes > smallest:
            raise ValueError(f"num_classes {self.num_classes} exceeds the {smallest} nodes of the smallest graph")
        if self.family == "sbm":
            self._blocks_hold_the_edges(smallest, densest)
        if self.family == "images":
            self._patches_of_whole_images()
        return self

    def _patches_of_whole_images(self) -> None:
        for nodes in self.num_nodes:
            if nodes % PATCHES:
                raise ValueError(
                    f"num_nodes {nodes} is no multiple of {PATCHES}, the patches of an image: 8 images are "
                    f"{8 * PATCHES}"
                )
        for degree in self.average_degrees:
            if degree != int(degree) or not 2 <= 2 * degree <= PATCHES:
                raise ValueError(
                    f"average degree {degree:g}: of images it is the number of neighbours in a ViG's first block, "
                    f"which the last one doubles; allowed: whole numbers from 1 to {PATCHES // 2}"
                )

    def _blocks_hold_the_edges(self, num_nodes: int, average_degree: float) -> None:
        """Check that pairs inside and between blocks suffice for homophily at the tightest size and degree."""
        pairs = num_nodes * (num_nodes - 1) // 2
        inside = sum(size * (size - 1) // 2 for size in block_sizes(num_nodes, self.num_classes))
        edges = round(num_nodes * average_degree / 2)
        wanted = round(edges * self.homophily)
        if wanted > inside or edges - wanted > pairs - inside:
            low, high = max(0.0, 1 - (pairs - inside) / edges), min(1.0, inside / edges)
            raise ValueError(
                f"homophily {self.homophily:g} is impossible at {num_nodes} nodes, average degree {average_degree:g} "
                f"and {self.num_classes} blocks; allowed there: {low:.2f} to {high:.2f}"
            )


class LargeGraphs(GeneratedGraphs):
    """Graphs far beyond the grids, measured in few rounds: laws are fitted on them, too, effects are not."""

    rounds: Rounds = Field(Rounds(at_least=3, at_most=3), description="rounds of their cells")


class Graded(Part):
    """Graphs of other densities made from a real one: the same nodes, features, labels and split, other edges."""

    thinned: tuple[Degree, ...] = Field((), description="average degrees, reached by removing edges at random")
    capped: tuple[Count, ...] = Field(
        (), description="largest degrees: an edge stays where both ends chose it among so many of their own"
    )
    two_hop: tuple[Degree, ...] = Field(
        (), description="average degrees, reached by joining random neighbours of neighbours"
    )


class RealGraph(Part):
    """One real graph: a PyG dataset, a file in the layout of PyG's read_npz, or a folder of three CSV files."""

    model_config = ConfigDict(populate_by_name=True)

    dataset: DatasetClass | None = Field(
        None, alias="class", description="PyG dataset class, or OGB (ogbn-arxiv, ogbn-products; needs the extra `ogb`)"
    )
    name: Slug | Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", max_length=60)] = Field(
        description="dataset name, as PyG spells it (any name where the class has one graph); else one of your own"
    )
    npz: UserPath | None = Field(None, description="path of an .npz file, absolute or below data_root")
    csv: UserPath | None = Field(
        None, description="folder with edges.csv, features.csv and labels.csv, absolute or below data_root"
    )
    label: Text | None = Field(None, description="how the report prints the graph (default: name)")
    source: Text | None = Field(None, description="where the graph is from, for the report (default: what is known)")
    licence: Text | None = Field(None, description="its licence, for the report (default: what is known)")
    to_undirected: bool = Field(False, description="add the missing reverse edges of a directed graph")
    sha256: dict[str, Checksum] = Field(
        default_factory=dict,
        description="checksums by file name: a file with another is refused, a raw pickle without one, too",
    )
    files: dict[str, Checksum] = Field(
        default_factory=dict,
        description="checksums of what was read, by file name: written down by each run, nothing to fill in",
    )
    graded: Graded = Field(Graded(), description="graphs of other densities made from this one")

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [key for key, value in (("class", self.dataset), ("npz", self.npz), ("csv", self.csv)) if value]
        if len(given) != 1:
            raise ValueError(
                f"real graph {self.name}: give one of class (a dataset), npz (a file) and csv (a folder), "
                f"not {' and '.join(given) or 'none'}"
            )
        if self.dataset == "OGB" and self.name not in OGB_GRAPHS:
            raise ValueError(f"real graph {self.name}: of class OGB, {' and '.join(OGB_GRAPHS)} can be read")
        return self


class Graphs(Part):
    """All graphs of a study."""

    generated: tuple[GeneratedGraphs, ...] = Field((), description="grids of random graphs")
    large: tuple[LargeGraphs, ...] = Field(
        (), description="generated graphs beyond the grids, for the laws alone: extrapolation starts from them"
    )
    real: tuple[RealGraph, ...] = Field((), description="real graphs")
    num_features: Count | None = Field(
        None, description="wider features of real graphs are projected to so many; null: to hidden_channels"
    )
    batches: tuple[Batches, ...] = Field((), description="mini-batches of every graph, measured beside the full batch")
    ego: EgoInputs | None = Field(
        None, description="every graph once more with its ego networks as input, measured beside it"
    )

    @model_validator(mode="after")
    def _not_empty_and_each_once(self) -> Self:
        if not self.generated and not self.real:
            raise ValueError("no graphs: list at least one under generated or real")
        names = [graph.label or graph.name for graph in self.real]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two real graphs are called {name}: give one of them another name or label")
        kinds = [(batches.sampler, *kind) for batches in self.batches for kind in batches.kinds]
        for kind in kinds:
            if kinds.count(kind) > 1:
                raise ValueError(f"two entries of batches have batches of {kind[0]} of size {kind[1]}; name it in one")
        whole = sum(grid.count for grid in self.generated) + len(self.real)
        count = whole * (1 + sum(len(one.kinds) * one.draws for one in self.batches))
        if count > MOST_GRAPHS:
            raise ValueError(f"{count} graphs, batches among them; at most {MOST_GRAPHS}: lower draws or replicates")
        return self
