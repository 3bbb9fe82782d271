"""The arguments of a call of `propagate`, and how a block of edges reads each of them.

PyG passes a message method `x_j` for the sources' rows of `x`, `x_i` for the destinations' rows, and anything else
under its own name: a value per edge, or one value for all edges. A block reads the rows of node maps for its own edges,
a slice of each value per edge, and everything else whole.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

from torch import Tensor
from torch.utils import _pytree as pytree
from torch_geometric.nn import MessagePassing

from gnn_checkpointing.checkpointing.given import is_tensor

Role = Literal["edge", "whole"]
GIVEN = frozenset(
    {"edge_index", "edge_index_i", "edge_index_j", "index", "ptr", "size", "size_i", "size_j", "dim_size", "adj_t"}
)
"""Arguments that PyG itself provides to a layer's methods."""


class Uncuttable(Exception):  # noqa: N818 - a finding that never reaches the user
    """The reason why a call of `propagate` is not cut into blocks; the call then runs whole."""


@dataclass(frozen=True)
class Slot:
    """A tensor's position in `Call.tensors`."""

    position: int


@dataclass(frozen=True)
class Call:
    """One call of `propagate`, together with the call of `edge_updater` whose result it reads, if there is one.

    `tensors` holds all tensors of both calls, each once; `values` and `edge_values` are the arguments of the two calls,
    with each tensor replaced by its position, a `Slot`.
    """

    tensors: tuple[Tensor, ...]
    values: dict[str, Any]
    edge_values: dict[str, Any] | None = None
    edge_result: str | None = None
    """The argument of `propagate` that is the result of `edge_updater`."""

    def with_tensors(self, tensors: Sequence[Tensor]) -> Self:
        """The same call on other tensors."""
        return replace(self, tensors=tuple(tensors))


def call_of(values: dict[str, Any], edge_values: dict[str, Any] | None, edge_result: str | None) -> Call:
    """Make a call from its arguments, with all tensors in one list."""
    tensors: list[Tensor] = []
    own = {name: _slotted(value, tensors) for name, value in values.items()}
    edge = None if edge_values is None else {name: _slotted(value, tensors) for name, value in edge_values.items()}
    return Call(tuple(tensors), own, edge, edge_result)


def _slotted(value: Any, tensors: list[Tensor]) -> Any:
    """Replace the tensors in `value` by their positions in `tensors`, and append new ones to that list."""

    def slot(part: Any) -> Any:
        if not is_tensor(part):
            return part
        for position, known in enumerate(tensors):
            if known is part:
                return Slot(position)
        tensors.append(part)
        return Slot(len(tensors) - 1)

    return pytree.tree_map(slot, value)


def node_maps(names: Sequence[str], values: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Yield each of `names` that asks for rows of a node map, with its end of the edges (`i` or `j`) and its value."""
    for name in names:
        if name.endswith(("_i", "_j")) and name not in GIVEN and name[:-2] in values:
            yield name, name[-1], values[name[:-2]]


def shared_rows(conv: MessagePassing, call: Call) -> frozenset[tuple[int, str]]:
    """The node maps, by position and end, whose rows `edge_update` and `message` both read."""
    if call.edge_values is None:
        return frozenset()
    read = [
        {
            (slot.position, end)
            for _, end, value in node_maps(conv.inspector.get_param_names(method), values)
            if isinstance(slot := end_of(conv, value, end), Slot)
        }
        for method, values in (("edge_update", call.edge_values), ("message", call.values))
    ]
    return frozenset(read[0] & read[1])


def edge_dim(tensor: Tensor, num_edges: int, node_dim: int) -> int:
    """The dimension of a value per edge along which the edges lie."""
    return 0 if tensor.size(0) == num_edges else node_dim


def roles_of(conv: MessagePassing, call: Call, names: Sequence[str], num_edges: int) -> dict[str, Role]:
    """How blocks read the arguments without `_i` or `_j`: sliced by edge, or whole."""
    roles: dict[str, Role] = {}
    for values in (call.values, call.edge_values or {}):
        for name in names:
            if name in values and name not in GIVEN:
                roles[name] = _role(conv, call, values[name], num_edges)
    return roles


def _role(conv: MessagePassing, call: Call, value: Any, num_edges: int) -> Role:
    tensors = [call.tensors[part.position] for part in pytree.tree_leaves(value) if isinstance(part, Slot)]
    per_edge = [counts_edges(conv, tensor, num_edges) for tensor in tensors]
    if any(per_edge) and not all(per_edge):
        raise Uncuttable(
            "an argument of its message is a collection of which some values are per edge and some are not"
        )
    return "edge" if per_edge and all(per_edge) else "whole"


def counts_edges(conv: MessagePassing, tensor: Tensor, num_edges: int) -> bool:
    """Whether a tensor has a value per edge."""
    if tensor.dim() == 0:
        return False
    if tensor.size(0) == num_edges:
        return True
    dim: int = conv.node_dim
    return tensor.dim() > max(1, dim, -dim - 1) and tensor.size(dim) == num_edges


def end_of(conv: MessagePassing, value: Any, end: str) -> Any:
    """The element of a pair of node maps for this end of the edges; any other value itself."""
    if not isinstance(value, tuple | list):
        return value
    # If generated from a template, PyG's `propagate` uses the first of a pair for sources, whatever the flow.
    by_flow = type(conv)._jinja_propagate is type(conv)._orig_propagate
    return value[side_of(conv, end) if by_flow else "ji".index(end)]


def side_of(conv: MessagePassing, end: str) -> int:
    """The row of `edge_index` that holds this end of the edges."""
    return "ji".index(end) if conv.flow == "source_to_target" else "ij".index(end)
