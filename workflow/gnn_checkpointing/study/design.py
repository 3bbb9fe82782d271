"""The experimental design of a study: the cells of each graph, and the order in which graphs are measured.

The order is of graphs, not of cells, because one job measures all cells of a graph.
"""

import random
from bisect import bisect_left, bisect_right
from contextlib import suppress
from dataclasses import dataclass
from statistics import StatisticsError, correlation
from typing import Any, NamedTuple

from gnn_checkpointing.artefacts import digest
from gnn_checkpointing.study.architecture import Architecture
from gnn_checkpointing.study.convolutions import SHAPES, SPARSE_PRODUCT, VISION, Convolution, is_own
from gnn_checkpointing.study.graph_design import (
    GeneratedGraph,
    GraphSpec,
    LoadedGraph,
    derived_seed,
    generator_of,
    place,
    study_graphs,
)
from gnn_checkpointing.study.settings import PRACTICE, ChosenGraphs
from gnn_checkpointing.study.study import Study
from gnn_checkpointing.study.vocabulary import Aggregation, Allocator

LARGEST_CORRELATION = 0.1
"""Largest absolute rank correlation of the order with density or size, so that a drifting machine favours neither."""

_DRAWS = 500
"""Number of random orders tried. With 36 graphs in two factors, one in five is balanced enough; with a handful of
graphs, perhaps none."""

UNNAMED: dict[str, Any] = {"self_loops": False, "attention_dropout": 0.0, "module": None, "files": {}}
"""Keys of an architecture that older cells lack: at these values they are not part of a cell's identity."""


@dataclass(frozen=True)
class Cell:
    """One graph x convolution x model x aggregation x allocator: one process measures all its policies.

    `model` distinguishes the study's models of one convolution, such as "50 layers"; it is empty if there is only one.
    `architecture` describes this model only. `seed` is the same under every allocator, so that bytes and gradients
    must be equal. A cell that is not `timed` only has its bytes counted and its gradients compared. `rounds` is None
    unless it differs from the study's.
    """

    id: str
    graph: str
    convolution: Convolution
    aggregation: Aggregation
    allocator: Allocator
    timed: bool
    architecture: Architecture
    seed: int
    model: str = ""
    rounds: tuple[int, int] | None = None


class Model(NamedTuple):
    """One of the study's models of a convolution; its name distinguishes it from others, and is empty without others.

    `architecture` has the model's own number of layers; for a Vision GNN also its channels and its one task.
    """

    name: str
    architecture: Architecture


def models(study: Study, convolution: Convolution) -> list[Model]:
    """The study's models of a convolution, the main one first."""
    asked = study.architecture
    if is_own(convolution):
        # The user's own model does not depend on the keys for stacks.
        return [Model("", Architecture.model_validate({"module": asked.module, "files": asked.files}))]

    def model(name: str, **changes: Any) -> Model:
        return Model(name, asked.model_copy(update={"module": None, "files": {}, "depths": (), **changes}))

    if convolution in VISION:
        shape = SHAPES[convolution]
        fixed = {"num_layers": shape.blocks, "hidden_channels": shape.channels, "heads": 1}
        return [model("images" if task == "images" else "", **fixed, tasks=(task,)) for task in asked.tasks]
    return [
        model(f"{number} layers" if asked.depths else "", num_layers=number, tasks=("patches",))
        for number in (asked.num_layers, *asked.depths)
    ]


def graph_cells(study: Study, graph: GraphSpec) -> list[Cell]:
    """Cells of one graph in shuffled order, grouped by allocator (each allocator needs its own process).

    A cell's id and seed depend on its graph and architecture only, so that adding a degree to the study file changes
    no other cell. A convolution that cannot be a sparse product has no cell under `spmm`. Allocators other than the
    reference affect times only, so they have cells only if steps are timed. Images are read by Vision GNNs, and by
    nothing else. Stacks in practice are measured with `gather_scatter` and the reference allocator only.
    """
    generator, practice = generator_of(graph), study.practice
    timed, readers, rounds = (
        (True, None, None) if generator is None else (generator.timed, generator.convolutions, generator.rounds)
    )
    images = generator is not None and generator.family == "images"
    reference, *others = study.measurement.allocators
    chosen = study.measurement.allocator_convolutions
    cells: list[Cell] = []
    for convolution in study.architecture.convolutions:
        if (convolution in VISION) != images or (readers is not None and convolution not in readers):
            continue
        beside = others if timed and (chosen is None or convolution in chosen) else []
        aggregations = [
            one for one in study.architecture.aggregations if one == "gather_scatter" or convolution in SPARSE_PRODUCT
        ]
        own = models(study, convolution)
        asked = [(model, one, allocator) for allocator in (reference, *beside) for one in aggregations for model in own]
        stacked = not images and not is_own(convolution) and "gather_scatter" in aggregations
        if practice is not None and stacked and is_chosen(graph, practice.graphs):
            added = own[0].architecture.model_copy(update=practice.model_dump(exclude={"graphs"}))
            asked.append((Model(PRACTICE, added), "gather_scatter", reference))
        cells += [_cell(study, graph.id, convolution, *one, timed, rounds) for one in asked]
    order = study.measurement.allocators.index
    return sorted(cells, key=lambda cell: (order(cell.allocator), derived_seed("order", cell.seed)))


