"""Stand-ins for tensors of all edges, which are computed only if something other than a block asks for them.

Attention layers compute a score per edge in `edge_updater` and pass it to `propagate`; blocks compute the scores with
the messages, so they are never stored for all edges.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from gnn_checkpointing.checkpointing.given import is_tensor, leaves_of, versions_of
from gnn_checkpointing.checkpointing.random_states import RandomStates, random_restored
from gnn_checkpointing.refusal import Refusal


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

    def __init__(self, values: dict[str, Any], make: Callable[[], Any], what: str) -> None:
        self._values, self._make, self._versions, self._what = values, make, versions_of(values), what
        self.made: Any = None
        self.in_blocks = False
        """Whether a call of `propagate` has computed it in blocks."""

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
            self.refuse_if_drawn()
            self.made = self._make()
        return self.made

    def refuse_if_drawn(self) -> None:
        """Raise `Refusal` if blocks have already drawn random numbers for it, and it would be drawn anew."""
        if not self.in_blocks or self.made is not None:
            return
        before = RandomStates.now(next(part.device for part in leaves_of(self._values) if is_tensor(part)))
        with torch.no_grad(), random_restored(before):
            self._make()
            if before != RandomStates.now(before.device):
                raise Refusal(
                    f"{self._what}: it uses twice what edge_updater has drawn at random, and blocks would draw it anew "
                    "each time; use policy layers"
                )


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
