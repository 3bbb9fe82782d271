"""Objects in place of tensors: a result that is not computed until somebody reads it, and one that nobody may read.

Attention layers compute a score per edge in `edge_updater` and hand it to `propagate`. Inside blocks the scores are
computed with the messages, so that they are never stored for all edges; whoever else reads them gets the tensor.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor
from torch.utils import _pytree as pytree

from gnn_checkpointing.refusal import Refusal


class _InPlaceOfATensor:
    """Any use as a tensor uses what `computed` gives."""

    def computed(self) -> Any:
        """The tensor."""
        raise NotImplementedError

    @classmethod
    def __torch_function__(
        cls, function: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run a function of torch on the tensor."""
        args, kwargs = computed((args, kwargs or {}), _InPlaceOfATensor)
        return function(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        """An attribute of the tensor."""
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return getattr(self.computed(), name)


def _operator(name: str) -> Callable[..., Any]:
    def operator(self: _InPlaceOfATensor, *others: Any) -> Any:
        return getattr(self.computed(), name)(*computed(others, _InPlaceOfATensor))

    return operator


# Python looks operators up in the class, past `__getattr__`.
for _name in (
    *(f"__{prefix}{name}__" for name in ("add", "sub", "mul", "truediv", "pow", "matmul") for prefix in ("", "r")),
    *("__neg__", "__abs__", "__getitem__", "__len__", "__iter__", "__lt__", "__le__", "__gt__", "__ge__"),
):
    if hasattr(Tensor, _name):
        setattr(_InPlaceOfATensor, _name, _operator(_name))


class DeferredEdgeValues(_InPlaceOfATensor):
    """Stands for the tensor that `make` computes; any use of it but by `propagate` computes it, once."""

    def __init__(self, values: dict[str, Any], make: Callable[[], Any]) -> None:
        self.values, self._make = values, make
        self._made: Any = None

    def computed(self) -> Any:
        """What `edge_updater` returns without blocks."""
        if self._made is None:
            self._made = self._make()
        return self._made


class OfOneBlock(_InPlaceOfATensor):
    """Stands for a tensor that a message has left in its layer, of which only the last block's part exists."""

    def __init__(self, attribute: str, layer: str, policy: str) -> None:
        self._refusal = (
            f"{policy}: {layer} reads its attribute {attribute!r}, which a message has set for one block alone; use "
            "policy layers for this layer"
        )

    def computed(self) -> Any:
        """Refuse any use."""
        raise Refusal(self._refusal)


def computed(values: Any, kind: type[_InPlaceOfATensor] = DeferredEdgeValues) -> Any:
    """`values` with everything that was deferred computed, in tuples, lists and dictionaries, too."""
    return pytree.tree_map(lambda part: part.computed() if isinstance(part, kind) else part, values)