def training_cell(study: Study, graph_id: str, convolution: Convolution) -> Cell:
    """Cell whose model is trained by the training jobs of a graph and convolution."""
    model, allocator = models(study, convolution)[0], study.measurement.allocators[0]
    return _cell(study, graph_id, convolution, model, "gather_scatter", allocator, timed=False)


def _cell(
    study: Study,
    graph_id: str,
    convolution: Convolution,
    model: Model,
    aggregation: Aggregation,
    allocator: Allocator,
    timed: bool,
    rounds: tuple[int, int] | None = None,
) -> Cell:
    # Leave out keys that list other models: a cell does not depend on which others are measured.
    left_out = {"convolutions", "aggregations", "depths", "tasks"}
    described = model.architecture.model_dump(mode="json", exclude=left_out)
    described = {key: value for key, value in described.items() if key not in UNNAMED or value != UNNAMED[key]}
    files: list[Any] = []
    if is_own(convolution):
        described, files = {"module": model.architecture.module}, [model.architecture.files]
    factors: list[str] = [convolution]
    if convolution in VISION and model.architecture.tasks != ("patches",):
        factors += model.architecture.tasks
    if aggregation != "gather_scatter":
        factors.append(aggregation)
    if allocator != "retaining":
        factors.append(allocator)
    return Cell(
        id=f"{graph_id}-{'-'.join(factors)}-{digest([described, *factors, *files], 6)}",
        graph=graph_id,
        convolution=convolution,
        aggregation=aggregation,
        allocator=allocator,
        timed=timed,
        architecture=model.architecture,
        seed=derived_seed(study.seed, graph_id, convolution, digest(described)),
        model=model.name,
        rounds=rounds,
    )


def trained_graphs(study: Study) -> list[GraphSpec]:
    """Graphs that training jobs use."""
    return [spec for spec in study_graphs(study) if is_chosen(spec, study.training.graphs)]


def is_chosen(spec: GraphSpec, chosen: ChosenGraphs) -> bool:
    """Whether a graph is among `chosen`; of generated graphs, only replicate 0 in the ordinary grids can be."""
    if isinstance(spec, GeneratedGraph):
        named = spec.num_nodes in chosen.num_nodes and spec.average_degree in chosen.average_degrees
        return named and spec.replicate == 0 and not spec.large
    return isinstance(spec, LoadedGraph) and spec.source.name in chosen.real


class Visit(NamedTuple):
    """One job: a graph, and how often it was measured before (0 for its first measurement)."""

    graph: GraphSpec
    number: int

    @property
    def ending(self) -> str:
        """Suffix that follows the graph's name in the name of that folder."""
        return f".visit-{self.number}" if self.number else ""

    @property
    def name(self) -> str:
        """Name of the folder that holds its records."""
        return place(self.graph) + self.ending


def measuring_order(study: Study) -> list[GraphSpec]:
    """Graphs in the first random order that is uncorrelated with density and size, or else in the most balanced one.

    Real graphs can be anywhere, since their sizes are not known before they are loaded.
    """
    shuffler = random.Random(derived_seed(study.seed, "order"))  # noqa: S311 - an order, no secret
    best, least = study_graphs(study), float("inf")
    for _ in range(_DRAWS):
        drawn = list(best)
        shuffler.shuffle(drawn)
        found = imbalance(drawn)
        if found < least:
            best, least = drawn, found
        if least < LARGEST_CORRELATION:
            break
    return best


def imbalance(order: list[GraphSpec]) -> float:
    """The larger absolute rank correlation of the position in the order with density or size."""
    places = [(at, spec) for at, spec in enumerate(order) if isinstance(spec, GeneratedGraph)]
    found = [0.0]
    for factor in ([spec.average_degree for _, spec in places], [float(spec.num_nodes) for _, spec in places]):
        ordered = sorted(factor)
        # Twice the mean rank of equal values.
        ranks = [float(bisect_left(ordered, value) + bisect_right(ordered, value)) for value in factor]
        with suppress(StatisticsError):  # fewer than two graphs, or a constant factor
            found.append(abs(correlation([float(at) for at, _ in places], ranks)))
    return max(found)


def visits(study: Study) -> list[Visit]:
    """Every measuring job in order: each graph once, and the first `repeats` timed ones at the middle and the end."""
    order = measuring_order(study)
    timed = [spec for spec in order if (drawn := generator_of(spec)) is None or (drawn.timed and not drawn.large)]
    again = timed[: study.measurement.repeats]
    first = [Visit(spec, 0) for spec in order]
    middle = max((len(first) + 1) // 2, len(again))
    second, third = ([Visit(spec, number) for spec in again] for number in (1, 2))
    return [*first[:middle], *second, *first[middle:], *third]
