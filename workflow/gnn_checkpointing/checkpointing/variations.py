"""Other values for the tensors that messages read, so that a trial finds dependences that the given values hide."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from gnn_checkpointing.checkpointing.attributes import plain_attributes
from gnn_checkpointing.checkpointing.block_arguments import counts_edges, edge_dim
from gnn_checkpointing.checkpointing.block_plan import EdgeBlock
from gnn_checkpointing.checkpointing.cut_call import CutCall


def varied(tensor: Tensor) -> Tensor:
    """Multiply each float by its own factor between 0.5 and 1; replace integers by others in the same range."""
    if tensor.is_floating_point():
        factors = torch.linspace(0.5, 1, tensor.numel(), dtype=tensor.dtype, device=tensor.device)
        return tensor * factors.view(tensor.shape)
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


def vary_what_is_kept(conv: nn.Module) -> None:
    """Vary the values of the tensors that a layer and its submodules hold; the caller must restore them."""
    held = [value for _, value in plain_attributes(conv) if type(value) is dict]
    for own in (*held, *(own for part in conv.modules() for own in (vars(part), part._buffers))):
        for name, value in own.items():
            if isinstance(value, Tensor) and value.layout == torch.strided and not is_lazy(value):
                own[name] = varied(value)


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
