"""Policies that decide per operator what is kept: `selective`, and with TorchInductor `compiled` and `memory_budget`.

`selective` keeps each layer's input and the results of its matrix products, through
`torch.utils.checkpoint.create_selective_checkpoint_contexts`; everything else is recomputed. That is one product of
nodes per layer of GCN and GAT, two of SAGE, GIN and GATv2, and for EdgeConv two products of edges, each as long as the
messages. For GCN and SAGE (mean), whose layers keep little, this is more than policy `none` keeps. PyTorch does not
allow changes in place to a kept result: PyG's aggregation, which scatters in place, cannot be kept, and a layer that
changes a product in place, as `nn.ReLU(inplace=True)` after `nn.Linear` and GRU cells do, is refused in its first step.

Two models never share compiled code, and no part of a model is silently left uncompiled.
"""

import copy
import importlib.util
import inspect
import os
import shutil
import sys
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import CheckpointPolicy, create_selective_checkpoint_contexts

from gnn_checkpointing.checkpointing.attached import put
from gnn_checkpointing.checkpointing.kernels.build import said_by
from gnn_checkpointing.checkpointing.layers import Contexts, drops_at_random, layers_of, recomputed
from gnn_checkpointing.checkpointing.message_code import forward_of
from gnn_checkpointing.refusal import Refusal, Unavailable

KEPT = [torch.ops.aten.mm.default, torch.ops.aten.addmm.default, torch.ops.aten.bmm.default]
"""Operators whose results are kept: the only ones whose cost grows with the square of the channels."""


_UNWATCHED = (torch.ops.aten.unsafe_split.Tensor, torch.ops.aten.unsafe_split_with_sizes.default)
"""Operators that split a result into views whose in-place changes PyTorch does not count; GRU cells use them."""


def checkpoint_selectively(model: nn.Module) -> None:
    """Checkpoint each layer of `model`, as policy `layers` does, but keep the results of the operators `KEPT`."""
    for layer in layers_of(model, "selective"):
        put(layer, "forward", partial(recomputed, layer, forward_of(layer), contexts=partial(_contexts, layer)))


def _contexts(layer: nn.Module) -> Contexts:
    keeping, reading = create_selective_checkpoint_contexts(partial(_kept, layer))  # type: ignore[no-untyped-call]
    return partial(_without_cast_cache, keeping), partial(_reading, layer, reading, {})


def _kept(layer: nn.Module, _: Any, operator: Any, *__: Any, **___: Any) -> CheckpointPolicy:
    """Whether an operator's result is kept."""
    if operator in _UNWATCHED:
        raise _refusal(layer)
    return CheckpointPolicy.MUST_SAVE if operator in KEPT else CheckpointPolicy.PREFER_RECOMPUTE


def _refusal(layer: nn.Module) -> Refusal:
    conv = type(getattr(layer, "conv", layer)).__name__
    return Refusal(
        f"policy selective: {conv} changes a kept result in place (of mm, addmm or bmm), and PyTorch can keep none "
        "that changes; build it without inplace=True and GRU, or take policy layers"
    )


@contextmanager
def _without_cast_cache(inner: AbstractContextManager[Any]) -> Iterator[None]:
    """Enter `inner` without autocast's cache: each use of a weight casts it, so that all passes run equal operators."""
    with ExitStack() as stack:
        for device in ("cpu", "cuda"):
            if torch.is_autocast_enabled(device):
                dtype = torch.get_autocast_dtype(device)
                stack.enter_context(torch.autocast(device, dtype=dtype, cache_enabled=False))
        stack.enter_context(inner)
        yield


@contextmanager
def _reading(layer: nn.Module, reading: Any, kept: dict[Any, Any]) -> Iterator[None]:
    """Recompute `layer` from the kept results; raises `Refusal` if one of them was changed in place."""
    kept.update(reading.storage if not kept else {})
    # A copy for each pass: PyTorch removes what it reads, and a graph may be differentiated twice.
    reading.storage = {key: copy.copy(entries) for key, entries in kept.items()}
    try:
        with _without_cast_cache(reading):
            yield
    except RuntimeError as error:
        cause, said = error.__context__, str(error)
        while cause is not None:  # PyG's check of indices may have replaced PyTorch's message
            cause, said = cause.__context__, said + str(cause)
        if "has been mutated" in said:
            raise _refusal(layer) from error
        if "not found in storage" in said:
            raise Refusal(
                f"policy selective: {type(layer).__name__} runs other operators when it is recomputed, as where it "
                "takes a gradient in its own forward pass; take policy layers"
            ) from error
        raise


COMPILING: dict[str, Any] = {
    # One graph or an error: a graph break or the recompilation limit would silently leave a part uncompiled.
    "fullgraph": True,
    # Kernels are specialised to the numbers of nodes and channels: kernels for all sizes are slower.
    "dynamic": False,
}
"""Arguments of `torch.compile` for all policies that compile."""

# PyTorch keeps compiled code by Python code object, which two models of a class share; from torch 2.13 on, each call of
# `torch.compile` can have its own.
ISOLATES = "isolate_recompiles" in inspect.signature(torch.compile).parameters
if ISOLATES:
    COMPILING["isolate_recompiles"] = True

