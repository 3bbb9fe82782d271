"""A call of `propagate` cut into blocks: what it reads, how one block is computed, and the interface of executors."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, Self

import torch
from torch import Tensor
from torch.utils import _pytree as pytree
from torch_geometric.nn import MessagePassing

from gnn_checkpointing.checkpointing.block_arguments import Call, Role, Slot, edge_dim, end_of
from gnn_checkpointing.checkpointing.block_plan import EdgeBlock, SortedEdges
from gnn_checkpointing.checkpointing.given import versions_of
from gnn_checkpointing.checkpointing.pyg_functions import aggregate_unread, method_of

Outputs = tuple[Tensor, ...]
_SIGNED = {torch.uint16: torch.int16, torch.uint32: torch.int32, torch.uint64: torch.int64}
"""Whole numbers of which PyTorch gathers no rows, and those of the same bytes of which it does."""


@dataclass(frozen=True)
class CutCall:
    """A call of `propagate` with everything needed to compute it in blocks of at most `edges_per_block` edges."""

    conv: MessagePassing
    call: Call
    edges: SortedEdges
    roles: dict[str, Role]
    edges_per_block: int

    @property
    def layer(self) -> MessagePassing:
        """The layer's module, also if `conv` is a proxy for a part of it."""
        conv: Any = self.conv
        layer: MessagePassing = conv if isinstance(conv, MessagePassing) else conv.layer
        return layer

    @property
    def blocks(self) -> tuple[EdgeBlock, ...]:
        """The blocks, each with all edges of its destination nodes."""
        return self.edges.blocks(self.edges_per_block)

    def on(self, tensors: Sequence[Tensor]) -> Self:
        """The same call on other tensors."""
        return replace(self, call=self.call.with_tensors(tensors))


@dataclass
class Leaves:
    """The parts of the call's tensors that one block reads; leaves of the block's own autograd graph if `wanted`.

    Node maps become leaves before their rows are gathered, so that autograd keeps gathered rows only if it needs them.
    Rows that two methods read (`shared`) are gathered once.
    """

    wanted: Sequence[bool] = ()
    shared: frozenset[tuple[int, str]] = frozenset()
    leaves: dict[tuple[int, str], Tensor] = field(default_factory=dict)
    rows: dict[tuple[int, str], tuple[Tensor, list[int]]] = field(default_factory=dict)

    def of(self, position: int, end: str, tensor: Tensor) -> Tensor:
        """`tensor`, a part of the call's tensor at `position`, as a leaf if its gradient is wanted."""
        if not self.wanted or not self.wanted[position]:
            return tensor
        return self.leaves.setdefault((position, end), tensor.detach().requires_grad_())

    def gathered(self, position: int, end: str, tensor: Tensor, dim: int, index: Tensor) -> Tensor:
        """Rows of a node map, one for each edge of the block."""
        key = (position, end)
        before, version = self.rows.pop(key, (None, []))
        if before is not None and versions_of(before) == version:  # else a method has written into them
            return before
        rows = self.of(position, end, tensor).index_select(dim, index)
        if key in self.shared:
            self.rows[key] = rows, versions_of(rows)
        return rows


class Sums:
    """Gradients of a call, summed block by block: of its tensors if they are `wanted`, and of `weights`.

    A gradient is None until a block adds to it: a tensor that no message reads has no gradient, as without blocks.
    """

    def __init__(self, tensors: Outputs, wanted: Sequence[bool], weights: Outputs) -> None:
        self._tensors, self.wanted, self.weights = tensors, wanted, weights
        self.of_tensors: list[Tensor | None] = [None] * len(tensors)
        self.of_weights: list[Tensor | None] = [None] * len(weights)

    def total(self, position: int) -> Tensor:
        """Running total of one tensor's gradient, zeros at first."""
        total = self.of_tensors[position]
        if total is None:
            total = self.of_tensors[position] = torch.zeros_like(self._tensors[position])
        return total

    def add(self, position: int, part: Tensor | None, places: slice | Tensor = slice(None)) -> None:
        """Add `part` to the gradient of one tensor, at some of its rows."""
        if part is None or not self.wanted[position]:
            return
        whole = isinstance(places, slice) and part.shape == self._tensors[position].shape
        if whole and self.of_tensors[position] is None:
            self.of_tensors[position] = part
        else:
            self.total(position)[places] += part

    def add_to_weights(self, parts: Sequence[Tensor | None]) -> None:
        """Add to the gradients of the weights, in their order."""
        for position, part in enumerate(parts):
            if part is not None:
                before = self.of_weights[position]
                self.of_weights[position] = part if before is None else before + part


