"""Kernels generated for a block of edges: one compilation serves every block and every layer of the same shape."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from gnn_checkpointing.checkpointing.compilation import COMPILING, inductor
from gnn_checkpointing.refusal import Refusal

_FUSING = {
    # A value that several later ones read is computed again for each instead of being stored for all edges: the
    # arithmetic is cheap beside the memory it would take (GATv2: 1.6 instead of 9.4 MiB a block of 16,000 edges).
    "realize_reads_threshold": 1000,
    "realize_opcount_threshold": 1000,
}
# None: a size is fixed unless it is marked. Blocks differ in edges and nodes; heads and channels that the compiler
# knows make kernels of GATv2 half as fast again.
_SIZES = {"dynamic": None}


class BlockKernel:
    """A function of a block, compiled for blocks of any size."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._compiled: dict[tuple[object, ...], Callable[..., Any]] = {}

    def __deepcopy__(self, memo: dict[int, Any]) -> BlockKernel:
        """Return itself: a copied model may run the same kernels."""
        return self

    def __call__(self, varying: Sequence[Tensor], *fixed: Any) -> Any:
        """Return `function(varying, *fixed)`; the first size of each of `varying` may differ from call to call.

        Raises `Refusal` where PyTorch cannot compile the function.
        """
        from torch._dynamo import maybe_mark_dynamic
        from torch._dynamo.exc import TorchDynamoException

        for tensor in varying:
            maybe_mark_dynamic(tensor, 0)
        try:
            with torch.no_grad():
                return self._of(varying)(tuple(varying), *fixed)
        except TorchDynamoException as error:
            first = str(error).strip().splitlines()[0]
            raise Refusal(f"PyTorch cannot compile the blocks of this layer: {first}") from error

    def _of(self, varying: Sequence[Tensor]) -> Callable[..., Any]:
        """Return the compiled function for these widths: a change of width must not turn a fixed size into any size."""
        key = tuple((tensor.shape[1:], tensor.dtype) for tensor in varying)
        if key not in self._compiled:
            self._compiled[key] = torch.compile(
                self._function, backend=inductor(settings=_FUSING), **(COMPILING | _SIZES)
            )
        return self._compiled[key]


def rows(num_nodes: int, like: Tensor) -> Tensor:
    """Return a tensor without bytes that has `num_nodes` rows: a number would be compiled in."""
    return like.new_empty((num_nodes, 0))


def too_small(num_edges: int, num_nodes: int) -> bool:
    """Tell whether a block has sizes, 0 and 1, for which a compiler would make kernels of their own."""
    return num_edges < 2 or num_nodes < 2
