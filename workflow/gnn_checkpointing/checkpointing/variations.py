"""Other values for what messages read and draw, so that a trial finds dependences that the given values hide."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode

from gnn_checkpointing.checkpointing.attributes import plain_attributes
from gnn_checkpointing.checkpointing.block_arguments import counts_edges, edge_dim
from gnn_checkpointing.checkpointing.block_plan import EdgeBlock
from gnn_checkpointing.checkpointing.cut_call import CutCall

TOLERANCE = 1e-4
"""Relative tolerance: matrix products of different shapes differ by about 1e-6 in float32."""


class Undrawn(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Makes each number that torch draws a one."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run an operator of torch."""
        out = function(*args, **(kwargs or {}))
        if torch.Tag.nondeterministic_seeded in function.tags:
            for part in pytree.tree_leaves(out):
                part.fill_(1)
        return out


def varied(tensor: Tensor) -> Tensor:
    """Multiply each float by its own factor between 0.5 and 1, zeros excepted, which hide what is multiplied by them.

    A zero becomes its factor. Integers are replaced by others in the same range.
    """
    if tensor.is_floating_point():
        factors = torch.linspace(0.5, 1, tensor.numel(), dtype=tensor.dtype, device=tensor.device)
        factors = factors.view(tensor.shape)
        return torch.where(tensor == 0, factors, tensor * factors)
    if tensor.is_complex() or not tensor.numel():
        return tensor
    places = torch.arange(tensor.numel(), device=tensor.device).view(tensor.shape)
    if tensor.dtype == torch.bool:
        return places % 2 == 0
    numbers = tensor.to(torch.int64)
    lowest, most = int(numbers.min()), int(numbers.max())
    return (places % min(most - lowest + 1, 2**62) + lowest).to(tensor.dtype)


def halved(cut: CutCall, tensor: Tensor, half: EdgeBlock) -> Tensor:
    """Replace the integers of edges, or of destinations, by their largest in this half and their smallest elsewhere."""
    if tensor.is_floating_point() or tensor.is_complex() or not tensor.numel():
        return tensor
    numbers = tensor.to(torch.int64)
    out, dim, most = torch.full_like(numbers, int(numbers.min())), cut.conv.node_dim, int(numbers.max())
    if counts_edges(cut.conv, tensor, cut.edges.num_edges):
        places = torch.arange(cut.edges.num_edges, device=tensor.device)[cut.edges.places(half)]
        out.index_fill_(edge_dim(tensor, cut.edges.num_edges, dim), places, most)
    elif out.dim():
        out[half.first : half.last] = most
    return out.to(tensor.dtype)


@contextmanager
def what_is_kept_varied(conv: nn.Module) -> Iterator[None]:
    """Vary, inside the context, the values of the tensors that a layer and its submodules hold, weights included."""
    held = [value for _, value in plain_attributes(conv) if type(value) is dict]
    held += [own for part in conv.modules() for own in (vars(part), part._buffers, part._parameters)]
    before = [dict(own) for own in held]
    for own in held:
        for name, value in own.items():
            if isinstance(value, Tensor) and value.layout == torch.strided and not is_lazy(value):
                own[name] = varied(value)
    try:
        yield
    finally:
        for own, values in zip(held, before, strict=True):
            own.update(values)


def slope(outs: Sequence[Tensor], inputs: Sequence[Tensor]) -> Tensor:
    """Gradients of the outputs, weighted by place, all in one tensor, whose precision is the lowest in use."""
    pairs = [(out, varied(torch.ones_like(out))) for out in outs if out.requires_grad and out.is_floating_point()]
    found: Sequence[Tensor | None] = ()
    if pairs and inputs:
        parts, weights = zip(*pairs, strict=True)
        found = torch.autograd.grad(parts, inputs, weights, allow_unused=True)
    low = any(out.element_size() < 4 for out in outs) or any(map(torch.is_autocast_enabled, ("cpu", "cuda")))
    joined = [part.to_dense().flatten().float() for part in found if part is not None]
    return torch.cat(joined or [torch.zeros(1)]).to(torch.bfloat16 if low else torch.float32)


def alike(one: Tensor, other: Tensor) -> bool:
    """Whether two results are the same up to rounding, or have the same values if these are no numbers."""
    if not one.is_floating_point():
        return torch.equal(one, other)
    epsilon = torch.finfo(one.dtype).eps
    finite = one.isfinite()  # other values come from the features and are left out of both norms
    if not torch.equal(finite, other.isfinite()):
        return False
    one, other = one.detach()[finite].double(), other.detach()[finite].double()
    return bool((one - other).norm() <= max(TOLERANCE, 8 * epsilon) * one.norm() + 1e-30)
