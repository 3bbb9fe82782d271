"""A PyG layer whose `propagate` is computed in parts and recomputed in the backward pass; all else of it is untouched.

What a layer does before and after `propagate`, its self-loops, normalisation, linear maps, norms and dropout, is run by
its own code. Where a call cannot be cut (a sparse matrix, a hook or an explainer that wants to see all edges at once,
`torch.func`), the layer runs as if it had never been wrapped.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.utils import _pytree as pytree
from torch_geometric import EdgeIndex
from torch_geometric.nn import MessagePassing
from torch_geometric.utils import is_sparse

from gnn_checkpointing.checkpointing.block_arguments import (
    Call,
    Uncuttable,
    call_of,
    roles_of,
    sizes_of,
    wanted_names,
)
from gnn_checkpointing.checkpointing.block_by_block import CutCall, EagerBlocks, Executor, Saved, run_cut
from gnn_checkpointing.checkpointing.block_plan import block_size
from gnn_checkpointing.checkpointing.changes import Changes
from gnn_checkpointing.checkpointing.deferred import DeferredEdgeValues, computed
from gnn_checkpointing.checkpointing.graph_tables import GraphTables
from gnn_checkpointing.checkpointing.graph_utilities import with_remembered_graphs
from gnn_checkpointing.checkpointing.recomputation import Recomputation
from gnn_checkpointing.checkpointing.trial import trial_refusal
from gnn_checkpointing.refusal import Refusal

_HOOKS = tuple(
    f"_{method}_forward_{when}hooks"
    for method in ("propagate", "message", "aggregate", "message_and_aggregate", "edge_update")
    for when in ("pre_", "")
)


class _Reached(BaseException):  # noqa: N818 - not an error: it ends a forward pass that is entered again
    def __init__(self, call: Call) -> None:
        super().__init__()
        self.call = call


class _Visit:
    """One run of a layer's forward pass: its arguments, and whether it only seeks the call of `propagate`."""

    def __init__(self, arguments: Any, state: Recomputation | None, *, seeks: bool) -> None:
        self.arguments, self.state, self.seeks, self.calls = arguments, state, seeks, 0