class Executor(Protocol):
    """A way to compute a cut call and its gradients."""

    @property
    def draws(self) -> bool:
        """Whether computing the gradients may draw random numbers, which must equal those of the forward pass."""

    def reads(self, wanted: Sequence[bool]) -> frozenset[int]:
        """Positions of the call's tensors whose values `add_gradients` reads if these gradients are wanted."""

    def forward(self, cut: CutCall) -> tuple[Outputs, Outputs]:
        """Compute the aggregates `[..., num_nodes, ...]`, and the values per node that the backward pass needs."""

    def add_gradients(self, cut: CutCall, kept: Outputs, gradients: Sequence[Tensor | None], sums: Sums) -> None:
        """Add the gradients of the call's tensors and of weights to `sums`, given the aggregates' gradients."""


def stage(
    cut: CutCall, block: EdgeBlock, ends: tuple[Tensor, Tensor], leaves: Leaves, *, unread: bool = False
) -> Outputs:
    """Aggregate for the block's nodes by the layer's own methods; `unread`: values are differentiated but not read."""
    conv, call = cut.conv, cut.call
    given, updated = _given(cut, block, ends), dict[str, Any]()

    def arguments(method: str, values: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name in conv.inspector.get_param_names(method):
            if name in given:
                found[name] = given[name]() if callable(given[name]) else given[name]
            elif name in updated:
                found[name] = updated[name]
            elif name.endswith(("_i", "_j")):
                if name[:-2] in values:
                    found[name] = _rows(cut, values[name[:-2]], name[-1], block, ends, leaves)
            elif name in values:
                found[name] = _plain(cut, values[name], cut.roles.get(name, "whole"), block, leaves)
        return found

    if call.edge_values is not None and call.edge_result is not None:
        updated[call.edge_result] = method_of(conv, "edge_update")(**arguments("edge_update", call.edge_values))
    messages = method_of(conv, "message")(**arguments("message", call.values))
    if unread and (shape := aggregate_unread(conv, messages, ends[1], block.num_nodes)) is not None:
        return (shape,)
    out = conv.aggregate(messages, **arguments("aggregate", call.values))
    # A named tuple, or a list of one result, would not be one any more: the trial finds no tensor, and refuses.
    return tuple(out) if type(out) in (tuple, list) and len(out) > 1 else (out,)


def _given(cut: CutCall, block: EdgeBlock, ends: tuple[Tensor, Tensor]) -> dict[str, Any]:
    """Arguments that PyG itself provides; all but `edge_index` number destinations from the block's first node."""
    reverse = cut.conv.flow == "target_to_source"
    source, destination = ends
    sizes = [cut.edges.num_sources, block.num_nodes]
    return {
        "edge_index": lambda: torch.stack([source, destination + block.first][:: -1 if reverse else 1]),
        "edge_index_i": destination,
        "edge_index_j": source,
        "index": destination,
        "ptr": None,
        "adj_t": None,
        "size": sizes[::-1] if reverse else sizes,
        "size_i": block.num_nodes,
        "size_j": cut.edges.num_sources,
        "dim_size": block.num_nodes,
    }


def _rows(cut: CutCall, value: Any, end: str, block: EdgeBlock, ends: tuple[Tensor, Tensor], leaves: Leaves) -> Any:
    """Rows of a node map, for the sources (`j`) or destinations (`i`) of the block's edges."""
    value = end_of(cut.conv, value, end)
    if not isinstance(value, Slot):
        return value
    tensor, dim = cut.call.tensors[value.position], cut.conv.node_dim
    if end == "j":
        return leaves.gathered(value.position, end, tensor, dim, ends[0])
    return leaves.gathered(value.position, end, tensor.narrow(dim, block.first, block.num_nodes), dim, ends[1])


def _plain(cut: CutCall, value: Any, role: Role, block: EdgeBlock, leaves: Leaves) -> Any:
    """An argument without `_i` or `_j`: the block's part of a value per edge, or a value for all edges."""
    if not isinstance(value, Slot):
        leaf = pytree.tree_is_leaf(value)
        return value if leaf else pytree.tree_map(lambda part: _plain(cut, part, role, block, leaves), value)
    tensor = cut.call.tensors[value.position]
    if role == "edge":
        dim, places = edge_dim(tensor, cut.edges.num_edges, cut.conv.node_dim), cut.edges.places(block)
        if isinstance(places, slice):
            tensor = tensor.narrow(dim, places.start, places.stop - places.start)
        elif signed := _SIGNED.get(tensor.dtype):
            tensor = tensor.view(signed).index_select(dim, places).view(tensor.dtype)
        else:
            tensor = tensor.index_select(dim, places)
    return leaves.of(value.position, role, tensor)
