"""The peak of a step on fake tensors, which have sizes and storages but no memory.

For a step that also runs, this is one more reading of its activation peak; for a step that never runs, it is the exact
peak that a plan needs.
"""

import dataclasses
import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import reduce
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode, unset_fake_temporarily
from torch.utils._python_dispatch import TorchDispatchMode

from gnn_checkpointing.checkpointing import policy_tensors
from gnn_checkpointing.checkpointing.block_plan import EdgeBlock, SortedEdges
from gnn_checkpointing.checkpointing.edge_blocks import tables_of
from gnn_checkpointing.measurement.peak_memory import no_garbage
from gnn_checkpointing.measurement.workload import GraphTask, Subject, subject_of
from gnn_checkpointing.models.convolutions import Adjacency
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.architecture import Architecture
from gnn_checkpointing.study.convolutions import Convolution
from gnn_checkpointing.study.design import Cell
from gnn_checkpointing.study.policy_names import EAGER, parse_policy

Value = TypeVar("Value")


class LiveBytes(TorchDispatchMode):  # type: ignore[no-untyped-call] # torch does not annotate it
    """Sums the bytes of live storages made by operators, each once. MemTracker counts the same, but also breaks it
    down by module, which takes twice the time.

    `resident` is the sum before the step.
    """

    def __init__(self, resident: Iterable[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # torch does not annotate it
        self._alive: dict[int, weakref.ref[torch.UntypedStorage]] = {}
        self._live = 0
        for tensor in resident:
            self._count(tensor)
        self.resident = self._highest = self._live

    @property
    def peak(self) -> int:
        """The highest sum so far, above the resident bytes."""
        return self._highest - self.resident

    def __torch_dispatch__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run the operator and count what it returns."""
        if func is torch.ops.prim.device.default:  # more than half of all calls
            return args[0].device
        inside = _promoted_bytes(func, args)
        result = func(*args, **(kwargs or {}))
        for part in result if isinstance(result, tuple | list) else (result,):
            if isinstance(part, Tensor):
                self._count(part)
        if not _is_made_in_place(func):
            self._highest = max(self._highest, self._live + inside)
        return result

    def _count(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        key, size = storage._cdata, storage.nbytes()
        if key in self._alive:
            return

        def gone(reference: object) -> None:  # noqa: ARG001 - weakref hands itself over
            del self._alive[key]
            self._live -= size

        self._alive[key] = weakref.ref(storage, gone)
        self._live += size


def _is_made_in_place(func: Callable[..., Any]) -> bool:
    """Whether `func` accumulates gradients in the backward pass, which autograd does in place unless a mode is active.

    Under a mode it makes a new tensor instead, which counts from the next operator on, when the old gradient is freed.
    """
    in_backward = torch._C._current_graph_task_id() != -1 and not torch.is_grad_enabled()
    return in_backward and func in (torch.ops.aten.add.Tensor, torch.ops.aten.index_add.default)


def _promoted_bytes(func: Callable[..., Any], args: tuple[Any, ...]) -> int:
    """Bytes that an elementwise operator on CPU takes temporarily to convert its inputs to their common type.

    No other workspace inside an operator is known from outside. In the gradient of a maximum (mask times float) it is
    a whole tensor of messages.
    """
    if torch.Tag.pointwise not in getattr(func, "tags", ()):
        return 0
    tensors = [part for part in args if isinstance(part, Tensor) and part.dim() > 0 and part.device.type == "cpu"]
    if len({tensor.dtype for tensor in tensors}) < 2:
        return 0
    common = reduce(torch.promote_types, (tensor.dtype for tensor in tensors))
    return sum(tensor.numel() * common.itemsize for tensor in tensors if tensor.dtype != common)


def _counted(mode: FakeTensorMode, subject: Subject) -> LiveBytes:
    """Run one step of a model on fake tensors and count its bytes."""
    model = subject.model
    resident = [*model.parameters(), *model.buffers(), *subject.task.tensors(), *policy_tensors(model)]
    with no_garbage(), mode, LiveBytes(resident) as live:
        subject.step()
    counted: LiveBytes = live
    return counted


def fake_tensor_bytes(cell: Cell, subject: Subject) -> tuple[int | None, str]:
    """Peak of one more step of `subject` above the resident bytes, or None and the reason.

    `subject` must have run a step: its tables are made from the graph's values, and only their sizes are copied here.
    """
    if parse_policy(subject.policy).kind not in EAGER:
        return None, f"no reading by fake tensors: {subject.policy} computes or frees past the dispatcher of operators"
    if isinstance(subject.task, GraphTask) and subject.task.adjacency.edge_index.layout != torch.strided:
        return None, "no reading by fake tensors: a sparse matrix has no storage that could be told"
    try:
        return _peak(cell, subject), ""
    except Exception as error:
        # The measurement itself stands even if an operator does not work on fake tensors.
        reason = (str(error).strip().splitlines() or ["no message"])[0][:200]
        return None, f"no reading by fake tensors: {type(error).__name__}: {reason}"


def _peak(cell: Cell, subject: Subject) -> int:
    mode = FakeTensorMode()
    fakes: dict[int, Tensor] = {}

    def faked(tensor: Tensor) -> Tensor:
        if id(tensor) not in fakes:
            fakes[id(tensor)] = mode.from_tensor(tensor)
        return fakes[id(tensor)]

    task = _converted(subject.task, faked)
    fake = subject_of(cell, subject.task, subject.policy)
    _convert_parameters(fake.model, faked)
    fake = dataclasses.replace(fake, task=task)
    if isinstance(subject.task, GraphTask) and isinstance(task, GraphTask):
        # Sorting edges needs values, which fake tensors do not have.
        num_nodes = subject.task.features.size(0)
        for theirs, ours in zip(tables_of(subject.model), tables_of(fake.model), strict=True):
            edges = theirs.sorted(subject.task.adjacency.edge_index, num_nodes, num_nodes, reverse=False)
            ours.keep(task.adjacency.edge_index, _converted(edges, faked))
    return _counted(mode, fake).peak


def _convert_parameters(model: nn.Module, convert: Callable[[Tensor], Tensor]) -> None:
    """Replace each parameter and buffer of `model` by its converted tensor."""
    for module in model.modules():
        # Converted parameters are still parameters, which torch's annotations cannot express.
        stores: list[dict[str, Any]] = [module._parameters, module._buffers]
        for kept in stores:
            kept.update({name: convert(tensor) for name, tensor in kept.items() if tensor is not None})


def _converted(value: Value, convert: Callable[[Tensor], Tensor]) -> Value:
    """Convert each tensor of a (nested) dataclass and leave everything else as it is."""
    if isinstance(value, Tensor):
        return convert(value)  # type: ignore[return-value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        parts = {field.name: _converted(getattr(value, field.name), convert) for field in dataclasses.fields(value)}
        return dataclasses.replace(value, **parts)
    return value


@dataclass(frozen=True)
class StepSizes:
    """Everything that the bytes of a step depend on: the graph's sizes and, for cutting it into blocks, its in-degrees.

    `in_degrees` is int64 `[num_nodes]`, without self-loops.
    """

    in_degrees: NDArray[np.int64]
    num_features: int
    num_classes: int
    training_nodes: int


def even_degrees(num_nodes: int, num_edges: int) -> NDArray[np.int64]:
    """In-degrees that differ by at most one, `[num_nodes]`, for a graph whose sizes alone are known."""
    return np.diff(np.arange(num_nodes + 1, dtype=np.int64) * num_edges // num_nodes)


def exact_peak(convolution: Convolution, policy: str, architecture: Architecture, sizes: StepSizes) -> int:
    """Peak memory of a training step in bytes, including resident bytes, computed without allocating it.

    Raises `Refusal` for policies that compute or free memory without going through PyTorch's operator dispatcher.
    """
    if parse_policy(policy).kind not in EAGER:
        raise Refusal(f"policy {policy}: no exact peak, for it computes or frees past the dispatcher of operators")
    cell = Cell("planned", "planned", convolution, "gather_scatter", "default", False, architecture, 0)
    loops, num_nodes = 1 if convolution == "GCN" else 0, len(sizes.in_degrees)
    starts = torch.from_numpy(np.concatenate([[0], np.cumsum(sizes.in_degrees + loops)]).astype(np.int64))
    num_edges = int(starts[-1])  # a value, which a fake tensor does not have
    mode = FakeTensorMode()
    with mode:
        index = torch.empty((2, num_edges), dtype=torch.int64)
        task = GraphTask(
            features=torch.empty(num_nodes, sizes.num_features),
            labels=torch.empty(sizes.training_nodes, dtype=torch.int64),
            train_nodes=torch.empty(sizes.training_nodes, dtype=torch.int64),
            adjacency=Adjacency(index, torch.empty(index.size(1)) if loops else None),
            num_classes=sizes.num_classes,
        )
    subject = subject_of(cell, task, policy)
    _convert_parameters(subject.model, mode.from_tensor)
    with mode:
        for tables in tables_of(subject.model):
            pointer = torch.empty(starts.numel(), dtype=torch.int64)
            source = torch.empty(index.size(1), dtype=torch.int32)
            tables.keep(index, _CutElsewhere(source, pointer, None, num_nodes, starts=starts))
    live = _counted(mode, subject)
    return live.peak + live.resident


@dataclass(frozen=True)
class _CutElsewhere(SortedEdges):
    """Sorted edges without values; they are cut into blocks at the real offsets of each destination's edges."""

    starts: Tensor = dataclasses.field(default_factory=lambda: torch.zeros(1, dtype=torch.int64))

    def blocks(self, size: int) -> tuple[EdgeBlock, ...]:
        """Blocks that the real edges would be cut into."""
        if size not in self._cuts:
            with unset_fake_temporarily():
                self._cuts[size] = SortedEdges(self.starts, self.starts, None, self.num_sources).blocks(size)
        return self._cuts[size]
