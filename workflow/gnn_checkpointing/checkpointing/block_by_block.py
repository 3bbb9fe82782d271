"""One call of `propagate` as one node of the autograd graph that keeps no value per edge.

The forward pass runs without recording; the backward pass computes again what it needs, block by block. Of the node
maps that a layer makes before it calls `propagate` nothing is kept either: the layer's forward pass is entered again
with its own arguments and left where it calls `propagate`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch._C._functorch import is_legacy_batchedtensor

from gnn_checkpointing.checkpointing.block_arguments import Call
from gnn_checkpointing.checkpointing.cut_call import CutCall, Executor, Outputs
from gnn_checkpointing.checkpointing.eager_blocks import differentiable_gradients
from gnn_checkpointing.checkpointing.random_states import RandomStates, random_restored
from gnn_checkpointing.checkpointing.recomputation import Recomputation, with_tensors
from gnn_checkpointing.refusal import Refusal

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
        batched = any(gradient is not None and is_legacy_batchedtensor(gradient) for gradient in gradients)
        if batched and (differentiable or ctx.executor.draws):  # kernels compute one after the other
            raise Refusal(
                f"edge blocks of {type(ctx.cut.conv).__name__} give no gradients in a batch (is_grads_batched=True, or "
                "vectorize=True); ask for one gradient after the other, use torch.func.jacrev, or remove the policy"
            )

        def found() -> tuple[Sequence[Tensor | None], Sequence[Tensor | None]]:
            with torch.set_grad_enabled(differentiable):
                call = ctx.again(saved) if ctx.again else ctx.cut.call.with_tensors(saved)
            if call is None:
                raise RuntimeError(f"{type(ctx.cut.conv).__name__} did not call propagate when it was computed again")
            cut = replace(ctx.cut, call=call)
            parameters = tuple(p for p, wants in zip(ctx.parameters, wants_parameters, strict=True) if wants)
            with random_restored(ctx.random):
                if differentiable:
                    return differentiable_gradients(cut, gradients, wanted, parameters)
                detached = cut.on([tensor.detach() for tensor in call.tensors])
                executor: Executor = ctx.executor
                # A weight's own hooks see its whole gradient, where autograd adds it up, and not that of each block.
                leaves = {id(p): p.detach().requires_grad_() for p in parameters if p._backward_hooks}
                replaced = {name: leaves[id(p)] for name, p in cut.conv.named_parameters() if id(p) in leaves}
                parameters = tuple(leaves.get(id(p), p) for p in parameters)
                differentiated = partial(executor.gradients, detached, kept, gradients, wanted, parameters)
                return with_tensors(cut.conv, replaced, differentiated)  # type: ignore[no-any-return]

        of_tensors, of_parameters = ctx.state.again(found)
        remaining = iter(of_parameters)
        return (
            *(None,) * 4,
            *of_tensors,
            *(None,) * num_saved,
            *(next(remaining) if wants else None for wants in wants_parameters),
        )