_ENOUGH_FOR_ALL = 256
"""Recompilation limit of a code object that holds the compiled code of all models: the default, 8, is too low."""

_APT = "on Debian and Ubuntu: apt-get install"

_TRITON_SINCE = (7, 0)
"""TorchInductor refuses older GPUs."""


def require_compiler(device_type: str, policy: str = "compiled") -> None:
    """Raise `Unavailable` if a tool is missing that TorchInductor needs to build kernels for `device_type`."""
    if device_type == "cuda":
        if importlib.util.find_spec("triton") is None:
            raise Unavailable(f"policy {policy} needs triton on CUDA: pip install triton")
        # Triton builds its launchers at run time.
        if not any(map(shutil.which, [os.environ.get("CC", "gcc"), "clang"])):
            raise Unavailable(f"policy {policy} needs a C compiler (CC, gcc or clang): {_APT} g++")
    else:
        import torch._inductor.config as kernels

        # TorchInductor tries the same compilers, but without a time limit and without showing their messages.
        compilers = [path for name in kernels.cpp.cxx if name and (path := shutil.which(name))]
        if not compilers:
            raise Unavailable(f"policy {policy} needs a C++ compiler (CXX or g++): {_APT} g++")
        said_by([compilers[0], "--version"], policy)
    headers = Path(sysconfig.get_path("include"))  # the launchers of both kinds of kernels need them
    if not (headers / "Python.h").exists():
        raise Unavailable(f"policy {policy} needs Python's headers ({headers} has none): {_APT} python3-dev")
    if device_type == "cuda" and (capability := torch.cuda.get_device_capability()) < _TRITON_SINCE:
        wanted, found = (".".join(map(str, version)) for version in (_TRITON_SINCE, capability))
        raise Unavailable(
            f"policy {policy} needs a GPU of compute capability {wanted} for triton; this one has {found}"
        )


def compile_model(model: nn.Module, policy: str, activation_memory_budget: float = 1.0) -> None:
    """Make `model` run as generated kernels, in place; parameters and their names do not change.

    Nothing is compiled before the first call. Raises `Unavailable` without a compiler and `Refusal` for dropout.
    """
    require_compiler(next((parameter.device.type for parameter in model.parameters()), "cpu"), policy)
    if name := drops_at_random(model):
        raise Refusal(
            f"policy {policy}: {name} drops at random, and generated kernels draw other masks than PyTorch's own"
        )
    compiled = torch.compile(model._call_impl, backend=_inductor(activation_memory_budget), **COMPILING)
    put(model, "_compiled_call_impl", partial(_for_any_edges, compiled, f"policy {policy}: {type(model).__name__}"))


def _for_any_edges(compiled: Any, what: str, *arguments: Any, **named: Any) -> Any:
    """Call `compiled` with a dynamic number of edges, so that one compilation serves graphs of every density.

    Compared with compilation for one number of edges (nine layers of GATv2, degree 128), it took the same bytes and
    0.99 to 1.00 of the time.
    """
    from torch._dynamo import maybe_mark_dynamic
    from torch._dynamo.exc import BackendCompilerFailed, Unsupported

    for tensor in (*arguments, *named.values()):
        if isinstance(tensor, Tensor) and tensor.layout == torch.strided:
            if tensor.dim() == 2 and tensor.size(0) == 2 and not tensor.is_floating_point():
                maybe_mark_dynamic(tensor, 1)  # edge_index
            elif tensor.dim() == 1:
                maybe_mark_dynamic(tensor, 0)  # edge weights
    try:
        return compiled(*arguments, **named)
    except (BackendCompilerFailed, Unsupported) as error:
        said = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise Refusal(
            f"{what} cannot be compiled as one graph ({said}); layers that look at the graph's values cannot, as those "
            "that add self-loops: add them before, and build the layer with add_self_loops=False, or take edge_blocks"
        ) from error


def _inductor(activation_memory_budget: float) -> Callable[[torch.fx.GraphModule, list[Tensor]], Any]:
    """TorchInductor with fixed settings, as a new backend object that is never equal to another."""
    if not ISOLATES:
        import torch._dynamo.config as dynamo

        dynamo.recompile_limit = _ENOUGH_FOR_ALL

    def backend(graph: torch.fx.GraphModule, inputs: list[Tensor]) -> Any:
        import torch._functorch.config as functorch
        import torch._inductor.config as kernels
        from torch._inductor.compile_fx import compile_fx

        # One compile thread: a worker pool's memory and time would count as those of the measured process.
        budget = functorch.patch(activation_memory_budget=activation_memory_budget)
        with budget, kernels.patch(compile_threads=1):
            return compile_fx(graph, inputs)

    return backend


def forget_compiled() -> None:
    """Drop all compiled code of this process; a model that is still alive compiles again at its next call."""
    if "torch._dynamo" in sys.modules:  # else nothing was compiled, and the import would cost a second
        torch._dynamo.reset()
