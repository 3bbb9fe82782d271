"""Rerun a layer's forward pass up to its call of `propagate` in the backward pass, instead of saving its tensors.

The tensors that a layer computes before it calls `propagate`, mostly linear maps of its nodes, are several times as
large as its input. None of them is kept: where autograd would save one, it keeps a placeholder, a "hole". When
`propagate` or a hole needs these tensors, the forward pass runs again with the same arguments and stops at its call of
`propagate`. With a kernel, `propagate` is cheap enough to run again as well, so tensors computed after it also become
holes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks
from torch.utils import _pytree as pytree

from gnn_checkpointing.checkpointing.block_arguments import Call
from gnn_checkpointing.checkpointing.given import as_given, version_of, versions_of
from gnn_checkpointing.checkpointing.graph_tables import Seen
from gnn_checkpointing.checkpointing.recomputation import Form, Recomputation, changed_in_place, other_than_before


class Reached(BaseException):
    """Ends a rerun forward pass at its call of `propagate`; `call` is None if that call is not cut."""

    def __init__(self, call: Call | None) -> None:
        super().__init__()
        self.call = call


def present_modes() -> tuple[Any, ...]:
    """The current modes: whether autograd records, and the autocast settings."""
    casts = [(torch.is_autocast_enabled(device), torch.get_autocast_dtype(device)) for device in ("cpu", "cuda")]
    return torch.is_grad_enabled(), *casts


@dataclass(eq=False)
class Visit:
    """One run of a layer's forward pass, with the `modes` in which it began.

    A run that `seeks` ends at this call of `propagate`, counted from 1; a run that `fills` computes cut calls without
    recording them. `not_cut` is the reason why `propagate` must not be cut. `calls` of `propagate` are counted, those
    that were cut (`cuts`), and those of them that were computed by `kernels`.
    """

    entry: Entry | None = None
    seeks: int = 0
    fills: bool = False
    not_cut: str | None = None
    calls: int = 0
    cuts: int = 0
    kernels: int = 0
    states: list[Recomputation] = field(default_factory=list)
    """Of calls whose messages alone will be rerun, as they were when they were made."""
    scores: bool = False
    """Whether it has got a placeholder for what `edge_updater` computes."""
    graphs: Seen = field(default_factory=dict)
    """Graphs whose content was read in this run, by identity, with their versions."""
    modes: tuple[Any, ...] = field(default_factory=present_modes)


_LOCAL = threading.local()


def visit_of(layer: object) -> Visit | None:
    """This thread's innermost run of a layer's forward pass."""
    visits: dict[int, Visit] = getattr(_LOCAL, "visits", {})
    return visits.get(id(layer))


def graphs_seen_by(layer: object) -> Seen:
    """Graphs that this thread's innermost run of a layer's forward pass has read; empty outside of such a run."""
    visit = visit_of(layer)
    return {} if visit is None else visit.graphs


def during(layer: object, visit: Visit, run: Callable[[], Any]) -> Any:
    """Call `run` with `visit` as the layer's innermost run."""
    visits = _LOCAL.__dict__.setdefault("visits", {})
    before = visits.get(id(layer))
    visits[id(layer)] = visit
    try:
        return run()
    finally:
        if before is None:
            del visits[id(layer)]
        else:
            visits[id(layer)] = before


@dataclass
class _Hole:
    """Placeholder that autograd keeps instead of a tensor: its number, and the arguments of the forward pass.

    Autograd drops it, and with it the arguments, when it frees the graph. The entry may outlive the graph, and
    therefore does not hold the arguments.
    """

    index: int
    arguments: tuple[Tensor, ...]
    form: Form


