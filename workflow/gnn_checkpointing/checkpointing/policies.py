"""The policies by name, and the functions that apply them to a model and remove them."""

from collections.abc import Callable
from functools import partial
from pkgutil import resolve_name
from typing import Any, Literal, TypeVar

from torch import nn

from gnn_checkpointing.checkpointing.attached import put, put_on, require_module, take_off
from gnn_checkpointing.checkpointing.compilation import checkpoint_selectively, compile_model
from gnn_checkpointing.checkpointing.edge_blocks import cut_layers, wrap_automatically
from gnn_checkpointing.checkpointing.explanation import verify_step
from gnn_checkpointing.checkpointing.layers import checkpoint_layers, checkpoint_segments, offload, reverse_blocks
from gnn_checkpointing.refusal import Refusal, Unavailable
from gnn_checkpointing.study.policy_names import POLICIES, PolicyName, parse_policy, refuse_retired

Model = TypeVar("Model", bound=nn.Module)
_RECORD = "_checkpointing_policy"


Wrapper = Callable[[nn.Module, PolicyName, bool], None]
"""Puts a policy on a model. If the last argument is true, calls that must not be cut into blocks run whole."""


def _recomputed_blocks(model: nn.Module, name: PolicyName, lenient: bool) -> None:
    """Cut recomputed layers into edge blocks: holds one layer's node maps and one block, does the edge work 3 times."""
    cut_layers(model, name, lenient)
    checkpoint_layers(model, compiled=False)


_REFUSED = {
    "_replicate_for_data_parallel": "the replicas of torch.nn.DataParallel would compute with the first one's weights; "
    "use torch.nn.parallel.DistributedDataParallel",
    "__prepare_scriptable__": "torch.jit.script cannot compile what recomputes; use torch.jit.trace, or torch.compile",
}
"""Methods that a model with a policy refuses to run, with the reason and a remedy."""

_WRAPPERS: dict[str, Wrapper] = {
    "none": lambda *_: None,
    "layers": lambda model, *_: checkpoint_layers(model),
    "segments": lambda model, name, _: checkpoint_segments(model, name.count or 1),
    "selective": lambda model, *_: checkpoint_selectively(model),
    "edge_blocks": cut_layers,
    "fused_edge_blocks": cut_layers,
    "layers+edge_blocks": _recomputed_blocks,
    "compiled": lambda model, *_: compile_model(model, "compiled"),
    # Keeps a fraction of what `compiled` keeps and recomputes the rest; a smaller fraction may not lower the peak.
    "memory_budget": lambda model, name, _: compile_model(
        model, f"memory_budget({name.argument:g})", name.argument or 0.0
    ),
    "reversible": lambda model, *_: reverse_blocks(model),
    "offloaded": lambda model, *_: offload(model),
}


def apply(
    model: Model, policy: str = "auto", *, verify: Any = None, on_refusal: Literal["raise", "fall_back"] = "raise"
) -> Model:
    """Apply `policy` to `model`, in place, and return the model; parameters and their names do not change.

    `"auto"` gives each layer the strongest policy that leaves its results unchanged and is worth its time on the
    current graph. A policy that is already on the model is replaced. If `verify` is given, one training step with the
    policy and one without it must give the same loss, gradients and buffers; it is a batch: `(x, edge_index)`, a
    dictionary of arguments, or a PyG `Data` or `HeteroData`.

    Raises `Refusal` if the policy is unknown or would change the model's results, and `Unavailable` if this machine
    lacks something the policy needs; the model is then left as it was. With `on_refusal="fall_back"`, the model gets
    `"auto"` instead.

    >>> import torch
    >>> from torch_geometric.nn import GCN
    >>> x, edge_index = torch.randn(100, 16), torch.randint(100, (2, 2000))
    >>> model = apply(GCN(16, 32, num_layers=2), "edge_blocks(500)", verify=(x, edge_index))
    >>> model(x, edge_index).shape
    torch.Size([100, 32])
    >>> apply(model, "edge_block")
    Traceback (most recent call last):
        ...
    gnn_checkpointing.refusal.Refusal: unknown policy 'edge_block' (did you mean edge_blocks?); allowed: ...
    """
    require_module(model)
    if on_refusal not in ("raise", "fall_back"):
        raise Refusal(f"on_refusal is {on_refusal!r}; allowed: 'raise' and 'fall_back'")
    wrap = _wrapper(policy, lenient=on_refusal == "fall_back")
    before = [(module, put_on(module)) for module in model.modules()]
    remove(model)
    try:
        if verify is not None:
            verify_step(model, wrap, verify, policy)
        wrap(model)
        if policy != "none":
            put(model, _RECORD, policy)
            for method, reason in _REFUSED.items():
                put(model, method, partial(_refuse, f"policy {policy}: {reason}, or remove the policy"))
    except BaseException as error:
        remove(model)
        if on_refusal == "raise" or not isinstance(error, Refusal | Unavailable):
            for module, attributes in before:
                vars(module).update(attributes)
            raise
        return apply(model, "auto", verify=verify)
    return model


def _refuse(reason: str) -> nn.Module:
    raise Refusal(reason)


def _wrapper(policy: str, *, lenient: bool) -> Callable[[nn.Module], None]:
    if not isinstance(policy, str):
        raise Refusal(f"policy is a {type(policy).__name__}; give the name of a policy, as 'edge_blocks'")
    if policy == "auto":
        return wrap_automatically
    try:
        name = parse_policy(policy)
    except Refusal as refusal:
        raise Refusal(f"{refusal}; or auto, which chooses a policy for each layer") from None
    refuse_retired(policy)
    wrapper: Wrapper = _WRAPPERS.get(name.kind) or resolve_name(POLICIES[name.kind].wrapper)
    return lambda model: wrapper(model, name, lenient)


def remove(model: Model) -> Model:
    """Remove every policy from `model` and its submodules, in place, and return the model as it was before `apply`.

    A model without a policy is left unchanged.

    >>> from torch_geometric.nn import GCN
    >>> model = apply(GCN(16, 32, num_layers=2), "layers")
    >>> policy_of(remove(model))
    'none'
    """
    require_module(model)
    for module in model.modules():
        take_off(module)
    return model


def policy_of(model: nn.Module) -> str:
    """Name of the policy that was applied to the model itself, or `none`."""
    policy: str = vars(model).get(_RECORD, "none")
    return policy


def edge_blocks(conv: Model, edges_per_block: int | None = None) -> Model:
    """Make one PyG layer compute in edge blocks, in place, and return it; it is called as before.

    A block has at most `edges_per_block` edges, but never fewer than all edges of one node. Without a number, the
    block size is chosen from the graph, the channels and the cache. Raises `Refusal` if blocks would change the
    layer's results.

    >>> import torch
    >>> from torch_geometric.nn import GATConv
    >>> conv = edge_blocks(GATConv(16, 8, heads=4, dropout=0.6), 500)
    >>> conv(torch.randn(100, 16), torch.randint(100, (2, 2000))).shape
    torch.Size([100, 32])
    """
    return apply(conv, "edge_blocks" if edges_per_block is None else f"edge_blocks({edges_per_block})")
