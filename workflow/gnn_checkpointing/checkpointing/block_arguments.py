"""What `propagate` was called with, and what of it each block of edges reads.

PyG hands a message method `x_j` for the sources' rows of `x`, `x_i` for the destinations' rows, and anything else by
its own name: a value per edge, or a value for all. A block reads rows of node maps by its own edges, a slice of the
values per edge, and everything else whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor
from torch_geometric.nn import MessagePassing

from gnn_checkpointing.checkpointing.block_plan import EdgeBlock, SortedEdges

Role = Literal["edge", "whole"]
GIVEN = frozenset(
    {"edge_index", "edge_index_i", "edge_index_j", "index", "ptr", "size", "size_i", "size_j", "dim_size", "adj_t"}
)


class Uncuttable(Exception):  # noqa: N818 - a finding that never reaches the user
    """Why a call of `propagate` is not cut into blocks; it then runs whole."""


@dataclass(frozen=True)
class Call:
    """One call of `propagate`, with a call of `edge_updater` whose result it reads where there was one.

    `tensors` are all tensors in `values` and `edge_values`, each once; `values` and `edge_values` hold their positions
    as `Slot`s.
    """

    tensors: tuple[Tensor, ...]
    values: dict[str, Any]
    edge_values: dict[str, Any] | None
    edge_result: str | None
    """The name under which `propagate` reads what `edge_updater` computes."""

    def with_tensors(self, tensors: Sequence[Tensor]) -> Call:
        """The same call on other tensors."""
        return Call(tuple(tensors), self.values, self.edge_values, self.edge_result)


@dataclass(frozen=True)
class Slot:
    """A tensor's position in `Call.tensors`."""

    position: int


@dataclass
class Leaves:
    """What one block reads of each tensor: where a gradient is `wanted`, a leaf of the block's own autograd graph.

    Node maps are leaves before their rows are gathered, since autograd keeps a gathered row only where it needs it.
    Rows that two methods read, `shared`, are gathered once.
    """

    wanted: Sequence[bool] = ()
    shared: frozenset[tuple[int, str]] = frozenset()
    leaves: dict[tuple[int, str], Tensor] = field(default_factory=dict)
    rows: dict[tuple[int, str], Tensor] = field(default_factory=dict)

    def of(self, position: int, end: str, tensor: Tensor) -> Tensor:
        """The part `tensor` of one of the call's tensors, as a leaf where it wants a gradient."""
        if not self.wanted or not self.wanted[position]:
            return tensor
        return self.leaves.setdefault((position, end), tensor.detach().requires_grad_())

    def gathered(self, position: int, end: str, tensor: Tensor, dim: int, index: Tensor) -> Tensor:
        """Rows of a node map, one for each edge of the block."""
        key = (position, end)
        if key in self.rows:
            return self.rows.pop(key)
        rows = self.of(position, end, tensor).index_select(dim, index)
        if key in self.shared:
            self.rows[key] = rows
        return rows


def call_of(values: dict[str, Any], edge_values: dict[str, Any] | None, edge_result: str | None) -> Call:
    """The call with its tensors in one row."""
    tensors: list[Tensor] = []
    own = {name: _slotted(value, tensors) for name, value in values.items()}
    edge = None if edge_values is None else {name: _slotted(value, tensors) for name, value in edge_values.items()}
    return Call(tuple(tensors), own, edge, edge_result)


def _slotted(value: Any, tensors: list[Tensor]) -> Any:
    """`value` with its tensors replaced by their positions in `tensors`, which takes up those that are new."""
    if isinstance(value, Tensor):
        for position, known in enumerate(tensors):
            if known is value:
                return Slot(position)
        tensors.append(value)
        return Slot(len(tensors) - 1)
    if type(value) in (tuple, list) and any(isinstance(part, Tensor) for part in value):
        return type(value)(_slotted(part, tensors) for part in value)
    return value


