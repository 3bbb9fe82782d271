"""One call of `propagate` as one node of the autograd graph that keeps no value per edge.

The forward pass runs without recording; the backward pass recomputes what it needs, block by block. The node maps that
a layer computes before it calls `propagate` are not kept either: the layer's forward pass is rerun with its own
arguments, up to its call of `propagate`.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch._C._functorch import is_legacy_batchedtensor
from torch.nn.parameter import is_lazy

from gnn_checkpointing.checkpointing.attached import with_tensors
from gnn_checkpointing.checkpointing.block_arguments import Call, edge_dim, shared_rows
from gnn_checkpointing.checkpointing.block_plan import EdgeBlock
from gnn_checkpointing.checkpointing.cut_call import CutCall, Executor, Leaves, Outputs, Sums, stage
from gnn_checkpointing.checkpointing.kernel_executors import AttentionKernel, Masked
from gnn_checkpointing.checkpointing.random_states import RandomStates, random_restored
from gnn_checkpointing.checkpointing.recomputation import Form, Recomputation, changed_in_place, other_than_before
from gnn_checkpointing.refusal import Refusal


class EagerBlocks:
    """Blocks computed by PyTorch's own operators and differentiated by autograd, one after the other."""

    draws = True

    def reads(self, wanted: Sequence[bool]) -> frozenset[int]:
        """All positions, since messages are recomputed."""
        return frozenset(range(len(wanted)))

    def forward(self, cut: CutCall) -> tuple[Outputs, Outputs]:
        """Compute the aggregates block by block and join them; nothing is kept for the backward pass."""
        dim, shared = cut.conv.node_dim, shared_rows(cut.conv, cut.call)
        joined: list[Tensor] = []
        for block in cut.blocks:
            parts = stage(cut, block, cut.edges.ends(block), Leaves(shared=shared))
            for position, part in enumerate(parts):
                if len(joined) == position:
                    shape = list(part.shape)
                    shape[dim] = cut.edges.num_nodes
                    joined.append(part.new_empty(shape))
                joined[position].narrow(dim, block.first, block.num_nodes).copy_(part)
            del parts
        return tuple(joined), ()

    def add_gradients(
        self,
        cut: CutCall,
        kept: Outputs,  # noqa: ARG002 - one signature for all executors
        gradients: Sequence[Tensor | None],
        sums: Sums,
    ) -> None:
        """Add the gradients, one block after another."""
        for block in cut.blocks:
            if not _add_block(cut, block, gradients, sums):
                break


def _add_block(cut: CutCall, block: EdgeBlock, gradients: Sequence[Tensor | None], sums: Sums) -> bool:
    """Differentiate one block and add its gradients to the sums; False if no block has a gradient."""
    dim, ends = cut.conv.node_dim, cut.edges.ends(block)
    leaves = Leaves(sums.wanted, shared_rows(cut.conv, cut.call))
    with torch.enable_grad():
        parts = stage(cut, block, ends, leaves, unread=True)
    pairs = [
        (part, gradient.narrow(dim, block.first, block.num_nodes))
        for part, gradient in zip(parts, gradients, strict=True)
        if gradient is not None and part.requires_grad
    ]
    del parts
    asked = list(leaves.leaves.items())
    if not pairs or not (asked or sums.weights):
        return False
    outs, rows = zip(*pairs, strict=True)
    inputs = [leaf for _, leaf in asked] + list(sums.weights)
    found = torch.autograd.grad(outs, inputs, rows, allow_unused=True)
    reads = Counter(position for (position, _), _ in asked)
    for ((position, end), _), part in zip(asked, found, strict=False):
        if part is not None:
            _add_read(cut, block, sums.total(position), end, part, reads[position] == 1)
    sums.add_to_weights(found[len(asked) :])
    return True


