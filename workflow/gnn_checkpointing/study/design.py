"""The experimental design: which cells each graph has, in which order; a pure function of the study."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gnn_checkpointing.artefacts import digest
from gnn_checkpointing.study.architecture import Architecture
from gnn_checkpointing.study.convolutions import SPARSE_PRODUCT, VISION, Convolution, is_own
from gnn_checkpointing.study.graph_design import (
    GeneratedGraph,
    GraphSpec,
    LoadedGraph,
    derived_seed,
    generator_of,
    study_graphs,
)
from gnn_checkpointing.study.practice import PRACTICE
from gnn_checkpointing.study.study import Study
from gnn_checkpointing.study.training import ChosenGraphs
from gnn_checkpointing.study.vision_shapes import SHAPES
from gnn_checkpointing.study.vocabulary import Aggregation, Allocator


@dataclass(frozen=True)
class Cell:
    """One graph x convolution x model x aggregation x allocator: all policies of it are measured in one process.

    `model` says what tells the model from the study's others of the same convolution, such as "50 layers"; nothing
    where there is one. `architecture` is that of this model alone. `seed` is the same under every allocator, so that
    the same bytes and gradients are asked of each. A cell that is not `timed` has its bytes counted and its gradients
    compared only. `rounds` are its own, where they are not the study's.
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


UNNAMED: dict[str, Any] = {"self_loops": False, "attention_dropout": 0.0, "module": None, "files": {}}
"""Keys of an architecture that are part of a cell's identity only with other values: older cells lack them."""


@dataclass(frozen=True)
class Model:
    """One of the study's models of a convolution, and what tells it from the others; nothing where it is the only one.

    `architecture` has its own number of layers, and of a Vision GNN its channels and its one task.
    """

    name: str
    architecture: Architecture


def models(study: Study, convolution: Convolution) -> list[Model]:
    """Return the study's models of a convolution, the one that the study is about first."""
    asked = study.architecture
    if is_own(convolution):
        # It is what it is, whatever the stacks beside it are made of.
        return [Model("", Architecture.model_validate({"module": asked.module, "files": asked.files}))]
    asked = asked.model_copy(update={"module": None, "files": {}})
    if convolution in VISION:
        shape = SHAPES[convolution]
        fixed = {"num_layers": shape.blocks, "hidden_channels": shape.channels, "heads": 1, "depths": ()}
        return [
            Model("images" if task == "images" else "", asked.model_copy(update={**fixed, "tasks": (task,)}))
            for task in asked.tasks
        ]
    layers = (asked.num_layers, *asked.depths)
    return [
        Model(
            f"{number} layers" if asked.depths else "",
            asked.model_copy(update={"num_layers": number, "depths": (), "tasks": ("patches",)}),
        )
        for number in layers
    ]


def _in_practice(study: Study, graph: GraphSpec, convolution: Convolution) -> list[Model]:
    """The model of a convolution in practice, where the study measures it on this graph."""
    asked = study.practice
    if asked is None or convolution in VISION or is_own(convolution) or not is_chosen(graph, asked.graphs):
        return []
    return [
        Model(
            PRACTICE, models(study, convolution)[0].architecture.model_copy(update=asked.model_dump(exclude={"graphs"}))
        )
    ]


def graph_cells(study: Study, graph: GraphSpec) -> list[Cell]:
    """Return the cells of one graph in their shuffled order, allocator by allocator (each needs its own process).

    A cell's id and seed depend on its graph and architecture alone, so that another degree in the study file
    leaves every other cell as it was. A convolution that cannot be a sparse product has no cell under `spmm`; an
    allocator beside the reference changes times alone, so it has cells only where steps are timed; images are read by
    Vision GNNs, and by nothing else.
    """
    generator = generator_of(graph)
    rounds = None if generator is None else generator.rounds
    timed, readers = (True, None) if generator is None else (generator.timed, generator.convolutions)
    images = generator is not None and generator.family == "images"
    allocators = study.measurement.allocators
    chosen = study.measurement.allocator_convolutions
    beside = study.architecture.convolutions if chosen is None else chosen
    cells = [
        _cell(study, graph.id, convolution, model, aggregation, allocator, timed, rounds)
        for allocator in allocators
        for aggregation in study.architecture.aggregations
        for convolution in study.architecture.convolutions
        for model in (*models(study, convolution), *_in_practice(study, graph, convolution))
        if (readers is None or convolution in readers)
        and (convolution in VISION) == images
        and (aggregation == "gather_scatter" or convolution in SPARSE_PRODUCT)
        and (allocator == allocators[0] or (timed and convolution in beside))
        and (model.name != PRACTICE or (allocator == allocators[0] and aggregation == "gather_scatter"))
    ]
    return sorted(cells, key=lambda cell: (allocators.index(cell.allocator), derived_seed("order", cell.seed)))


def training_cell(study: Study, graph_id: str, convolution: Convolution) -> Cell:
    """Return the cell whose model the training jobs of a graph and convolution train."""
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
    # Without what names other models: a cell stays the same whichever are measured beside it.
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
    """The graphs that training jobs use."""
    return [spec for spec in study_graphs(study) if is_chosen(spec, study.training.graphs)]


def is_chosen(spec: GraphSpec, chosen: ChosenGraphs) -> bool:
    """Whether a graph is among those that the study names; of generated graphs replicate 0 of its grids."""
    if isinstance(spec, GeneratedGraph):
        named = spec.num_nodes in chosen.num_nodes and spec.average_degree in chosen.average_degrees
        return named and spec.replicate == 0 and not spec.large
    return isinstance(spec, LoadedGraph) and spec.source.name in chosen.real