class BlockReader:
    """Reads the arguments of one call for one block after another."""

    def __init__(self, conv: MessagePassing, call: Call, edges: SortedEdges, roles: dict[str, Role]) -> None:
        self._conv, self._call, self._edges, self._roles = conv, call, edges, roles
        self._reverse = conv.flow == "target_to_source"

    def arguments(
        self,
        names: Sequence[str],
        values: dict[str, Any],
        block: EdgeBlock,
        ends: tuple[Tensor, Tensor],
        leaves: Leaves,
    ) -> dict[str, Any]:
        """Named arguments for `block`, whose edges have the given ends; rows come from, or are added to, `leaves`."""
        given = self._given(block, ends)
        found: dict[str, Any] = {}
        for name in names:
            if name in GIVEN and not (name in values and name not in given):
                found[name] = given[name]() if callable(given[name]) else given[name]
            elif name.endswith(("_i", "_j")):
                if name[:-2] in values:
                    found[name] = self._rows(values[name[:-2]], name[-1], block, ends, leaves)
            elif name in values:
                found[name] = self._plain(values[name], self._roles.get(name, "whole"), block, leaves)
        return found

    def _given(self, block: EdgeBlock, ends: tuple[Tensor, Tensor]) -> dict[str, Any]:
        """What PyG itself provides to each method, counted from the block's first node."""
        source, destination = ends
        sizes = [self._edges.num_sources, block.num_nodes]
        whole = [source, destination + block.first]
        return {
            "edge_index": lambda: torch.stack(whole[::-1] if self._reverse else whole),
            "edge_index_i": destination,
            "edge_index_j": source,
            "index": destination,
            "ptr": None,
            "adj_t": None,
            "size": sizes[::-1] if self._reverse else sizes,
            "size_i": block.num_nodes,
            "size_j": self._edges.num_sources,
            "dim_size": block.num_nodes,
        }

    def _rows(self, value: Any, end: str, block: EdgeBlock, ends: tuple[Tensor, Tensor], leaves: Leaves) -> Any:
        value = end_of(self._conv, value, end)
        if not isinstance(value, Slot):
            return value
        tensor, dim = self._call.tensors[value.position], self._conv.node_dim
        if end == "j":
            return leaves.gathered(value.position, end, tensor, dim, ends[0])
        return leaves.gathered(value.position, end, tensor.narrow(dim, block.first, block.num_nodes), dim, ends[1])

    def _plain(self, value: Any, role: Role, block: EdgeBlock, leaves: Leaves) -> Any:
        if isinstance(value, tuple | list):
            return type(value)(self._plain(part, role, block, leaves) for part in value)
        if not isinstance(value, Slot):
            return value
        tensor = self._call.tensors[value.position]
        return leaves.of(value.position, role, self._of_edges(tensor, block) if role == "edge" else tensor)

    def _of_edges(self, tensor: Tensor, block: EdgeBlock) -> Tensor:
        """The rows of a value per edge that belong to the block."""
        dim, places = edge_dim(tensor, self._edges.num_edges, self._conv.node_dim), self._edges.places(block)
        if isinstance(places, slice):
            return tensor.narrow(dim, places.start, places.stop - places.start)
        return tensor.index_select(dim, places)

    def add_gradient(self, total: Tensor, end: str, part: Tensor, block: EdgeBlock) -> None:
        """Add the gradient of what one block read to that of the whole tensor."""
        if end in ("j", "whole"):
            total.add_(part)
        elif end == "i":
            total.narrow(self._conv.node_dim, block.first, block.num_nodes).add_(part)
        else:
            dim, places = edge_dim(total, self._edges.num_edges, self._conv.node_dim), self._edges.places(block)
            if isinstance(places, slice):
                total.narrow(dim, places.start, places.stop - places.start).add_(part)
            else:
                total.index_copy_(dim, places.to(torch.int64), part)


def shared_rows(conv: MessagePassing, call: Call) -> frozenset[tuple[int, str]]:
    """The node maps, by position and end, whose rows `edge_update` and `message` both read."""
    if call.edge_values is None:
        return frozenset()
    read = [
        {
            (slot.position, name[-1])
            for name in conv.inspector.get_param_names(method)
            if name.endswith(("_i", "_j")) and isinstance(slot := end_of(conv, values.get(name[:-2]), name[-1]), Slot)
        }
        for method, values in (("edge_update", call.edge_values), ("message", call.values))
    ]
    return frozenset(read[0] & read[1])


def edge_dim(tensor: Tensor, num_edges: int, node_dim: int) -> int:
    """The dimension of a value per edge that counts edges."""
    return 0 if tensor.size(0) == num_edges else node_dim


def roles_of(conv: MessagePassing, call: Call, names: Sequence[str], num_edges: int) -> dict[str, Role]:
    """How blocks read the arguments that are asked for by their own names: sliced by edge, or whole."""
    roles: dict[str, Role] = {}
    for values in (call.values, call.edge_values or {}):
        for name in names:
            if name in values and name not in GIVEN:
                roles[name] = _role(conv, call, values[name], num_edges)
    return roles


def _role(conv: MessagePassing, call: Call, value: Any, num_edges: int) -> Role:
    parts = value if isinstance(value, tuple | list) else [value]
    tensors = [call.tensors[part.position] for part in parts if isinstance(part, Slot)]
    per_edge = [_counts_edges(conv, tensor, num_edges) for tensor in tensors]
    if any(per_edge) and not all(per_edge):
        raise Uncuttable("an argument of its message is a sequence of which some values are per edge and some are not")
    return "edge" if per_edge and all(per_edge) else "whole"


def _counts_edges(conv: MessagePassing, tensor: Tensor, num_edges: int) -> bool:
    if tensor.dim() == 0:
        return False
    if tensor.size(0) == num_edges:
        return True
    return tensor.dim() >= -conv.node_dim > 0 and tensor.dim() > 1 and tensor.size(conv.node_dim) == num_edges


def end_of(conv: MessagePassing, value: Any, end: str) -> Any:
    """What a pair of node maps has for this end of an edge; any other value itself."""
    if not isinstance(value, tuple | list):
        return value
    # Generated from a template, PyG's `propagate` takes the first of a pair for sources whatever the flow.
    by_flow = type(conv)._jinja_propagate is type(conv)._orig_propagate
    return value[side_of(conv, end) if by_flow else "ji".index(end)]


def side_of(conv: MessagePassing, end: str) -> int:
    """The row of `edge_index` that holds this end of the edges."""
    return "ji".index(end) if conv.flow == "source_to_target" else "ij".index(end)
