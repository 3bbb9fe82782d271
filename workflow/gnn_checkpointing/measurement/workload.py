"""One cell's training step under one policy: a fresh model, the graph's tensors, and a loss to differentiate."""

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, fields, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gnn_checkpointing.checkpointing import apply, policy_tensors
from gnn_checkpointing.graphs.graph import Graph
from gnn_checkpointing.measurement.peak_memory import resident_bytes
from gnn_checkpointing.models.convolutions import Adjacency, adjacency_for
from gnn_checkpointing.models.own import OwnSizes, build_own, own_scores, tried_own
from gnn_checkpointing.models.stack import build_reversible_stack, build_stack
from gnn_checkpointing.models.vig import VigOptions, build_vig
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.contents import refuse_other_model
from gnn_checkpointing.study.convolutions import COLOURS, NAMES, PATCH, SHAPES_DRAWN, SIDE, VISION
from gnn_checkpointing.study.design import Cell
from gnn_checkpointing.study.policy_names import OTHER_MODELS, parse_policy
from gnn_checkpointing.study.vocabulary import VisionTask


@dataclass(frozen=True)
class Task(ABC):
    """Inputs shared by all policies of a cell: the tensors that the model reads, and the labels for the loss."""

    features: Tensor
    labels: Tensor
    num_classes: int

    def tensors(self) -> list[Tensor]:
        """Tensors that live before, during and after every step."""
        values = [getattr(self, field.name) for field in fields(self)]
        found = [value.tensors() if isinstance(value, Adjacency) else [value] for value in values]
        return [one for several in found for one in several if isinstance(one, Tensor)]

    @abstractmethod
    def loss(self, model: nn.Module) -> Tensor:
        """Mean cross-entropy over the nodes, patches or images to be classified."""

    @abstractmethod
    def model(self, cell: Cell, policy: str) -> nn.Module:
        """Fresh model from the cell's seed; raises `Refusal` if there is none that `policy` could train."""

    def sized(self, cell: Cell) -> Cell:
        """The cell with the sizes of its model filled in if the study does not give them."""
        return cell


@dataclass(frozen=True)
class GraphTask(Task):
    """Node classification: features `[num_nodes, num_features]`, the labels of the training nodes, edges."""

    train_nodes: Tensor
    adjacency: Adjacency

    def scores(self, model: nn.Module) -> Tensor:
        """The class scores of all nodes."""
        scores: Tensor = model(self.features, self.adjacency.edge_index, self.adjacency.edge_weight)
        return scores

    def loss(self, model: nn.Module) -> Tensor:
        """The mean cross-entropy over the training nodes."""
        return F.cross_entropy(self.scores(model).index_select(0, self.train_nodes), self.labels)

    def model(self, cell: Cell, policy: str) -> nn.Module:
        """Fresh stack of layers; built from reversible blocks if the policy needs them."""
        build = build_reversible_stack if parse_policy(policy).kind in OTHER_MODELS else build_stack
        return build(cell.convolution, cell.architecture, self.features.size(1), self.num_classes, cell.seed)


@dataclass(frozen=True)
class OwnTask(GraphTask):
    """Node classification by the user's own model, `module`."""

    module: str
    sizes: OwnSizes

    def scores(self, model: nn.Module) -> Tensor:
        """The class scores of all nodes."""
        return own_scores(model, self.module, self.features, self.adjacency.edge_index, self.num_classes)

    def model(self, cell: Cell, policy: str) -> nn.Module:
        """Fresh model; there is no version of it with reversible blocks."""
        _refuse_reversible(cell, policy)
        return build_own(self.module, self.features.size(1), self.num_classes, cell.seed)

    def sized(self, cell: Cell) -> Cell:
        """The cell with the numbers of layers, channels and heads found in the model."""
        return replace(cell, architecture=cell.architecture.model_copy(update=asdict(self.sizes)))


@dataclass(frozen=True)
class ImageTask(Task):
    """Images `[images, colours, side, side]`; `labels` are those of the images, or of the patches in `train_nodes`.

    `neighbours` is the number of neighbours of a patch in the first block.
    """

    train_nodes: Tensor | None
    neighbours: int

    def loss(self, model: nn.Module) -> Tensor:
        """The mean cross-entropy over the training patches, or over the images."""
        scores = model(self.features)
        if self.train_nodes is not None:
            scores = scores.flatten(0, 1).index_select(0, self.train_nodes)
        return F.cross_entropy(scores, self.labels)

    def model(self, cell: Cell, policy: str) -> nn.Module:
        """Fresh Vision GNN; there is no version of it with reversible blocks."""
        _refuse_reversible(cell, policy)
        size = next(size for size, name in NAMES.items() if name == cell.convolution)
        task: VisionTask = "images" if self.train_nodes is None else "patches"
        return build_vig(size, VigOptions(classes=self.num_classes, k=self.neighbours, task=task), cell.seed)