class CutLayer:
    """Replaces the methods `forward`, `propagate` and `edge_updater` of one layer."""

    def __init__(
        self,
        conv: MessagePassing,
        tables: GraphTables,
        policy: str,
        edges_per_block: int | None,
        edges_per_node: int,
        *,
        lenient: bool = False,
        worth: Callable[[int, int, int], bool] | None = None,
    ) -> None:
        self.conv, self.tables, self.policy = conv, tables, policy
        self.edges_per_block, self.edges_per_node = edges_per_block, edges_per_node
        self.lenient, self.worth = lenient, worth
        self.computes_by, self.reason = "edge blocks", "no batch has passed through yet"
        """How the latest call of `propagate` was computed and why, for `explain`."""
        self.message_bytes: int | None = None
        self.block_bytes: int | None = None
        self._tried: set[object] = set()

    def install(self, changes: Changes) -> None:
        """Take the layer's methods over."""
        for name in ("forward", "propagate", "edge_updater"):
            changes.set(self.conv, name, getattr(self, name))
        changes.set(self.conv, "_cut_layer", self)

    @torch.compiler.disable
    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The layer's own forward pass, during which `propagate` is cut."""
        vars(self.conv)["propagate"] = self.propagate  # PyG replaces it when an explainer comes and goes
        if self._stands_aside() or not torch.is_grad_enabled():
            return computed(self._visited(_Visit((args, kwargs), None, seeks=False), *args, **kwargs))
        device = next((p.device for p in pytree.tree_leaves((args, kwargs)) if isinstance(p, Tensor)), _CPU)
        state = Recomputation(self.conv, device)
        out = self._visited(_Visit((args, kwargs), state, seeks=False), *args, **kwargs)
        state.forward_done()
        return computed(out)

    def propagate(self, edge_index: Any, size: Any = None, **kwargs: Any) -> Any:
        """Cut where that is possible, else PyG's own."""
        visit = _visits().get(id(self.conv))
        if self._stands_aside():
            return self._whole("explained, hooked or decomposed", edge_index, size, kwargs)
        try:
            cut = self._cut(edge_index, size, kwargs)
        except Uncuttable as reason:
            if visit is not None and visit.seeks:
                raise RuntimeError(f"{type(self.conv).__name__} took another way when it was recomputed") from reason
            return self._whole(str(reason), edge_index, size, kwargs)
        if visit is not None:
            if visit.seeks:
                raise _Reached(cut.call)
            visit.calls += 1
        executor = self._executor(cut)
        if torch.is_grad_enabled():
            state = visit.state if visit is not None and visit.state is not None else self._state_now(cut)
            parameters = tuple(p for p in self.conv.parameters() if not is_lazy(p))
            out = run_cut(cut, executor, self._saved(cut, visit, parameters), state, parameters)
        else:
            parts = executor.forward(cut)[0]
            out = parts[0] if len(parts) == 1 else parts
        update = self.conv.inspector.get_param_names("update", exclude=[0])
        if not update and type(self.conv).update is MessagePassing.update:
            return out
        given = {"size": None, "dim_size": cut.edges.num_nodes, "edge_index": edge_index}
        return self.conv.update(out, **{n: kwargs[n] if n in kwargs else given[n] for n in update if n in kwargs | given})

    def edge_updater(self, edge_index: Any, size: Any = None, **kwargs: Any) -> Any:
        """Put off until `propagate` asks for the result."""
        whole = type(self.conv).edge_updater
        if self._stands_aside() or not _is_plain(edge_index) or id(self.conv) not in _visits():
            return whole(self.conv, edge_index, size=size, **kwargs)
        return DeferredEdgeValues(kwargs, lambda: whole(self.conv, edge_index, size=size, **kwargs))

    def _visited(self, visit: _Visit, *args: Any, **kwargs: Any) -> Any:
        visits = _visits()
        before = visits.get(id(self.conv))
        visits[id(self.conv)] = visit
        try:
            return with_remembered_graphs(self.conv, self.tables)(*args, **kwargs)
        finally:
            if before is None:
                del visits[id(self.conv)]
            else:
                visits[id(self.conv)] = before

    def _state_now(self, cut: CutCall) -> Recomputation:
        """The state of a call of `propagate` from outside the layer's forward pass."""
        return Recomputation(self.conv, cut.edges.pointer.device)

    def _stands_aside(self) -> bool:
        conv = self.conv
        return (
            bool(conv.explain)
            or conv.decomposed_layers > 1
            or any(getattr(conv, hooks) for hooks in _HOOKS)
            or torch._C._functorch.maybe_current_level() is not None
        )

    def _whole(self, reason: str, edge_index: Any, size: Any, kwargs: dict[str, Any]) -> Any:
        self.computes_by, self.reason, self.message_bytes, self.block_bytes = "none", reason, None, None
        own = _own_propagate(self.conv) or type(self.conv).propagate.__get__(self.conv)
        return own(edge_index, size=size, **computed(kwargs))

    def _cut(self, edge_index: Any, size: Any, kwargs: dict[str, Any]) -> CutCall:
        """The call in parts; raises `Uncuttable` with the reason where it has none."""
        conv = self.conv
        if not _is_plain(edge_index):
            raise Uncuttable("a sparse product makes no messages")
        if isinstance(edge_index, EdgeIndex) and conv.fuse and conv.SUPPORTS_FUSED_EDGE_INDEX:
            raise Uncuttable("PyG computes this product without messages")
        conv._check_input(edge_index, size)
        names = wanted_names(conv, ("message", "aggregate", "update"))
        update = conv.inspector.get_param_names("update", exclude=[0])
        if any(name.endswith(("_i", "_j")) or isinstance(kwargs.get(name), DeferredEdgeValues) for name in update):
            raise Uncuttable("its update reads values per edge")
        deferred = {name: value for name, value in kwargs.items() if isinstance(value, DeferredEdgeValues)}
        if len(deferred) > 1:
            kwargs, deferred = computed(kwargs), {}
        (result, edge_values), *_ = [(name, value.values) for name, value in deferred.items()] or [(None, None)]
        own = {name: value for name, value in kwargs.items() if name not in deferred}
        call = call_of(own, edge_values, result)
        if edge_values is not None:
            names = [*names, *wanted_names(conv, ("edge_update",))]
        num_sources, num_nodes = sizes_of(conv, call, names, size)
        if edge_index.size(1) == 0 or num_nodes == 0:
            raise Uncuttable("the graph has no edges")
        edges = self.tables.sorted(edge_index, num_sources, num_nodes, reverse=conv.flow == "target_to_source")
        roles = roles_of(conv, call, names, edges.num_edges)
        wide = max((_width(tensor, conv.node_dim) for tensor in call.tensors), default=1)
        if self.worth is not None and not self.worth(edges.num_edges, num_nodes, wide):
            raise Uncuttable("the graph is so small or sparse that nothing is worth recomputing")
        most = self.edges_per_block or block_size(num_nodes, wide, self.edges_per_node, edge_index.device)
        cut = CutCall(conv, call, edges, roles, edges.blocks(most))
        self._try_once(cut)
        return cut

    def _try_once(self, cut: CutCall) -> None:
        """Compute a part of the first call in two ways; what blocks would change is refused, or not cut."""
        key = (self.conv.training, tuple(sorted(cut.roles.items())), cut.call.edge_result)
        if key in self._tried:
            return
        if torch.is_inference_mode_enabled() or isinstance(cut.edges.pointer, torch._subclasses.FakeTensor):
            return
        reason = trial_refusal(cut)
        if reason is None:
            self._tried.add(key)
        elif self.lenient:
            raise Uncuttable(reason)
        else:
            raise Refusal(f"{self.policy} cannot wrap {type(self.conv).__name__}: {reason}")

    def _executor(self, cut: CutCall) -> Executor:
        wide = max((_width(tensor, self.conv.node_dim) for tensor in cut.call.tensors), default=1)
        largest = max(block.num_edges for block in cut.blocks)
        self.message_bytes, self.block_bytes = 4 * wide * cut.edges.num_edges, 4 * wide * largest
        self.computes_by, self.reason = "edge blocks", f"{len(cut.blocks)} blocks of at most {largest:,} edges"
        return EagerBlocks()

    def _saved(self, cut: CutCall, visit: _Visit | None, parameters: tuple[Tensor, ...]) -> Saved:
        """What is kept for the backward pass: node maps that the layer made itself are made again instead."""
        if visit is None or visit.calls != 1:
            return Saved((), None)
        leaves, structure = pytree.tree_flatten(visit.arguments)
        given = [leaf for leaf in leaves if isinstance(leaf, Tensor) and leaf.layout == torch.strided]
        kept = {tensor.untyped_storage()._cdata for tensor in (*given, *parameters)}
        if all(tensor.untyped_storage()._cdata in kept for tensor in cut.call.tensors):
            return Saved((), None)
        places = [position for position, leaf in enumerate(leaves) if isinstance(leaf, Tensor)]
        rest = [None if isinstance(leaf, Tensor) else leaf for leaf in leaves]

        def again(saved: Any) -> Call:
            values = list(rest)
            for position, tensor in zip(places, saved, strict=True):
                values[position] = tensor
            args, kwargs = pytree.tree_unflatten(values, structure)
            try:
                self._visited(_Visit((args, kwargs), None, seeks=True), *args, **kwargs)
            except _Reached as reached:
                return reached.call
            raise RuntimeError(f"{type(self.conv).__name__} did not call propagate when it was recomputed")

        return Saved(tuple(leaves[position] for position in places), again)


def cut_layer_of(module: nn.Module) -> CutLayer | None:
    """The `CutLayer` that has taken a layer's methods over, if one has."""
    found = vars(module).get("_cut_layer")
    return found if isinstance(found, CutLayer) else None


_CPU = torch.device("cpu")
_LOCAL = threading.local()


def _visits() -> dict[int, _Visit]:
    """The forward passes that this thread is inside of, by layer."""
    if not hasattr(_LOCAL, "visits"):
        _LOCAL.visits = {}
    visits: dict[int, _Visit] = _LOCAL.visits
    return visits


def _own_propagate(conv: MessagePassing) -> Callable[..., Any] | None:
    """PyG's own method for this instance where it is not the class's: explained and decomposed layers have another."""
    if conv.explain or conv.decomposed_layers > 1:
        own: Callable[..., Any] = type(conv)._orig_propagate.__get__(conv)
        return own
    return None


def _is_plain(edge_index: Any) -> bool:
    return isinstance(edge_index, Tensor) and not is_sparse(edge_index)


def _width(tensor: Tensor, node_dim: int) -> int:
    """Values per node or edge."""
    rows = tensor.size(node_dim) if tensor.dim() > 1 else tensor.numel()
    return tensor.numel() // max(rows, 1)
