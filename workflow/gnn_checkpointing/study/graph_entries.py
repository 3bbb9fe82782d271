"""The `graphs` part of a study file: graphs to generate, load, grade and sample; impossible ones are refused."""

from functools import partial
from itertools import chain, product
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, WithJsonSchema, model_validator

from gnn_checkpointing.study.families import MOST_GRAPHS, GeneratedGraphs, LargeGraphs
from gnn_checkpointing.study.vocabulary import (
    Checksum,
    Count,
    Degree,
    EgoForm,
    FromTwo,
    Part,
    Slug,
    Text,
    UserPath,
    known,
)


class Dataset(NamedTuple):
    """Origin of the public graphs of a dataset class, for the report; `single`: the class has one unnamed graph."""

    place: str
    licence: str
    single: bool = False


NOT_STATED = "not stated by the source"
_MIT = "MIT (repository)"
_SHCHUR = Dataset("https://github.com/shchur/gnn-benchmark (Shchur et al. 2018)", _MIT)
_GRAPHSAINT = Dataset("https://github.com/GraphSAINT/GraphSAINT (Zeng et al. 2020)", _MIT, single=True)
_GEOM_GCN = Dataset("https://github.com/graphdml-uiuc-jlu/geom-gcn (Pei et al. 2020)", NOT_STATED)
DATASETS = {
    "KarateClub": Dataset("Zachary 1977, J. Anthropol. Res. 33, 452; part of PyG", NOT_STATED, single=True),
    "Planetoid": Dataset("https://github.com/kimiyoung/planetoid (Yang, Cohen and Salakhutdinov 2016)", _MIT),
    "Coauthor": _SHCHUR,
    "Amazon": _SHCHUR,
    "Reddit": Dataset(
        "https://data.dgl.ai/dataset/reddit.zip (Hamilton, Ying and Leskovec 2017)", NOT_STATED, single=True
    ),
    "Reddit2": _GRAPHSAINT,
    "Flickr": _GRAPHSAINT,
    "Yelp": _GRAPHSAINT,
    "LINKXDataset": Dataset("https://github.com/CUAI/Non-Homophily-Large-Scale (Lim et al. 2021)", NOT_STATED),
    "HeterophilousGraphDataset": Dataset(
        "https://github.com/yandex-research/heterophilous-graphs (Platonov et al. 2023)", _MIT
    ),
    "Actor": _GEOM_GCN._replace(single=True),
    "WebKB": _GEOM_GCN,
}
OGB_GRAPHS = {
    "ogbn-arxiv": Dataset("https://ogb.stanford.edu/docs/nodeprop/#ogbn-arxiv (Hu et al. 2020)", "ODC-BY"),
    "ogbn-products": Dataset(
        "https://ogb.stanford.edu/docs/nodeprop/#ogbn-products (Hu et al. 2020)", "Amazon license"
    ),
}
"""The graphs of the benchmark with one kind of node and edge, features, and one label per node."""

_CLASSES = (*DATASETS, "OGB")
DatasetClass = Annotated[
    str,
    AfterValidator(partial(known, "dataset class", _CLASSES)),
    WithJsonSchema({"type": "string", "enum": list(_CLASSES)}),
]


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

    @property
    def origin(self) -> Dataset:
        """Origin of the graph and its licence, as far as they are known."""
        if self.dataset is None:
            return Dataset("a file of the user's own", "not given in the study")
        return OGB_GRAPHS[self.name] if self.dataset == "OGB" else DATASETS[self.dataset]


class NeighbourBatches(Part):
    """Mini-batches of training nodes and neighbours drawn around them, layer by layer (GraphSAGE)."""

    sampler: Literal["neighbours"] = Field(description="neighbours drawn around training nodes")
    fan_outs: tuple[Count, ...] = Field(
        min_length=1, description="neighbours drawn for each node, the same in every layer; one batch size each"
    )
    seed_nodes: Count = Field(512, description="training nodes of a batch")
    draws: Count = Field(1, description="independent batches of each size")

    @property
    def kinds(self) -> list[tuple[int, int]]:
        """Size and number of seed nodes of each kind of batch."""
        return [(size, self.seed_nodes) for size in self.fan_outs]


class ClusterBatches(Part):
    """Mini-batches of whole clusters, found by METIS (Cluster-GCN)."""

    sampler: Literal["clusters"] = Field(description="clusters that cut few edges")
    parts: tuple[FromTwo, ...] = Field(
        min_length=1, description="clusters that the graph is cut into; one batch size each"
    )
    draws: Count = Field(1, description="different clusters of each size")

    @property
    def kinds(self) -> list[tuple[int, int]]:
        """Size and number of seed nodes (0: none are chosen) of each kind of batch."""
        return [(size, 0) for size in self.parts]

    @model_validator(mode="after")
    def _as_many_as_parts(self) -> Self:
        if self.draws > min(self.parts):
            raise ValueError(f"draws {self.draws} exceeds the {min(self.parts)} clusters there are")
        return self


class EgoInputs(Part):
    """Graphs that bring the ego network of every node with them: encoded into features, or each as a small graph."""

    radii: tuple[Annotated[int, Field(ge=1, le=7)], ...] = Field(
        min_length=1, description="steps from a node within which its ego network lies; one graph of each form each"
    )
    forms: tuple[EgoForm, ...] = Field(
        ("encodings", "ego_networks"),
        min_length=1,
        description="encodings: places around nodes and edges counted, as further features; ego_networks: all ego "
        "networks side by side, as subgraph GNNs read them",
    )
    channels: Annotated[int, Field(ge=1, le=1024)] = Field(
        16, description="features that the encodings of nodes become, and as many those of edges"
    )


Batches = Annotated[NeighbourBatches | ClusterBatches, Field(discriminator="sampler")]


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
        graphs: set[tuple[str, int, str]] = set()
        for grid in (*self.generated, *self.large):
            for nodes, degree in product(grid.num_nodes, grid.average_degrees):
                graph = (grid.family, nodes, f"{degree:.6g}")
                if graph in graphs:
                    raise ValueError(
                        f"two grids have graphs of family {grid.family}, {nodes} nodes and average degree {degree:g}, "
                        "which tables could not tell apart; name them in one grid, or in two studies"
                    )
                graphs.add(graph)
        names = [graph.label or graph.name for graph in self.real]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two real graphs are called {name}: give one of them another name or label")
        kinds = [(batches.sampler, *kind) for batches in self.batches for kind in batches.kinds]
        for kind in kinds:
            if kinds.count(kind) > 1:
                raise ValueError(f"two entries of batches have batches of {kind[0]} of size {kind[1]}; name it in one")
        if self.count > MOST_GRAPHS:
            raise ValueError(
                f"{self.count} graphs, batches among them; at most {MOST_GRAPHS}: lower draws or replicates"
            )
        return self

    @property
    def count(self) -> int:
        """Number of all graphs, including those derived from others."""
        whole = sum(grid.count for grid in self.generated) + len(self.real)
        egos = len(self.ego.radii) * len(self.ego.forms) if self.ego else 0
        made = whole * (1 + egos + sum(len(one.kinds) * one.draws for one in self.batches))
        levels = (one.graded.model_dump().values() for one in self.real)
        return made + sum(grid.count for grid in self.large) + sum(map(len, chain(*levels)))
