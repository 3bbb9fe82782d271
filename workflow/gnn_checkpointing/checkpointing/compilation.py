"""Policies `compiled` and `memory_budget`: TorchInductor, not shared by two models, and never silently left out."""

from __future__ import annotations

import importlib.util
import inspect
import os
import shutil
import sys
import sysconfig
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from gnn_checkpointing.checkpointing.kernels.build import said_by
from gnn_checkpointing.checkpointing.layers import Changes, drops_at_random
from gnn_checkpointing.refusal import Refusal, Unavailable

COMPILING: dict[str, Any] = {
    # One graph or an error: a graph break, or the limit of recompilations, would silently leave a part uncompiled.
    "fullgraph": True,
    # Nodes and channels are those of the model and graph at hand: kernels for all sizes are slower.
    "dynamic": False,
}
"""How `torch.compile` is called by every policy that compiles."""

# Compiled code is kept by Python code object, which two models of a class have in common; from torch 2.13 on each call
# of `torch.compile` can have its own.
ISOLATES = "isolate_recompiles" in inspect.signature(torch.compile).parameters
if ISOLATES:
    COMPILING["isolate_recompiles"] = True

_ENOUGH_FOR_ALL = 256
"""Recompilations of one code object where all models share its compiled code: the default, 8, is soon spent."""

_APT = "on Debian and Ubuntu: apt-get install"

_TRITON_SINCE = (7, 0)
"""TorchInductor refuses older GPUs."""


def require_compiler(device_type: str, policy: str = "compiled") -> None:
    """Raise `Unavailable` where TorchInductor lacks what it makes kernels for `device_type` with."""
    if device_type == "cuda":
        if importlib.util.find_spec("triton") is None:
            raise Unavailable(f"policy {policy} needs triton on CUDA: pip install triton")
        # Triton builds its launchers at run time.
        if not any(map(shutil.which, [os.environ.get("CC", "gcc"), "clang"])):
            raise Unavailable(f"policy {policy} needs a C compiler (CC, gcc or clang): {_APT} g++")
    else:
        import torch._inductor.config as kernels

        # TorchInductor asks the same compilers, without a time limit and without their words.
        compilers = [path for name in kernels.cpp.cxx if name and (path := shutil.which(name))]
        if not compilers:
            raise Unavailable(f"policy {policy} needs a C++ compiler (CXX or g++): {_APT} g++")
        said_by([compilers[0], "--version"], policy)
    headers = Path(sysconfig.get_path("include"))  # the launchers of both kinds of kernels are built with them
    if not (headers / "Python.h").exists():
        raise Unavailable(f"policy {policy} needs Python's headers ({headers} has none): {_APT} python3-dev")
    if device_type == "cuda" and (capability := torch.cuda.get_device_capability()) < _TRITON_SINCE:
        wanted, found = (".".join(map(str, version)) for version in (_TRITON_SINCE, capability))
        raise Unavailable(
            f"policy {policy} needs a GPU of compute capability {wanted} for triton; this one has {found}"
        )


def compile_model(model: nn.Module, changes: Changes, policy: str, activation_memory_budget: float = 1.0) -> None:
    """Make `model` run as generated kernels, in place; parameters and their names stay as they are.

    Nothing is compiled before the first call. Raises `Unavailable` without a compiler and `Refusal` for dropout.
    """
    require_compiler(next((parameter.device.type for parameter in model.parameters()), "cpu"), policy)
    if name := drops_at_random(model):
        raise Refusal(
            f"policy {policy}: {name} drops at random, and generated kernels draw other masks than PyTorch's own"
        )
    compiled = torch.compile(model._call_impl, backend=_inductor(activation_memory_budget), **COMPILING)
    changes.set(model, "_compiled_call_impl", partial(_for_any_edges, compiled))


def _for_any_edges(compiled: Any, *arguments: Any, **named: Any) -> Any:
    """Call `compiled` with the number of edges left open: one compilation serves graphs of every density.

    Measured against a compilation for one number of edges (nine layers of GATv2, degree 128): the same bytes, 0.99 to
    1.00 of the time.
    """
    from torch._dynamo import maybe_mark_dynamic

    for tensor in (*arguments, *named.values()):
        if isinstance(tensor, Tensor) and tensor.layout == torch.strided:
            if tensor.dim() == 2 and tensor.size(0) == 2 and not tensor.is_floating_point():
                maybe_mark_dynamic(tensor, 1)  # edge_index
            elif tensor.dim() == 1:
                maybe_mark_dynamic(tensor, 0)  # edge weights
    return compiled(*arguments, **named)


def _inductor(activation_memory_budget: float) -> Callable[[torch.fx.GraphModule, list[Tensor]], Any]:
    """TorchInductor with its settings fixed, as a backend that equals no other."""
    if not ISOLATES:
        import torch._dynamo.config as dynamo

        dynamo.recompile_limit = _ENOUGH_FOR_ALL

    def backend(graph: torch.fx.GraphModule, inputs: list[Tensor]) -> Any:
        import torch._functorch.config as functorch
        import torch._inductor.config as kernels
        from torch._inductor.compile_fx import compile_fx

        # One compile thread: a measured process starts no pool of workers, whose memory and time would be its own.
        budget = functorch.patch(activation_memory_budget=activation_memory_budget)
        with budget, kernels.patch(compile_threads=1):
            return compile_fx(graph, inputs)

    return backend


def forget_compiled() -> None:
    """Drop all compiled code of this process; a model that is still alive compiles again at its next call."""
    if "torch._dynamo" in sys.modules:  # else nothing was compiled, and the import would cost a second
        torch._dynamo.reset()
