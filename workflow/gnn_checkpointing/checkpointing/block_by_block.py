"""One call of `propagate` as one node of the autograd graph that keeps no value per edge.

The forward pass runs without recording; the backward pass computes again what it needs, block by block. Of the node
maps that a layer makes before it calls `propagate` nothing is kept either: the layer's forward pass is entered again
with its own arguments and left where it calls `propagate`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn.parameter import is_lazy
from torch_geometric.nn import MessagePassing

from gnn_checkpointing.checkpointing.block_arguments import BlockReader, Call, Leaves, Role, shared_rows
from gnn_checkpointing.checkpointing.block_plan import EdgeBlock, SortedEdges
from gnn_checkpointing.checkpointing.recomputation import RandomStates, Recomputation, random_restored, with_tensors

Outputs = tuple[Tensor, ...]


@dataclass(frozen=True)
class CutCall:
    """A call of `propagate` with all that is needed to compute it in parts of at most `edges_per_block` edges."""

    conv: MessagePassing
    call: Call
    edges: SortedEdges
    roles: dict[str, Role]
    edges_per_block: int

    @property
    def blocks(self) -> tuple[EdgeBlock, ...]:
        """The parts, each whole for its destinations."""
        return self.edges.blocks(self.edges_per_block)

    def on(self, tensors: Sequence[Tensor]) -> CutCall:
        """The same call on other tensors."""
        return replace(self, call=self.call.with_tensors(tensors))

    def reader(self) -> BlockReader:
        """A reader of its arguments."""
        return BlockReader(self.conv, self.call, self.edges, self.roles)


class Executor(Protocol):
    """A way to compute a cut call and its gradients."""

    @property
    def draws(self) -> bool:
        """Whether the gradients may draw random numbers, which must be those of the forward pass."""

    def forward(self, cut: CutCall) -> tuple[Outputs, Outputs]:
        """The aggregates `[..., num_nodes, ...]`, and values per node that the backward pass will read."""

    def gradients(
        self,
        cut: CutCall,
        kept: Outputs,
        gradients: Sequence[Tensor | None],
        wanted: Sequence[bool],
        parameters: Outputs,
    ) -> tuple[Sequence[Tensor | None], Sequence[Tensor | None]]:
        """The gradients of `cut.call.tensors` where `wanted`, and those of `parameters`."""


Again = Callable[[Sequence[Tensor]], Call | None]
"""Makes the call once more from the tensors that were saved for it."""


@dataclass(frozen=True)
class Saved:
    """What the backward pass starts from: the call's own tensors, or the arguments of the layer's forward pass."""

    tensors: tuple[Tensor, ...]
    again: Again | None


def run_cut(cut: CutCall, executor: Executor, saved: Saved, state: Recomputation, parameters: Outputs) -> Any:
    """The aggregates of a call: a tensor, or a tuple of them where the layer aggregates several."""
    out = _Cut.apply(cut, executor, saved, state, *cut.call.tensors, *saved.tensors, *parameters)  # type: ignore[no-untyped-call]
    return out[0] if isinstance(out, tuple) and len(out) == 1 else out


class _Cut(torch.autograd.Function):
    """Saves the start of the recomputation, and what the executor keeps per node."""

    @staticmethod
    def forward(
        ctx: Any, cut: CutCall, executor: Executor, saved: Saved, state: Recomputation, *tensors: Tensor
    ) -> Any:
        """Compute without recording."""
        count, start = len(cut.call.tensors), len(cut.call.tensors) + len(saved.tensors)
        before = RandomStates.now(cut.edges.pointer.device) if executor.draws else None
        out, kept = executor.forward(cut.on([tensor.detach() for tensor in tensors[:count]]))
        ctx.cut = replace(cut, call=cut.call.with_tensors(()))
        ctx.executor, ctx.state, ctx.again = executor, state, saved.again
        # Of this call: what the layer drew before it was drawn by its own forward pass.
        ctx.random = None if before is None or before == RandomStates.now(before.device) else before
        ctx.counts = (count, len(saved.tensors))
        ctx.parameters = tensors[start:]
        ctx.save_for_backward(*(saved.tensors if saved.again else tensors[:count]), *kept)
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> Any:
        """Compute again, and differentiate."""
        count, num_saved = ctx.counts
        wanted = ctx.needs_input_grad[4 : 4 + count]
        wants_parameters = ctx.needs_input_grad[4 + count + num_saved :]
        start = num_saved if ctx.again else count
        everything = ctx.saved_tensors  # read once: a checkpoint around this layer recomputes at every reading
        saved, kept = everything[:start], everything[start:]
        differentiable = torch.is_grad_enabled()

        def found() -> tuple[Sequence[Tensor | None], Sequence[Tensor | None]]:
            with torch.set_grad_enabled(differentiable):
                call = ctx.again(saved) if ctx.again else ctx.cut.call.with_tensors(saved)
            if call is None:
                raise RuntimeError(f"{type(ctx.cut.conv).__name__} did not call propagate when it was computed again")
            cut = replace(ctx.cut, call=call)
            parameters = tuple(p for p, wants in zip(ctx.parameters, wants_parameters, strict=True) if wants)
            with random_restored(ctx.random):
                if differentiable:
                    return _differentiable_gradients(cut, gradients, wanted, parameters)
                detached = cut.on([tensor.detach() for tensor in call.tensors])
                executor: Executor = ctx.executor
                return executor.gradients(detached, kept, gradients, wanted, parameters)

        of_tensors, of_parameters = ctx.state.again(found)
        remaining = iter(of_parameters)
        return (
            *(None,) * 4,
            *of_tensors,
            *(None,) * num_saved,
            *(next(remaining) if wants else None for wants in wants_parameters),
        )


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
        kept: Outputs,
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
            _add_block(cut, reader, block, gradients, wanted, parameters, sums, of_parameters)
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
) -> None:
    """Differentiate one block and add its gradients to the sums."""
    dim, ends = cut.conv.node_dim, cut.edges.ends(block)
    leaves = Leaves(wanted, shared_rows(cut.conv, cut.call))
    with torch.enable_grad():
        parts = stage(cut, reader, block, ends, leaves)
    pairs = [
        (part, gradient.narrow(dim, block.first, block.num_nodes))
        for part, gradient in zip(parts, gradients, strict=True)
        if gradient is not None and part.requires_grad
    ]
    del parts
    asked = list(leaves.leaves.items())
    if not pairs or not (asked or parameters):
        return
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


def _differentiable_gradients(
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


def stage(
    cut: CutCall, reader: BlockReader, block: EdgeBlock, ends: tuple[Tensor, Tensor], leaves: Leaves
) -> tuple[Tensor, ...]:
    """What the layer aggregates for the block's nodes, by its own methods."""
    conv, call = cut.conv, cut.call

    def arguments(method: str, values: dict[str, Any]) -> dict[str, Any]:
        names = conv.inspector.get_param_names(method)
        found = reader.arguments(names, values, block, ends, leaves)
        return found | {name: value for name, value in updated.items() if name in names}

    updated: dict[str, Any] = {}
    if call.edge_values is not None and call.edge_result is not None:
        updated[call.edge_result] = conv.edge_update(**arguments("edge_update", call.edge_values))
    messages = conv.message(**arguments("message", call.values))
    out = conv.aggregate(messages, **arguments("aggregate", call.values))
    return tuple(out) if isinstance(out, tuple | list) else (out,)