def _refuse_reversible(cell: Cell, policy: str) -> None:
    if parse_policy(policy).kind in OTHER_MODELS:
        raise Refusal(f"policy {policy}: {cell.convolution} is not made of reversible blocks")


def cell_task(graph: Graph, cell: Cell, device: torch.device) -> Task:
    """The task of a cell: the parts of `graph` that its model reads."""
    return (_image_task if cell.convolution in VISION else graph_task)(graph, cell, device)


def graph_task(graph: Graph, cell: Cell, device: torch.device) -> GraphTask:
    """The tensors of `graph` as the cell's convolution reads them."""
    train_nodes = torch.from_numpy(graph.train_mask).nonzero().flatten()
    edge_index = torch.from_numpy(graph.edge_index)
    loops = cell.architecture.self_loops
    adjacency = adjacency_for(cell.convolution, edge_index, graph.num_nodes, cell.aggregation, loops)
    task = GraphTask(
        features=torch.from_numpy(graph.features).to(device),
        labels=torch.from_numpy(graph.labels)[train_nodes].to(device),
        train_nodes=train_nodes.to(device),
        adjacency=adjacency.to(device),
        num_classes=graph.num_classes,
    )
    module = cell.architecture.module
    if module is None:
        return task
    refuse_other_model(cell.architecture)
    return OwnTask(**vars(task), module=module, sizes=tried_own(module, task.features.size(1), task.num_classes))


def _image_task(graph: Graph, cell: Cell, device: torch.device) -> ImageTask:
    """Images whose patches are the nodes of `graph`, with the labels of the cell's task."""
    images = images_of_patches(torch.from_numpy(graph.features)).to(device)
    by_image = cell.architecture.tasks[0] == "images"
    train_nodes = None if by_image else torch.from_numpy(graph.train_mask).nonzero().flatten()
    shapes = torch.arange(len(images)) % SHAPES_DRAWN
    return ImageTask(
        features=images,
        labels=(shapes if train_nodes is None else torch.from_numpy(graph.labels)[train_nodes]).to(device),
        train_nodes=None if train_nodes is None else train_nodes.to(device),
        neighbours=round(graph.average_degree),
        num_classes=SHAPES_DRAWN if by_image else graph.num_classes,
    )


def images_of_patches(features: Tensor) -> Tensor:
    """Assemble images `[images, COLOURS, SIDE, SIDE]` from the pixels of their patches `[images * PATCHES, ...]`."""
    row = SIDE // PATCH
    cut = features.view(-1, row, row, COLOURS, PATCH, PATCH)
    return cut.permute(0, 3, 1, 4, 2, 5).reshape(-1, COLOURS, SIDE, SIDE)


@dataclass(frozen=True)
class Subject:
    """One policy in a cell: its model, made from the cell's seed, and the task."""

    policy: str
    model: nn.Module
    task: Task

    @property
    def device(self) -> torch.device:
        """Device that it computes on."""
        return self.task.features.device

    def forward(self) -> Tensor:
        """The loss of one forward pass."""
        return self.task.loss(self.model)

    def seeded_forward(self, seed: int) -> Tensor:
        """Like `forward`, but from a fixed random state, so that dropout draws the same masks under every policy."""
        devices = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices):
            torch.manual_seed(seed)
            return self.forward()

    def step(self) -> None:
        """Run forward, loss and backward; the optimiser, the same for every policy, is left out."""
        # torch annotates Tensor.backward only partly.
        self.forward().backward()  # type: ignore[no-untyped-call]

    def drop_gradients(self) -> None:
        """Set all gradients to None, so that each step makes its own."""
        self.model.zero_grad(set_to_none=True)

    def resident(self) -> tuple[int, int]:
        """Bytes that live before a step, and the part of them that the policy adds."""
        own = [*self.model.parameters(), *self.model.buffers(), *self.task.tensors()]
        total = resident_bytes([*own, *policy_tensors(self.model)])
        return total, total - resident_bytes(own)


def subject_of(cell: Cell, task: Task, policy: str) -> Subject:
    """Apply `policy` to a fresh model; raises `Refusal` if that is not possible."""
    kind = parse_policy(policy).kind
    if cell.aggregation == "spmm" and "edge_blocks" in kind:
        raise Refusal(f"policy {policy}: aggregation spmm makes no messages: there is nothing to cut into blocks")
    if cell.aggregation == "spmm" and kind in ("compiled", "memory_budget"):
        raise Refusal(f"policy {policy}: aggregation spmm reads a sparse matrix, which torch.compile does not take")
    return Subject(policy, apply(_fresh_model(cell, task, policy), policy), task)


def twin(cell: Cell, task: Task, policy: str) -> Subject:
    """Reference for `policy`: the same model without any saving of memory."""
    return Subject("none", _fresh_model(cell, task, policy), task)


def _fresh_model(cell: Cell, task: Task, policy: str) -> nn.Module:
    return task.model(cell, policy).to(task.features.device).train()
