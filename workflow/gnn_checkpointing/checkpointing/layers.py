"""Policies on whole layers: `layers`, `segments` rerun, `offloaded` moves to the host, `reversible` computes back."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.autograd.graph import save_on_cpu, saved_tensors_hooks
from torch.utils import _pytree as pytree
from torch.utils.checkpoint import checkpoint
from torch_geometric.nn import GroupAddRev, MessagePassing

from gnn_checkpointing.checkpointing.attached import put, refuse_copies, with_tensors
from gnn_checkpointing.checkpointing.given import flattened, versions_of
from gnn_checkpointing.checkpointing.hooks import alone, observed
from gnn_checkpointing.checkpointing.message_code import forward_of
from gnn_checkpointing.checkpointing.recomputation import Form, Recomputation, other_than_before
from gnn_checkpointing.refusal import Refusal, Unavailable


def checkpoint_layers(model: nn.Module, *, compiled: bool = True) -> None:
    """Policy `layers`: each layer keeps its input and is recomputed whole in the backward pass.

    A layer is one of the model's `blocks` if the model has such a list, else a message passing layer. Without
    `compiled`, `torch.compile` skips the layers: it would update the buffers of a layer cut into blocks twice.
    """
    for layer in layers_of(model, "layers"):
        put(layer, "forward", partial(recomputed, layer, forward_of(layer), compiled=compiled))


def layers_of(model: nn.Module, policy: str) -> list[nn.Module]:
    """The layers that `policy` recomputes one by one; raises `Refusal` if there are none."""
    blocks = getattr(model, "blocks", None)
    if not isinstance(blocks, nn.ModuleList):
        blocks = (module for module in model.modules() if isinstance(module, MessagePassing))
    layers = list(blocks)
    if not layers:
        raise Refusal(f"policy {policy}: {type(model).__name__} has neither `blocks` nor a PyG message passing layer")
    return layers


def checkpoint_segments(model: nn.Module, num_segments: int) -> None:
    """Policy `segments`: runs of blocks of nearly equal length; each run keeps its input and is recomputed whole.

    A segment passes nothing but its output to the next one. The model must have a method
    `through_blocks(blocks, x, ...)` that its forward pass calls with its `blocks`, as `models.stack.Stack` does.
    """
    blocks, through = getattr(model, "blocks", None), getattr(model, "through_blocks", None)
    if not isinstance(blocks, nn.ModuleList) or through is None:
        raise Refusal(
            f"policy segments: {type(model).__name__} has no list `blocks` with a method `through_blocks(blocks, x, "
            "...)` that runs some of them one after another"
        )
    if num_segments > len(blocks):
        raise Refusal(f"policy segments({num_segments}): {type(model).__name__} has only {len(blocks)} blocks")
    put(model, "through_blocks", partial(_by_segments, through, num_segments))


def _by_segments(
    through: Callable[..., Tensor], num_segments: int, blocks: Sequence[nn.Module], x: Tensor, *rest: Any
) -> Tensor:
    for segment in segments_of(blocks, num_segments):
        x = recomputed(segment, through, segment, x, *rest)
    return x


def segments_of(blocks: Sequence[nn.Module], num_segments: int) -> list[nn.ModuleList]:
    """`blocks` cut into consecutive segments whose lengths differ by at most one, the longer ones first."""
    parts = np.array_split(range(len(blocks)), num_segments)
    return [nn.ModuleList([blocks[place] for place in part]) for part in parts]


Contexts = tuple[Callable[[], AbstractContextManager[Any]], Callable[[], AbstractContextManager[Any]]]
"""Factories of the contexts in which a function runs: in its forward pass, and when it is recomputed."""


def _rerunnable(
    state: Recomputation,
    function: Callable[..., Any],
    contexts: Contexts,
    given: tuple[Any, Any],
    structure: pytree.TreeSpec,
) -> Callable[..., Any]:
    """Wrap `function` for `torch.utils.checkpoint`: the first call is the forward pass, later ones rerun it in `state`.

    The first call gets the caller's own arguments, `given`, and may write into their lists; later calls get new lists,
    built with `structure`. `contexts` surround the function alone. Autograd refuses tensors changed in place since.
    """
    first = [given]

    def within(run: int, args: Any, kwargs: Any) -> Any:
        with contexts[run]():
            return function(*args, **kwargs)

    def call(*leaves: Any) -> Any:
        if not first:
            return state.again(within, 1, *pytree.tree_unflatten(leaves, structure))
        versions = versions_of(leaves)
        with state.hooks.watched():
            out = within(0, *first.pop())
        if versions != versions_of(leaves):
            raise Refusal(
                f"{state.name} writes into an argument in place, and would again when it is recomputed; have it write "
                "into a copy, as by x.clone() or without inplace=True, or remove the policy"
            )
        state.forward_done()
        return out

    return call


class _Saved:
    """What `torch.utils.checkpoint` compares of each saved tensor when a module is recomputed for the first time."""

    def __init__(self, state: Recomputation, made: list[Self], tensor: Tensor) -> None:
        self._state, self._form = state, Form.of(tensor)
        self._tensor: Tensor | None = tensor
        made.append(self)

    def note(self) -> None:
        """Note the tensor's values and drop it; only after its run, since some kernels write what they have saved."""
        if self._tensor is not None:  # a layer that takes gradients in its own forward pass compares before its end
            self._form, self._tensor = self._state.form_of(self._tensor), None

    def __eq__(self, other: object) -> bool:
        """Whether both tensors are the same up to rounding; raises `RuntimeError` if they are not."""
        assert isinstance(other, _Saved)
        other.note()
        if not self._form.fits(other._form):
            raise other_than_before(self._state.name)
        self._state.confirm()
        return True

    __hash__ = None  # type: ignore[assignment]