def _add_read(cut: CutCall, block: EdgeBlock, total: Tensor, end: str, part: Tensor, alone: bool) -> None:
    """Add the gradient of what one block read. Rows of a tensor read by edge `alone` are copied, which is faster."""
    if end in ("j", "whole"):
        total.add_(part)
    elif end == "i":
        total.narrow(cut.conv.node_dim, block.first, block.num_nodes).add_(part)
    else:
        dim, places = edge_dim(total, cut.edges.num_edges, cut.conv.node_dim), cut.edges.places(block)
        if isinstance(places, slice):
            total.narrow(dim, places.start, places.stop - places.start).add_(part)
        else:
            (total.index_copy_ if alone else total.index_add_)(dim, places.to(torch.int64), part)


def _differentiable_gradients(
    cut: CutCall, gradients: Sequence[Tensor | None], sums: Sums, masks: Tensor | None
) -> None:
    """Compute gradients that can be differentiated again; autograd records all blocks at once.

    Differentiates by aliases of the inputs, so that an input computed from another one, or from a weight, has its own
    partial derivative. `masks` are those that a kernel has drawn.
    """
    inputs = [tensor.view_as(tensor) for tensor in cut.call.tensors]
    weights = {name: weight.view_as(weight) for name, weight in cut.layer.named_parameters() if not is_lazy(weight)}
    of_weight = {id(weight): weights[name] for name, weight in cut.layer.named_parameters() if name in weights}
    cut, dim = cut.on(inputs), cut.conv.node_dim

    def of_block(block: EdgeBlock) -> Outputs:
        with nullcontext() if masks is None else Masked(masks[block.start : block.stop]):
            return stage(cut, block, cut.edges.ends(block), Leaves())

    def all_parts() -> list[Outputs]:
        return [of_block(block) for block in cut.blocks]

    outs = [torch.cat(part, dim) for part in zip(*with_tensors(cut.layer, weights, all_parts), strict=True)]
    pairs = [(out, g) for out, g in zip(outs, gradients, strict=True) if g is not None and out.requires_grad]
    wanted = [position for position, wants in enumerate(sums.wanted) if wants]
    found = torch.autograd.grad(
        [out for out, _ in pairs],
        [*(inputs[position] for position in wanted), *(of_weight[id(weight)] for weight in sums.weights)],
        [gradient for _, gradient in pairs],
        create_graph=True,
        allow_unused=True,
    )
    for position, part in zip(wanted, found, strict=False):
        sums.of_tensors[position] = part
    sums.add_to_weights(found[len(wanted) :])


@dataclass(frozen=True)
class Saved:
    """Start of the backward pass: the call's own tensors, or the arguments of the layer's forward pass.

    `again` recreates the call from these arguments, including its tensors at the positions `made`.
    """

    tensors: Outputs = ()
    again: Callable[[Sequence[Tensor]], Call | None] | None = None
    made: frozenset[int] = frozenset()


def run_cut(cut: CutCall, executor: Executor, saved: Saved, state: Recomputation, parameters: Outputs) -> Any:
    """Compute the aggregates of a call: a tensor, or a tuple of tensors if the layer aggregates several."""
    out = _Cut.apply(cut, executor, saved, state, *cut.call.tensors, *saved.tensors, *parameters)  # type: ignore[no-untyped-call]
    return out[0] if isinstance(out, tuple) and len(out) == 1 else out


