"""The record of a graph: its origin, how it was made, its structure, and the cost of counting its ego networks."""

from functools import partial
from pathlib import Path

from pydantic import Field, NonNegativeFloat, NonNegativeInt

from gnn_checkpointing.records.record import Record, Share, checked
from gnn_checkpointing.study.vocabulary import EgoForm, Grading, Sampler


class Provenance(Record):
    """Where a real graph is from, and every change made to it while loading.

    `files` holds the SHA-256 of every file read, by name. `projected_from` is the number of features in the files if
    they were projected to fewer; None if they are unchanged.
    """

    source: str
    licence: str
    files: dict[str, str] = Field({})
    projected_from: int | None = None
    self_loops_removed: NonNegativeInt = 0
    duplicates_removed: NonNegativeInt = 0
    reverses_added: NonNegativeInt = 0
    notes: list[str] = Field([])


class Derivation(Record):
    """How a graph was made from another, whose id is `base`.

    `size` is an average degree (thinned, two_hop), the largest degree (capped), a fan-out (neighbours), the number of
    clusters, or a radius (encodings, ego_networks); `draw` distinguishes batches of one size.
    """

    base: str
    base_label: str
    method: Grading | Sampler | EgoForm
    size: float
    draw: int = 0


class Structure(Record):
    """Structure of a graph, counted on its edges; `clustering` is sampled (`graphs/graph.py`).

    `degree_quantiles` are the 5, 25, 50, 75 and 95 % quantiles of the in-degree. `homophily` is the share of edges
    between labelled nodes that join equal labels; None if there is no such edge.
    """

    degree_quantiles: tuple[NonNegativeInt, NonNegativeInt, NonNegativeInt, NonNegativeInt, NonNegativeInt]
    maximum_degree: NonNegativeInt
    isolated_nodes: NonNegativeInt
    clustering: Share
    homophily: Share | None


class GraphFacts(Record):
    """Facts of the actual graph, read from its file."""

    id: str
    label: str
    family: str
    sha256: str
    num_nodes: NonNegativeInt
    num_edges: NonNegativeInt
    num_features: NonNegativeInt
    num_classes: NonNegativeInt
    requested_average_degree: NonNegativeFloat | None
    average_degree: NonNegativeFloat
    density: NonNegativeFloat
    replicate: NonNegativeInt
    training_nodes: NonNegativeInt | None = Field(None, description="None in records from before it was counted")
    structure: Structure | None = Field(None, description="None in records from before it was counted")
    provenance: Provenance | None = Field(None, description="None for drawn graphs")
    derivation: Derivation | None = Field(None, description="None for graphs as they were drawn or loaded")


class GraphList(Record):
    """The content of `graphs.json`: every graph of a study."""

    graphs: list[GraphFacts]


def read_graphs(path: Path) -> list[GraphFacts]:
    """Read the graphs in `graphs.json`."""
    return checked(path, GraphList, "make it again with `collect`").graphs


class EncodingCost(Record):
    """Time of the fastest of several counts of one graph's encodings, and the peak bytes.

    `node_kinds` and `edge_kinds` are the numbers of different places and pairs of places; `node_counts` and
    `edge_counts` are the total numbers of counts, which is the size of a sparse encoding.
    """

    graph: str
    label: str
    num_nodes: NonNegativeInt
    num_edges: NonNegativeInt
    average_degree: NonNegativeFloat
    radius: NonNegativeInt
    seconds: NonNegativeFloat
    peak_bytes: NonNegativeInt
    node_kinds: NonNegativeInt
    edge_kinds: NonNegativeInt
    node_counts: NonNegativeInt
    edge_counts: NonNegativeInt


read_encodings = partial(checked, kind=list[EncodingCost], remedy="make it again with `encode`")
"""Read the records in a study's `encodings.json`."""