_COMPARISONS: dict[str, Any] = torch.utils.checkpoint._allowed_determinism_checks_to_fns


def recomputed(
    module: nn.Module,
    forward: Callable[..., Any],
    *args: Any,
    contexts: Callable[[], Contexts] = lambda: (nullcontext, nullcontext),
    compiled: bool = True,
    **kwargs: Any,
) -> Any:
    """Run `forward` of `module` and recompute it in the backward pass; `compiled` lets `torch.compile` trace it."""
    refuse_copies(module)
    leaves, structure = flattened((args, kwargs))
    tensors = [part for part in leaves if isinstance(part, Tensor)]
    # PyG sorts COO matrices in place, and saved tensors must not change. Meta tensors have no values to recompute.
    aside = any(tensor.layout == torch.sparse_coo or tensor.is_meta for tensor in tensors)
    if not torch.is_grad_enabled() or aside or observed():
        return forward(*args, **kwargs)
    # use_reentrant=False: the reentrant form trains nothing if the input needs no gradient, as with raw features.
    if torch.compiler.is_compiling() and not compiled:
        return uncompiled(recomputed, module, forward, *args, **kwargs)
    if torch.compiler.is_compiling():
        # Random numbers and buffer updates are part of the compiled graph, so each happens only once.
        return checkpoint(forward, *args, use_reentrant=False, **kwargs)
    if any(tensor.is_inference() for tensor in tensors):  # autograd cannot save inference tensors
        return forward(*args, **kwargs)
    with alone(module):
        state = Recomputation(module, leaves)
        function = _rerunnable(state, forward, contexts(), (args, kwargs), structure)
        compares = f"values of {id(state)}" if state.unconfirmed else "default"
        saved: list[_Saved] = []
        _COMPARISONS.setdefault(compares, partial(_Saved, state, saved))
        try:
            # `_rerunnable` restores the random states: `checkpoint` does not know Python's and NumPy's generators.
            options: dict[str, Any] = {"preserve_rng_state": False, "determinism_check": compares}
            return checkpoint(function, *leaves, use_reentrant=False, **options)
        finally:
            while saved:
                saved.pop().note()
            if compares != "default":
                del _COMPARISONS[compares]


@torch.compiler.disable(  # type: ignore[no-untyped-call,untyped-decorator]
    reason="edge blocks run between compiled graphs: leave out fullgraph=True"
)
def uncompiled(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Run `function` outside the graphs of `torch.compile`."""
    return function(*args, **kwargs)


def offload(model: nn.Module) -> None:
    """Policy `offloaded` (CUDA): saved tensors wait in pinned host memory for the backward pass; no recomputation."""
    if not all(parameter.is_cuda for parameter in model.parameters()):
        raise Unavailable("policy offloaded needs a CUDA device: on CPU there is nowhere to offload to")
    put(model, "forward", partial(_offloaded, forward_of(model)))


def _offloaded(forward: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    offloading: Any = save_on_cpu(pin_memory=True)

    def pack(tensor: Tensor) -> Any:
        # A sparse tensor is the graph, not an activation, and cannot be pinned.
        return offloading.pack_hook(tensor) if tensor.layout == torch.strided else tensor

    with saved_tensors_hooks(pack, lambda one: one if isinstance(one, Tensor) else offloading.unpack_hook(one)):
        return forward(*args, **kwargs)


def drops_at_random(model: nn.Module) -> str | None:
    """Name of the first submodule of `model` with a dropout rate above 0, or None."""
    for name, module in model.named_modules():
        between = module.p if isinstance(module, nn.modules.dropout._DropoutNd) else 0.0
        inside = getattr(module, "dropout", 0.0) if isinstance(module, MessagePassing) else 0.0
        if between > 0 or (isinstance(inside, float | int) and inside > 0):
            return name or type(model).__name__
    return None


def reverse_blocks(model: nn.Module) -> None:
    """Policy `reversible`: turn on every GroupAddRev's memory saving; inputs computed back round the gradients."""
    blocks = [module for module in model.modules() if isinstance(module, GroupAddRev)]
    if not blocks:
        raise Refusal(
            f"policy reversible: {type(model).__name__} has no torch_geometric.nn.GroupAddRev; build its blocks of "
            "them, as models.stack.build_reversible_stack does"
        )
    for block in blocks:
        if name := drops_at_random(block):
            raise Refusal(
                f"policy reversible: {name} of a reversible block drops at random, and computing its input back "
                "draws other masks; drop outside the block"
            )
    for block in blocks:
        put(block, "disable", False)
        put(block, "_inverse", partial(_held, block, block._inverse))
        put(block, "_forward", partial(_held_in_backward, block, block._forward))


def _held(block: nn.Module, function: Callable[..., Any], *args: Any) -> Any:
    """Rerun a block on copies of its buffers: BatchNorm would update the originals a second time (pytorch#96136)."""
    copies = {name: buffer.clone() for name, buffer in block.named_buffers()}
    return with_tensors(block, copies, partial(function, *args))


def _held_in_backward(block: GroupAddRev, forward: Callable[..., Any], *args: Any) -> Any:
    # PyG runs a block's forward pass without gradients, and again with gradients in the backward pass.
    again = torch.is_grad_enabled() and not block.disable
    return _held(block, forward, *args) if again else forward(*args)
