"""The arguments of a call of `propagate`, and how a block of edges reads each of them.

PyG passes a message method `x_j` for the sources' rows of `x`, `x_i` for the destinations' rows, and anything else
under its own name: a value per edge, or one value for all edges. A block reads the rows of node maps for its own edges,
a slice of each value per edge, and everything else whole. Attention layers compute a score per edge in `edge_updater`
and pass it to `propagate`; blocks compute the scores with the messages, so they are never stored for all edges.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

from torch import Tensor
from torch.utils import _pytree as pytree
from torch_geometric.nn import MessagePassing

from gnn_checkpointing.checkpointing.given import is_tensor, leaves_of, versions_of
from gnn_checkpointing.refusal import Refusal

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
    per_edge = [_counts_edges(conv, tensor, num_edges) for tensor in tensors]
    if any(per_edge) and not all(per_edge):
        raise Uncuttable(
            "an argument of its message is a collection of which some values are per edge and some are not"
        )
    return "edge" if per_edge and all(per_edge) else "whole"


def _counts_edges(conv: MessagePassing, tensor: Tensor, num_edges: int) -> bool:
    if tensor.dim() == 0:
        return False
    if tensor.size(0) == num_edges:
        return True
    return tensor.dim() >= -conv.node_dim > 0 and tensor.dim() > 1 and tensor.size(conv.node_dim) == num_edges


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


class InPlaceOfATensor:
    """Stand-in for a tensor: any use of it as a tensor uses the result of `computed`."""

    def computed(self) -> Any:
        """The tensor."""
        raise NotImplementedError

    @classmethod
    def __torch_function__(
        cls, function: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run a function of torch on the tensor."""
        args, kwargs = computed((args, kwargs or {}), InPlaceOfATensor)
        return function(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        """An attribute of the tensor."""
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return getattr(self.computed(), name)


def _operator(name: str) -> Callable[..., Any]:
    def operator(self: InPlaceOfATensor, *others: Any) -> Any:
        return getattr(self.computed(), name)(*computed(others, InPlaceOfATensor))

    return operator


# Python looks up operators in the class, without `__getattr__`.
for _name in (
    *(
        f"__{prefix}{name}__"
        for name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor")
        for prefix in ("", "r", "i")
    ),
    *(
        f"__{name}__"
        for name in ("neg", "abs", "invert", "eq", "ne", "lt", "le", "gt", "ge", "bool", "float", "int", "index")
    ),
    *("__getitem__", "__setitem__", "__len__", "__iter__", "__contains__"),
):
    if hasattr(Tensor, _name):
        setattr(InPlaceOfATensor, _name, _operator(_name))


class DeferredEdgeValues(InPlaceOfATensor):
    """Placeholder for the tensor that `make` computes; any use except by `propagate` computes it, once."""

    __class__ = property(lambda _: Tensor)  # a layer may ask whether it is a tensor

    def __init__(self, values: dict[str, Any], make: Callable[[], Any]) -> None:
        self._values, self.make, self._versions = values, make, versions_of(values)
        self.made: Any = None
        self.uses = 0
        """Number of calls of `propagate` that received it."""

    @property
    def values(self) -> dict[str, Any]:
        """The arguments of `edge_updater`; raises `Refusal` if one of them was changed in place since."""
        if versions_of(self._values) != self._versions:
            raise Refusal(
                "edge blocks compute what edge_updater returns with the messages, and its arguments were changed in "
                "place before; change copies of them, or use policy layers for this layer"
            )
        return self._values

    def computed(self) -> Any:
        """The result of `edge_updater` without blocks."""
        if self.made is None:
            self.values  # noqa: B018 - refuses those that have changed
            self.made = self.make()
        return self.made


class OfOneBlock(InPlaceOfATensor):
    """Placeholder for a tensor that a message set as an attribute of its layer: only the last block's part exists."""

    def __init__(self, attribute: str, layer: str, policy: str) -> None:
        self._refusal = (
            f"{policy}: {layer} reads or returns its attribute {attribute!r}, which a message has set for one block "
            "alone; use policy layers for this layer"
        )

    def computed(self) -> Any:
        """Refuse any use."""
        raise Refusal(self._refusal)


def computed(values: Any, kind: type[InPlaceOfATensor] = DeferredEdgeValues) -> Any:
    """Compute all placeholders of this `kind` in `values`, also inside tuples, lists and dictionaries."""
    if not any(isinstance(part, kind) for part in leaves_of(values)):
        return values
    return pytree.tree_map(lambda part: part.computed() if isinstance(part, kind) else part, values)