class Entry:
    """The arguments with which a forward pass can be rerun, `leaves` of a pytree `structure`, and its holes."""

    def __init__(
        self,
        layer: object,
        forward: Callable[..., Any],
        leaves: Sequence[Any],
        structure: pytree.TreeSpec,
        state: Recomputation,
    ) -> None:
        self._layer, self._forward, self._structure, self.state = layer, forward, structure, state
        given = {id(leaf): leaf for leaf in leaves if isinstance(leaf, Tensor)}
        self._places = [(place, [*given].index(id(leaf))) for place, leaf in enumerate(leaves) if id(leaf) in given]
        self._rest = [None if isinstance(leaf, Tensor) else leaf for leaf in leaves]
        self._given: tuple[Tensor, ...] = tuple(given.values())
        self._began = versions_of(self._given)
        self.tensors: tuple[Tensor, ...] = tuple(map(as_given, self._given))
        self._weights = {storage_of(tensor) for tensor in state.weights}
        self._kept = self._weights | {storage_of(tensor) for tensor in self._given}
        self._arguments = tuple(tensor.detach().requires_grad_(tensor.requires_grad) for tensor in self.tensors)
        self._versions = versions_of(self._arguments)
        self._holes, self._before_propagate, self._filled = 0, 0, dict[int, Tensor]()
        self._first_cut = 1
        self._new: list[tuple[_Hole, Tensor]] = []
        """The holes of a run that is to be compared, and their tensors, which some kernels write after saving them."""
        self._hooks: saved_tensors_hooks | None = None

    def open(self) -> None:
        """Start to leave holes, until `close`."""
        self._hooks = saved_tensors_hooks(self._pack, self._unpack)
        self._hooks.__enter__()

    @property
    def sees_what_is_saved(self) -> bool:
        """Whether no other hooks, as of a checkpoint inside the layer, take the tensors that autograd saves now."""
        top = saved_tensors_seen_by()
        return self._hooks is None or (top is not None and top[0] == self._pack)

    def close(self) -> None:
        """Stop leaving holes."""
        if self._hooks is not None:
            self._hooks.__exit__()
            self._hooks = None

    def forward_done(self) -> None:
        """Stop leaving holes, and drop the arguments, so that the autograd graph alone holds them."""
        self.close()
        self._given = self.tensors = self._arguments = ()
        while self._new:
            hole, tensor = self._new.pop()
            hole.form = self.state.form_of(tensor)

    def is_written(self) -> bool:
        """Whether an argument was changed in place since, so that the forward pass cannot be rerun."""
        return versions_of(self._given) != self._began

    def reached(self, call: int) -> None:
        """Note that this call of `propagate`, counted from 1, is the first that is cut; others before it ran whole."""
        self._first_cut, self._before_propagate = call, self._holes

    def made(self, tensors: Sequence[Tensor]) -> frozenset[int]:
        """Positions of the `tensors` that the forward pass has computed, and must recompute to be read again."""
        return frozenset(place for place, tensor in enumerate(tensors) if storage_of(tensor) not in self._kept)

    def again(self, tensors: Sequence[Tensor]) -> Call | None:
        """The call of `propagate` that the forward pass reaches with these arguments; fills the holes before it."""
        with self._collecting(tensors) if self._before_propagate else nullcontext():
            return self._run(tensors, seeks=True)

    def _run(self, tensors: Sequence[Tensor], *, seeks: bool) -> Call | None:
        values = list(self._rest)
        for place, number in self._places:
            values[place] = tensors[number]
        args, kwargs = pytree.tree_unflatten(values, self._structure)
        try:
            visit = Visit(seeks=self._first_cut if seeks else 0, fills=not seeks)
            during(self._layer, visit, lambda: self._forward(*args, **kwargs))
        except Reached as reached:
            return reached.call
        return None

    @contextmanager
    def _collecting(self, tensors: Sequence[Tensor]) -> Iterator[None]:
        """Collect, in order, the tensors for which the first run left holes.

        Arguments leave no holes. They may be new tensors now, recomputed by a checkpoint around the layer.
        """
        self._filled.clear()
        collected, kept = self._filled, self._weights | {storage_of(tensor) for tensor in tensors}

        def collect(tensor: Tensor) -> Tensor:
            tensor = tensor.detach()
            if storage_of(tensor) not in kept:
                collected[len(collected)] = tensor
            return tensor

        with torch.enable_grad(), saved_tensors_hooks(collect, lambda tensor: tensor):
            yield

    def _fill(self, tensors: Sequence[Tensor]) -> None:
        with self._collecting(tensors):
            self._run(tensors, seeks=self._holes == self._before_propagate)

    def _pack(self, tensor: Tensor) -> tuple[Tensor, int] | _Hole:
        if storage_of(tensor) in self._kept or self.is_written():
            return tensor.detach(), version_of(tensor)
        self._holes += 1
        hole = _Hole(self._holes - 1, self._arguments, Form.of(tensor))
        if self.state.unconfirmed:
            self._new.append((hole, tensor.detach()))
        return hole

    def _unpack(self, packed: tuple[Tensor, int] | _Hole) -> Tensor:
        if isinstance(packed, tuple):
            kept, version = packed
            if version_of(kept) != version:  # autograd counts only for tensors that no hooks have packed
                raise RuntimeError(
                    f"a tensor {list(kept.shape)} that {self.state.name} needs for its gradients was changed in place "
                    "before its backward pass"
                )
            return kept
        if packed.index not in self._filled:
            if versions_of(packed.arguments) != self._versions:
                raise changed_in_place(self.state.name)
            self.state.again(self._fill, packed.arguments)
        tensor = self._filled.pop(packed.index, None)
        if tensor is None or not packed.form.fits(self.state.form_of(tensor)):
            raise other_than_before(self.state.name)
        return tensor


def saved_tensors_seen_by() -> Any:
    """The innermost hooks on the tensors that autograd saves now; None if there are none."""
    return torch._C._autograd._top_saved_tensors_default_hooks(True)


def storage_of(tensor: Tensor) -> object:
    """Identity of a tensor's memory, equal for tensors that share it."""
    return tensor.untyped_storage()._cdata if tensor.layout == torch.strided else id(tensor)