class _Cut(torch.autograd.Function):
    """Autograd function that saves the start of the recomputation and the executor's values per node."""

    @staticmethod
    def forward(
        ctx: Any, cut: CutCall, executor: Executor, saved: Saved, state: Recomputation, *tensors: Tensor
    ) -> Any:
        """Compute without recording."""
        ctx.set_materialize_grads(False)  # a result that nobody uses gives its weights no gradients, instead of zeros
        count = len(cut.call.tensors)
        device, own = cut.edges.pointer.device, state.generators
        before = RandomStates.now(device, own) if executor.draws else None
        out, kept = executor.forward(cut.on([tensor.detach() for tensor in tensors[:count]]))
        ctx.cut, ctx.executor, ctx.state, ctx.again = cut.on(()), executor, state, saved.again
        # States of this call alone: random numbers drawn before it belong to the layer's own forward pass.
        ctx.random = None if before is None or before == RandomStates.now(device, own) else before
        ctx.counts, ctx.parameters = (count, len(saved.tensors)), tensors[count + len(saved.tensors) :]
        reads = executor.reads(ctx.needs_input_grad[4 : 4 + count])
        # Tensors that the gradients do not read are neither kept nor recomputed; only their form is kept.
        ctx.read = None if reads & saved.made else sorted(reads)
        # Positions `made` are computed again from other tensors, which is checked once.
        form_of = [state.form_of if place in saved.made and ctx.read is None else Form.of for place in range(count)]
        ctx.forms = [of(tensor) for of, tensor in zip(form_of, tensors, strict=False)]
        start = saved.tensors if ctx.read is None else [tensors[place] for place in ctx.read]
        ctx.save_for_backward(*start, *kept)
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> Any:
        """Recompute, and differentiate."""
        count, num_saved = ctx.counts
        wanted = ctx.needs_input_grad[4 : 4 + count]
        wants_parameters = ctx.needs_input_grad[4 + count + num_saved :]
        start = num_saved if ctx.read is None else len(ctx.read)
        try:
            everything = ctx.saved_tensors  # read once: a checkpoint around this layer recomputes at every reading
        except RuntimeError as error:
            if "inplace operation" not in str(error):
                raise
            raise changed_in_place(ctx.state.name) from error
        saved, kept = everything[:start], everything[start:]
        differentiable = torch.is_grad_enabled()
        batched = any(gradient is not None and is_legacy_batchedtensor(gradient) for gradient in gradients)
        if batched and (differentiable or ctx.executor.draws):  # kernels take one gradient at a time
            raise Refusal(
                f"edge blocks of {type(ctx.cut.layer).__name__} give no gradients in a batch (is_grads_batched=True, "
                "or vectorize=True); ask for one gradient after the other, use torch.func.jacrev, or remove the policy"
            )

        def found() -> tuple[list[Tensor | None], list[Tensor | None]]:
            if ctx.read is None:
                with torch.set_grad_enabled(differentiable):
                    call = ctx.again(saved)
            else:
                values = [form.stand_in().requires_grad_(wants) for form, wants in zip(ctx.forms, wanted, strict=True)]
                for place, value in zip(ctx.read, saved, strict=True):
                    values[place] = value
                call = ctx.cut.call.with_tensors(values)
            if call is None or len(call.tensors) != count:
                raise other_than_before(ctx.state.name)
            if not all(form.fits(ctx.state.form_of(t)) for form, t in zip(ctx.forms, call.tensors, strict=True)):
                raise other_than_before(ctx.state.name)
            cut = replace(ctx.cut, call=call)
            asked = zip(ctx.parameters, wants_parameters, strict=True)
            parameters = tuple(ctx.state.weight_in_use(p) for p, wants in asked if wants)
            # A weight's own hooks must see its whole gradient, which autograd accumulates, and not each block's.
            hooked = () if differentiable else tuple(p for p in parameters if p._backward_hooks)
            leaves = {id(p): p.detach().requires_grad_() for p in hooked}
            named = cut.layer.named_parameters() if leaves else ()
            replaced = {name: leaves[id(p)] for name, p in named if id(p) in leaves}
            sums = Sums(call.tensors, wanted, tuple(leaves.get(id(p), p) for p in parameters))
            with random_restored(ctx.random):
                executor: Executor = ctx.executor
                if differentiable:
                    masks = executor.masks(cut, kept) if isinstance(executor, AttentionKernel) else None
                    _differentiable_gradients(cut, gradients, sums, masks)
                else:
                    cut = cut.on([tensor.detach() for tensor in call.tensors])
                    with_tensors(cut.layer, replaced, partial(executor.add_gradients, cut, kept, gradients, sums))
            return sums.of_tensors, sums.of_weights

        of_tensors, of_weights = ctx.state.again(found)
        ctx.state.confirm()
        remaining = iter(of_weights)
        return (
            *(None,) * 4,
            *of_tensors,
            *(None,) * num_saved,
            *(next(remaining) if wants else None for wants in wants_parameters),
        )
