"""A PyG layer whose `propagate` is computed in parts and recomputed in the backward pass; all else of it is untouched.

What a layer does before and after `propagate`, its self-loops, normalisation, linear maps, norms and dropout, is run by
its own code. Where a call cannot be cut (a sparse matrix, a hook or an explainer that wants to see all edges at once,
`torch.func`), the layer runs as if it had never been wrapped.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.utils import _pytree as pytree
from torch_geometric import EdgeIndex
from torch_geometric.nn import MessagePassing
from torch_geometric.utils import is_sparse

from gnn_checkpointing.checkpointing.block_arguments import (
    Uncuttable,
    call_of,
    roles_of,
    sizes_of,
    wanted_names,
)
from gnn_checkpointing.checkpointing.block_by_block import CutCall, EagerBlocks, Executor, Saved, run_cut
from gnn_checkpointing.checkpointing.block_plan import SortedEdges, block_size
from gnn_checkpointing.checkpointing.changes import Changes
from gnn_checkpointing.checkpointing.deferred import DeferredEdgeValues, OfOneBlock, computed
from gnn_checkpointing.checkpointing.fused import KernelExecutor, kernel_for
from gnn_checkpointing.checkpointing.graph_tables import GraphTables
from gnn_checkpointing.checkpointing.graph_utilities import with_remembered_graphs
from gnn_checkpointing.checkpointing.recomputation import Recomputation
from gnn_checkpointing.checkpointing.reentry import VISITS, Entry, Reached, Visit
from gnn_checkpointing.checkpointing.trial import trial_refusal
from gnn_checkpointing.refusal import Refusal

_HOOKS = tuple(
    f"_{method}_forward_{when}hooks"
    for method in ("propagate", "message", "aggregate", "message_and_aggregate", "edge_update")
    for when in ("pre_", "")
)


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
        fused: bool = False,
        lenient: bool = False,
        worth: Callable[[int, int, int], bool] | None = None,
    ) -> None:
        self.conv, self.tables, self.policy = conv, tables, policy
        self.edges_per_block, self.edges_per_node = edges_per_block, edges_per_node
        self.fused, self.lenient, self.worth = fused, lenient, worth
        self.computes_by, self.reason = "edge_blocks", "no batch has passed through yet"
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
        forward = with_remembered_graphs(self.conv, self.tables)
        scores = _argument(self.conv, "return_attention_weights", args, kwargs) is not None
        run = partial(forward, *args, **kwargs)
        if self._stands_aside() or not torch.is_grad_enabled():
            return computed(VISITS.during(self.conv, Visit(None, None, returns_scores=scores), run))
        device = next((p.device for p in pytree.tree_leaves((args, kwargs)) if isinstance(p, Tensor)), _CPU)
        state = Recomputation(self.conv, device)
        entry = Entry(self.conv, forward, args, kwargs, self._parameters(), returns_scores=scores)
        if not self.lenient or self.computes_by != "none":
            entry.open(state)
        try:
            out = VISITS.during(self.conv, Visit(entry, state, returns_scores=scores), run)
        finally:
            entry.close()
        state.forward_done()
        return computed(out)

    def propagate(self, edge_index: Any, size: Any = None, **kwargs: Any) -> Any:
        """Cut where that is possible, else PyG's own."""
        visit = VISITS.of(self.conv) or Visit(None, None)
        if visit.entry is not None:
            visit.entry.close()
        try:
            cut, executor = self._cut(edge_index, size, kwargs)
        except Uncuttable as reason:
            if visit.seeks:
                raise Reached(None) from None
            return self._whole(str(reason), edge_index, size, kwargs)
        if visit.seeks:
            raise Reached(cut.call)
        visit.calls += 1
        self._explain(cut, executor)
        attributes = dict(vars(self.conv))
        if torch.is_grad_enabled():
            state = visit.state or Recomputation(self.conv, cut.edges.pointer.device)
            saved = Saved((), None)
            if visit.entry is not None and visit.calls == 1 and visit.entry.makes(cut.call.tensors):
                saved = Saved(visit.entry.tensors, visit.entry.again)
            out = run_cut(cut, executor, saved, state, self._parameters())
        else:
            parts = executor.forward(cut)[0]
            out = parts[0] if len(parts) == 1 else parts
        self._spoil(attributes)
        update = self.conv.inspector.get_param_names("update", exclude=[0])
        if not update and type(self.conv).update is MessagePassing.update:
            return out
        given = {"size": None, "dim_size": cut.edges.num_nodes, "edge_index": edge_index}
        return self.conv.update(
            out, **{n: kwargs[n] if n in kwargs else given[n] for n in update if n in kwargs | given}
        )

    def _spoil(self, before: dict[str, Any]) -> None:
        """Let nobody read what a message has left in the layer: it belongs to one block."""
        for name, value in vars(self.conv).items():
            if isinstance(value, Tensor) and value is not before.get(name):
                vars(self.conv)[name] = OfOneBlock(name, type(self.conv).__name__, self.policy)

    def edge_updater(self, edge_index: Any, size: Any = None, **kwargs: Any) -> Any:
        """Put off until `propagate` asks for the result."""
        whole = type(self.conv).edge_updater
        visit = VISITS.of(self.conv)
        if self._stands_aside() or not _is_plain(edge_index) or visit is None or visit.returns_scores:
            return whole(self.conv, edge_index, size=size, **kwargs)
        return DeferredEdgeValues(kwargs, lambda: whole(self.conv, edge_index, size=size, **kwargs))

    def _parameters(self) -> tuple[Tensor, ...]:
        return tuple(parameter for parameter in self.conv.parameters() if not is_lazy(parameter))

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

    def _cut(self, edge_index: Any, size: Any, kwargs: dict[str, Any]) -> tuple[CutCall, Executor]:
        """The call in parts; raises `Uncuttable` with the reason where it has none."""
        conv, visit = self.conv, VISITS.of(self.conv)
        if self._stands_aside():
            raise Uncuttable("an explainer, a hook or a decomposition looks at all its messages at once")
        if visit is not None and visit.returns_scores:
            raise Uncuttable("its attention weights are asked for, one for every edge")
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
        reverse = conv.flow == "target_to_source"
        kernel = kernel_for(conv, call) if self.fused else None
        if kernel is None:
            edges, executor = self.tables.sorted(edge_index, num_sources, num_nodes, reverse=reverse), EagerBlocks()
        else:
            tables = self.tables.of_kernels(edge_index, num_sources, num_nodes, reverse=reverse)
            edges = SortedEdges(tables.source, tables.pointer, tables.order, num_sources)
            executor = KernelExecutor(kernel, tables)
        roles = roles_of(conv, call, names, edges.num_edges)
        wide = max((_width(tensor, conv.node_dim) for tensor in call.tensors), default=1)
        if self.worth is not None and not self.worth(edges.num_edges, num_nodes, wide):
            raise Uncuttable("the graph is so small or sparse that nothing is worth recomputing")
        most = self.edges_per_block or block_size(num_nodes, wide, self.edges_per_node, edge_index.device)
        cut = CutCall(conv, call, edges, roles, most)
        if kernel is None:
            self._try_once(cut)
        return cut, executor

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

    def _explain(self, cut: CutCall, executor: Executor) -> None:
        """Note for `explain` how the call is computed."""
        wide = max((_width(tensor, self.conv.node_dim) for tensor in cut.call.tensors), default=1)
        self.message_bytes = 4 * wide * cut.edges.num_edges
        if isinstance(executor, KernelExecutor):
            self.computes_by, self.block_bytes = "fused_edge_blocks", 0
            self.reason = "a kernel computes its messages without storing them"
            return
        largest = max(block.num_edges for block in cut.blocks)
        self.computes_by, self.block_bytes = "edge_blocks", 4 * wide * largest
        self.reason = f"{len(cut.blocks)} blocks of at most {largest:,} edges"


def cut_layer_of(module: nn.Module) -> CutLayer | None:
    """The `CutLayer` that has taken a layer's methods over, if one has."""
    found = vars(module).get("_cut_layer")
    return found if isinstance(found, CutLayer) else None


_CPU = torch.device("cpu")


@functools.cache
def _argument_names(forward: Callable[..., Any]) -> list[str]:
    return list(inspect.signature(forward).parameters)[1:]


def _argument(conv: MessagePassing, name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """What a forward pass was called with under this name; None where it has no such argument."""
    names = _argument_names(type(conv).forward)
    place = names.index(name) if name in names else len(args)
    return args[place] if place < len(args) else kwargs.get(name)


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
