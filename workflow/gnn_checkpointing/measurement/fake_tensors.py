"""The activation peak by fake tensors: the same step on tensors that have sizes and storages but no memory."""

from __future__ import annotations

import dataclasses
import weakref
from collections.abc import Callable, Iterable
from functools import reduce
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from gnn_checkpointing.checkpointing import policy_tensors
from gnn_checkpointing.checkpointing.edge_blocks import tables_of
from gnn_checkpointing.measurement.peak_memory import no_garbage
from gnn_checkpointing.measurement.workload import Contestant, GraphTask, contestant
from gnn_checkpointing.study.design import Cell
from gnn_checkpointing.study.policy_names import EAGER, parse_policy

Value = TypeVar("Value")


class LiveBytes(TorchDispatchMode):  # type: ignore[no-untyped-call] # torch does not annotate it
    """Sums the storages that operators make and Python still holds, each once: what MemTracker counts, without its
    breakdown by module, which takes twice the time.
    """

    def __init__(self, resident: Iterable[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # torch does not annotate it
        self._alive: dict[int, weakref.ref[torch.UntypedStorage]] = {}
        self._live = self._highest = 0
        for tensor in resident:
            self._count(tensor)
        self._resident = self._highest = self._live

    @property
    def resident(self) -> int:
        """The sum before the step."""
        return self._resident

    @property
    def peak(self) -> int:
        """The highest sum so far, above what was resident."""
        return self._highest - self._resident

    def __torch_dispatch__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run the operator and count what it returns."""
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
    """Tell whether autograd adds up gradients, those of a tensor or of a row: in place, unless a mode listens.

    What it makes here instead counts from the next operator on, when the gradient that it replaces is gone.
    """
    in_backward = torch._C._current_graph_task_id() != -1 and not torch.is_grad_enabled()
    return in_backward and func in (torch.ops.aten.add.Tensor, torch.ops.aten.index_add.default)


def _promoted_bytes(func: Callable[..., Any], args: tuple[Any, ...]) -> int:
    """Return what an elementwise operator on CPU takes meanwhile to bring tensors of several types to one.

    The one workspace inside an operator that is known from outside; in the gradient of a maximum (mask times float) it
    is a whole tensor of messages.
    """
    if torch.Tag.pointwise not in getattr(func, "tags", ()):
        return 0
    tensors = [part for part in args if isinstance(part, Tensor) and part.dim() > 0 and part.device.type == "cpu"]
    if len({tensor.dtype for tensor in tensors}) < 2:
        return 0
    common = reduce(torch.promote_types, (tensor.dtype for tensor in tensors))
    return sum(tensor.numel() * common.itemsize for tensor in tensors if tensor.dtype != common)


def fake_tensor_bytes(cell: Cell, contest: Contestant) -> tuple[int | None, str]:
    """Return the peak of one more step of `contest`, above what is resident, or None and the reason.

    `contest` must have run a step: its tables, made from the graph's values, are taken over by their sizes.
    """
    if parse_policy(contest.policy).kind not in EAGER:
        return None, f"no reading by fake tensors: {contest.policy} computes or frees past the dispatcher of operators"
    if isinstance(contest.task, GraphTask) and contest.task.adjacency.edge_index.layout != torch.strided:
        return None, "no reading by fake tensors: a sparse matrix has no storage that could be told"
    try:
        return _peak(cell, contest), ""
    except Exception as error:
        # Whatever an operator lacks under fake tensors, the measurement itself stands.
        reason = (str(error).strip().splitlines() or ["no message"])[0][:200]
        return None, f"no reading by fake tensors: {type(error).__name__}: {reason}"


def _peak(cell: Cell, contest: Contestant) -> int:
    mode = FakeTensorMode()
    fakes: dict[int, Tensor] = {}

    def faked(tensor: Tensor) -> Tensor:
        if id(tensor) not in fakes:
            fakes[id(tensor)] = mode.from_tensor(tensor)
        return fakes[id(tensor)]

    task = _converted(contest.task, faked)
    fake = contestant(cell, contest.task, contest.policy)
    fake_parameters(fake.model, faked)
    fake = dataclasses.replace(fake, task=task)
    _hand_over_tables(contest, fake, faked)
    resident = [*fake.model.parameters(), *fake.model.buffers(), *task.tensors(), *policy_tensors(fake.model)]
    with no_garbage(), mode, LiveBytes(resident) as live:
        fake.step()
    peak: int = live.peak
    return peak


def fake_parameters(model: nn.Module, convert: Callable[[Tensor], Tensor]) -> None:
    """Put a converted tensor in place of each parameter and buffer of `model`."""
    for module in model.modules():
        # Parameters stay parameters, which torch's annotations cannot say.
        stores: list[dict[str, Any]] = [module._parameters, module._buffers]
        for kept in stores:
            kept.update({name: convert(tensor) for name, tensor in kept.items() if tensor is not None})


def _hand_over_tables(contest: Contestant, fake: Contestant, convert: Callable[[Tensor], Tensor]) -> None:
    """Give the layers of `fake` the sorted edges of `contest`: made from values, which fake tensors do not have."""
    if not (isinstance(contest.task, GraphTask) and isinstance(fake.task, GraphTask)):
        return
    num_nodes = contest.task.features.size(0)
    for theirs, ours in zip(tables_of(contest.model), tables_of(fake.model), strict=True):
        edges = theirs.sorted(contest.task.adjacency.edge_index, num_nodes, num_nodes, reverse=False)
        ours.keep(fake.task.adjacency.edge_index, _converted(edges, convert))


def _converted(value: Value, convert: Callable[[Tensor], Tensor]) -> Value:
    """Return a dataclass, however nested, with each of its tensors converted and all else as it is."""
    if isinstance(value, Tensor):
        return convert(value)  # type: ignore[return-value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        parts = {field.name: _converted(getattr(value, field.name), convert) for field in dataclasses.fields(value)}
        return dataclasses.replace(value, **parts)
    return value
