"""Blocks computed by PyTorch's own operators and differentiated by autograd, one after the other."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.parameter import is_lazy

from gnn_checkpointing.checkpointing.block_arguments import BlockReader, Leaves, shared_rows
from gnn_checkpointing.checkpointing.block_plan import EdgeBlock
from gnn_checkpointing.checkpointing.cut_call import CutCall, Outputs, stage
from gnn_checkpointing.checkpointing.recomputation import with_tensors


class EagerBlocks:
    """Blocks computed by PyTorch's own operators and differentiated by autograd, one after the other."""

    draws = True

    def forward(self, cut: CutCall) -> tuple[Outputs, Outputs]:
        """The aggregates, joined; nothing is kept."""
        reader, dim = cut.reader(), cut.conv.node_dim
        joined: list[Tensor] = []
        for block in cut.blocks:
            parts = stage(cut, reader, block, cut.edges.ends(block), Leaves(shared=shared_rows(cut.conv, cut.call)))
            for position, part in enumerate(parts):
                if len(joined) == position:
                    shape = list(part.shape)
                    shape[dim] = cut.edges.num_nodes
                    joined.append(part.new_empty(shape))
                joined[position].narrow(dim, block.first, block.num_nodes).copy_(part)
            del parts
        return tuple(joined), ()

    def gradients(
        self,
        cut: CutCall,
        kept: Outputs,  # noqa: ARG002 - one signature for all executors
        gradients: Sequence[Tensor | None],
        wanted: Sequence[bool],
        parameters: Outputs,
    ) -> tuple[Sequence[Tensor | None], Sequence[Tensor | None]]:
        """The gradients, each block's added to those of the blocks before it."""
        reader = cut.reader()
        # None until a block reads the tensor: what no message reads has no gradient, as without blocks.
        sums: list[Tensor | None] = [None] * len(cut.call.tensors)
        of_parameters: list[Tensor | None] = [None] * len(parameters)
        for block in cut.blocks:
            if not _add_block(cut, reader, block, gradients, wanted, parameters, sums, of_parameters):
                break
        return sums, of_parameters


def _add_block(
    cut: CutCall,
    reader: BlockReader,
    block: EdgeBlock,
    gradients: Sequence[Tensor | None],
    wanted: Sequence[bool],
    parameters: Outputs,
    sums: list[Tensor | None],
    of_parameters: list[Tensor | None],
) -> bool:
    """Differentiate one block and add its gradients to the sums; False where no block has a gradient."""
    dim, ends = cut.conv.node_dim, cut.edges.ends(block)
    leaves = Leaves(wanted, shared_rows(cut.conv, cut.call))
    with torch.enable_grad():
        parts = stage(cut, reader, block, ends, leaves, unread=True)
    pairs = [
        (part, gradient.narrow(dim, block.first, block.num_nodes))
        for part, gradient in zip(parts, gradients, strict=True)
        if gradient is not None and part.requires_grad
    ]
    del parts
    asked = list(leaves.leaves.items())
    if not pairs or not (asked or parameters):
        return False
    outs, rows = zip(*pairs, strict=True)
    inputs = [leaf for _, leaf in asked] + list(parameters)
    found = torch.autograd.grad(outs, inputs, rows, allow_unused=True)
    for ((position, end), _), part in zip(asked, found, strict=False):
        if part is not None:
            if (total := sums[position]) is None:
                total = sums[position] = torch.zeros_like(cut.call.tensors[position])
            reader.add_gradient(total, end, part, block)
    for position, part in enumerate(found[len(asked) :]):
        if part is not None:
            before = of_parameters[position]
            of_parameters[position] = part if before is None else before + part
    return True


def differentiable_gradients(
    cut: CutCall, gradients: Sequence[Tensor | None], wanted: Sequence[bool], parameters: Outputs
) -> tuple[Sequence[Tensor | None], Sequence[Tensor | None]]:
    """The gradients as functions that can be differentiated again; all blocks are recorded at once.

    By aliases of all inputs: one that follows from another, or from a weight, has its own partial derivative.
    """
    inputs = [tensor.view_as(tensor) for tensor in cut.call.tensors]
    weights = {name: weight.view_as(weight) for name, weight in cut.conv.named_parameters() if not is_lazy(weight)}
    of_weight = {id(weight): weights[name] for name, weight in cut.conv.named_parameters() if name in weights}
    cut = cut.on(inputs)
    reader, dim = cut.reader(), cut.conv.node_dim

    def all_parts() -> list[tuple[Tensor, ...]]:
        return [stage(cut, reader, block, cut.edges.ends(block), Leaves()) for block in cut.blocks]

    outs = [torch.cat(part, dim) for part in zip(*with_tensors(cut.conv, weights, all_parts), strict=True)]
    pairs = [(out, g) for out, g in zip(outs, gradients, strict=True) if g is not None and out.requires_grad]
    asked = [tensor for tensor, wants in zip(inputs, wanted, strict=True) if wants]
    found = iter(
        torch.autograd.grad(
            [out for out, _ in pairs],
            [*asked, *(of_weight[id(weight)] for weight in parameters)],
            [gradient for _, gradient in pairs],
            create_graph=True,
            allow_unused=True,
        )
    )
    return [next(found) if wants else None for wants in wanted], list(found)
