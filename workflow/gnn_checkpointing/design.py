"""The experimental design: which graphs, which cells, in which order; a pure function of the study."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from gnn_checkpointing.artefacts import digest
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study import (
    SPARSE_PRODUCT,
    Aggregation,
    Allocator,
    Architecture,
    Convolution,
    Family,
    RealGraph,
    Study,
)


@dataclass(frozen=True)
class GeneratedGraph:
    """One random graph to be drawn; everything that its content depends on."""

    id: str
    family: Family
    num_nodes: int
    average_degree: float
    replicate: int
    num_features: int
    num_classes: int
    homophily: float
    feature_noise: float
    seed: int
    timed: bool = True
    convolutions: tuple[Convolution, ...] | None = None

    @property
    def num_edges(self) -> int:
        """Directed edges: twice the number of undirected ones."""
        return 2 * round(self.num_nodes * self.average_degree / 2)


@dataclass(frozen=True)
class LoadedGraph:
    """One real graph to be loaded and split."""

    id: str
    source: RealGraph
    data_root: str | None
    seed: int


GraphSpec = GeneratedGraph | LoadedGraph


@dataclass(frozen=True)
class Cell:
    """One graph x convolution x aggregation x allocator: all policies of it are measured in one process.

    `seed` is the same under every allocator, so that the same bytes and gradients are asked of each. A cell that is
    not `timed` has its bytes counted and its gradients compared only.
    """

    id: str
    graph: str
    convolution: Convolution
    aggregation: Aggregation
    allocator: Allocator
    timed: bool
    architecture: Architecture
    seed: int


def derived_seed(*parts: object) -> int:
    """Return a 63-bit seed that depends on every part and on nothing else."""
    text = "/".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def study_graphs(study: Study) -> list[GraphSpec]:
    """Return every graph of the study, generated ones first, each once."""
    specs = [*_generated(study), *_loaded(study)]
    return list({spec.id: spec for spec in specs}.values())


def graph_spec(study: Study, graph_id: str) -> GraphSpec:
    """Return the study's graph of that id, or refuse."""
    for spec in study_graphs(study):
        if spec.id == graph_id:
            return spec
    raise Refusal(f"study {study.name} has no graph {graph_id}; `design` lists its graphs")


def graph_cells(study: Study, graph_id: str) -> list[Cell]:
    """Return the cells of one graph in their shuffled order, allocator by allocator (each needs its own process).

    A cell's id and seed depend on its graph and architecture alone, so that another degree in the study file
    leaves every other cell as it was. A convolution that cannot be a sparse product has no cell under `spmm`; an
    allocator beside the reference changes times alone, so it has cells only where steps are timed.
    """
    spec = graph_spec(study, graph_id)
    timed, readers = (spec.timed, spec.convolutions) if isinstance(spec, GeneratedGraph) else (True, None)
    allocators = study.measurement.allocators
    chosen = study.measurement.allocator_convolutions
    beside = study.architecture.convolutions if chosen is None else chosen
    cells = [
        _cell(study, graph_id, convolution, aggregation, allocator, timed)
        for allocator in allocators
        for aggregation in study.architecture.aggregations
        for convolution in study.architecture.convolutions
        if (readers is None or convolution in readers)
        and (aggregation == "gather_scatter" or convolution in SPARSE_PRODUCT)
        and (allocator == allocators[0] or (timed and convolution in beside))
    ]
    return sorted(cells, key=lambda cell: (allocators.index(cell.allocator), derived_seed("order", cell.seed)))


def training_cell(study: Study, graph_id: str, convolution: Convolution) -> Cell:
    """Return the cell whose model the training jobs of a graph and convolution train."""
    return _cell(study, graph_id, convolution, "gather_scatter", study.measurement.allocators[0], timed=False)


def _cell(
    study: Study, graph_id: str, convolution: Convolution, aggregation: Aggregation, allocator: Allocator, timed: bool
) -> Cell:
    architecture = study.architecture
    described = architecture.model_dump(mode="json", exclude={"convolutions", "aggregations"})
    factors: list[str] = [convolution]
    if aggregation != "gather_scatter":
        factors.append(aggregation)
    if allocator != "retaining":
        factors.append(allocator)
    return Cell(
        id=f"{graph_id}-{'-'.join(factors)}-{digest([described, *factors], 6)}",
        graph=graph_id,
        convolution=convolution,
        aggregation=aggregation,
        allocator=allocator,
        timed=timed,
        architecture=architecture,
        seed=derived_seed(study.seed, graph_id, convolution, digest(described)),
    )


def measuring_priority(study: Study, graph_id: str) -> int:
    """Return a Snakemake priority that puts the graphs into a seeded random order (randomised blocks)."""
    return derived_seed(study.seed, "priority", graph_id) % 1_000_000


def trained_graphs(study: Study) -> list[GraphSpec]:
    """Return the graphs that training jobs use."""
    chosen = study.training.graphs
    return [
        spec
        for spec in study_graphs(study)
        if (isinstance(spec, LoadedGraph) and spec.source.name in chosen.real)
        or (
            isinstance(spec, GeneratedGraph)
            and spec.replicate == 0
            and spec.num_nodes in chosen.num_nodes
            and spec.average_degree in chosen.average_degrees
        )
    ]


def _generated(study: Study) -> list[GraphSpec]:
    specs: list[GraphSpec] = []
    for grid in study.graphs.generated:
        content = grid.model_dump(mode="json", include={"num_features", "num_classes", "homophily", "feature_noise"})
        for num_nodes in grid.num_nodes:
            for average_degree in grid.average_degrees:
                for replicate in range(grid.replicates):
                    size = f"{grid.family}-n{num_nodes}-d{average_degree:g}-r{replicate}".replace("_", "-")
                    tag = digest([study.seed, size, average_degree, content], 6)
                    specs.append(
                        GeneratedGraph(
                            id=f"{size}-{tag}",
                            family=grid.family,
                            num_nodes=num_nodes,
                            average_degree=average_degree,
                            replicate=replicate,
                            seed=derived_seed(study.seed, size, average_degree, digest(content)),
                            timed=grid.timed,
                            convolutions=grid.convolutions,
                            **content,
                        )
                    )
    return specs


def _loaded(study: Study) -> list[GraphSpec]:
    root = None if study.data_root is None else str(study.data_root)
    specs: list[GraphSpec] = []
    for source in study.graphs.real:
        described = source.model_dump(mode="json", by_alias=True)
        kind = source.dataset or "npz"
        name = f"{kind}-{source.name}-{digest([study.seed, described], 6)}"
        specs.append(LoadedGraph(name, source, root, derived_seed(study.seed, name)))
    return specs
