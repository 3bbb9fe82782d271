"""A PyG layer whose `propagate` is computed in blocks and recomputed in the backward pass; the rest is untouched.

The layer's own code runs everything before and after `propagate`: self-loops, normalisation, linear maps, norms and
dropout. A call that cannot be cut (a sparse matrix, a hook that needs all edges, `torch.func`) runs as if unwrapped.
"""

import functools
import inspect
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch_geometric.nn import MessagePassing

from gnn_checkpointing.checkpointing.attached import put, refuse_copies
from gnn_checkpointing.checkpointing.block_arguments import Uncuttable
from gnn_checkpointing.checkpointing.block_by_block import Saved, run_cut
from gnn_checkpointing.checkpointing.cut_call import CutCall, Executor
from gnn_checkpointing.checkpointing.cutting import Cutter, Plan, is_plain, row_bytes
from gnn_checkpointing.checkpointing.given import as_given, flattened, is_tensor, quick_leaves
from gnn_checkpointing.checkpointing.graph_tables import GraphTables
from gnn_checkpointing.checkpointing.hooks import alone, recorded
from gnn_checkpointing.checkpointing.kernel_executors import Kernel
from gnn_checkpointing.checkpointing.layers import uncompiled
from gnn_checkpointing.checkpointing.message_code import forward_of, learns, sends_otherwise, used_among
from gnn_checkpointing.checkpointing.placeholders import DeferredEdgeValues, InPlaceOfATensor, OfOneBlock, computed
from gnn_checkpointing.checkpointing.pyg_functions import with_remembered_graphs
from gnn_checkpointing.checkpointing.recomputation import Recomputation
from gnn_checkpointing.checkpointing.reentry import (
    Entry,
    Reached,
    Visit,
    during,
    present_modes,
    saved_tensors_seen_by,
    visit_of,
)


class CutLayer:
    """Replaces the methods `forward`, `propagate` and `edge_updater` of one layer."""

    def __init__(self, conv: MessagePassing, tables: GraphTables, plan: Plan) -> None:
        self.conv, self.tables, self.plan = conv, tables, plan
        self.computes_by, self.reason = plan.policy, "no batch has passed through yet"
        """How the latest call of `propagate` was computed and why, for `explain`."""
        self.message_bytes: int | None = None
        self.block_bytes: int | None = None
        self._cutter = Cutter(conv, tables, plan)
        self._given, self._plain_forward = vars(conv).get("forward"), forward_of(conv)

    def install(self) -> None:
        """Replace the layer's methods."""
        put(self.conv, "forward", partial(self.forward))
        for name in ("propagate", "edge_updater"):
            put(self.conv, name, getattr(self, name))
        put(self.conv, "_cut_layer", self)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Run the layer's own forward pass, during which `propagate` is cut."""
        refuse_copies(self.conv)
        if torch.compiler.is_compiling() and not recorded():  # recomputed code must not be traced
            return uncompiled(self.forward, *args, **kwargs)
        # A method that somebody put over this one stays when the policy is removed, and calls this one.
        if recorded() or cut_layer_of(self.conv) is not self or sends_otherwise(self.conv):
            return self._plain_forward(*args, **kwargs)
        with alone(self.conv):
            return self._forward(*args, **kwargs)

    def _forward(self, *args: Any, **kwargs: Any) -> Any:
        if vars(self.conv).get("propagate") != self.propagate:  # PyG replaces it when an explainer starts and ends
            vars(self.conv)["propagate"] = self.propagate
        forward: Any = self._plain_forward
        asked = _argument(self.conv, "return_attention_weights", args, kwargs) is not None
        not_cut = "its attention weights are asked for, one for every edge" if asked else None
        leaves = quick_leaves((args, kwargs))
        if any(is_tensor(part) and part.layout != torch.strided for part in leaves):
            not_cut = "an argument of it is a sparse tensor"
        # Hooks on saved tensors, as of a checkpoint around the model, must see the same tensors in each pass.
        kept = saved_tensors_seen_by() is not None
        small = self._was_whole() or self._cutter.is_surely_small(leaves)
        if small and torch.is_grad_enabled() and not not_cut and not kept:
            # Most likely small again; `propagate` checks, and if not, saves its own arguments instead of the layer's.
            return forward(*args, **kwargs)
        given, structure = flattened((args, kwargs))
        unsaved = (part.is_meta or part.is_inference() for part in given if isinstance(part, Tensor))
        aside = self._cutter.stands_aside() or any(unsaved)
        if not self._given and not aside:  # under `vmap` a graph's values cannot be read
            forward = with_remembered_graphs(self.conv, self.tables)
        run = partial(forward, *args, **kwargs)
        if not_cut or aside or not torch.is_grad_enabled():
            visit = Visit(not_cut=not_cut)
            return self._computed(during(self.conv, visit, run), visit)
        state = Recomputation(self.conv, given)
        entry = Entry(self.conv, forward, given, structure, state)
        entry.open()
        visit = Visit(entry)
        try:
            with state.hooks.watched():
                out = during(self.conv, visit, run)
        finally:
            entry.forward_done()
        for one in (state, *visit.states):
            one.forward_done()
        return self._computed(out, visit)

    def _computed(self, out: Any, visit: Visit) -> Any:
        """The result of a forward pass, without placeholders; also computes those that the layer keeps."""
        if visit.scores:
            computed(list(vars(self.conv).values()))
        return computed(out, InPlaceOfATensor)

    def propagate(self, edge_index: Any, size: Any = None, **kwargs: Any) -> Any:
        """Compute in blocks if possible, else by PyG's own `propagate`."""
        if recorded():
            return self._own(edge_index, size, kwargs)
        visit = self._visit() or Visit()
        visit.calls += 1
        if visit.entry is not None:
            visit.entry.close()
        small = self._was_whole() and not visit.seeks and self._cutter.is_small(edge_index, kwargs)
        if small or visit.calls < visit.seeks:
            return self._own(edge_index, size, kwargs)
        deferred = [value for value in kwargs.values() if type(value) is DeferredEdgeValues]
        for value in deferred:
            value.refuse_if_drawn()
        try:
            if visit.modes != present_modes() and torch.is_grad_enabled():
                raise Uncuttable("its messages are computed in another precision or without gradients")
            if visit.not_cut is not None:
                raise Uncuttable(visit.not_cut)
            if visit.seeks:
                raise Reached(self._cutter.call_again(edge_index, size, kwargs))
            cut, executor = self._cutter.cut(edge_index, size, kwargs)
        except Uncuttable as reason:
            if visit.seeks:
                raise Reached(None) from None
            self.computes_by, self.reason, self.message_bytes, self.block_bytes = "none", str(reason), None, None
            return self._own(edge_index, size, kwargs)
        for value in deferred:
            value.in_blocks = True
        visit.cuts, visit.kernels = visit.cuts + 1, visit.kernels + isinstance(executor, Kernel)
        if visit.entry is not None and visit.cuts == 1:
            visit.entry.reached(visit.calls)
        self._note(cut, executor)
        out = self._aggregated(cut, executor, visit)
        if visit.entry is not None and visit.kernels == visit.calls:
            visit.entry.open()
        if getattr(self.conv.update, "__func__", None) is MessagePassing.update:
            return out
        index = edge_index[0 if self.conv.flow == "target_to_source" else 1]
        own = {"edge_index": edge_index, "index": index, "ptr": None, "adj_t": None, "dim_size": cut.edges.num_nodes}
        values, names = kwargs | own, self.conv.inspector.get_param_names("update", exclude=[0])
        return self.conv.update(out, **{name: values[name] for name in names if name in values})

    def edge_updater(self, edge_index: Any, size: Any = None, **kwargs: Any) -> Any:
        """Defer the computation until `propagate` asks for the result."""
        if recorded():
            return type(self.conv).edge_updater(self.conv, edge_index, size=size, **kwargs)
        whole = partial(type(self.conv).edge_updater, self.conv, edge_index, size=size, **kwargs)
        visit = self._visit()
        # A user's own layer may pass its scores to two calls of `propagate`: random scores must be equal in both.
        twice = self.plan.lenient and not type(self.conv).forward.__module__.startswith("torch_geometric.")
        aside = self._cutter.stands_aside() or twice
        if aside or not is_plain(edge_index) or visit is None or visit.not_cut is not None:
            return whole()
        if visit.modes != present_modes():
            visit.not_cut = "its scores are computed in another precision or without gradients"
            return whole()
        visit.scores = True
        return DeferredEdgeValues(kwargs, whole, f"{self.plan.policy} cannot wrap {type(self.conv).__name__}")

    def _visit(self) -> Visit | None:
        """The current run of the forward pass; None inside a layer's own checkpoint, whose runs must save the same."""
        visit = visit_of(self.conv)
        inside = visit is not None and visit.entry is not None and not visit.entry.sees_what_is_saved
        return None if inside else visit

    def _aggregated(self, cut: CutCall, executor: Executor, visit: Visit) -> Any:
        """Compute the aggregates of the destination nodes: a tensor, or a tuple of tensors."""
        before = dict(vars(self.conv))
        if torch.is_grad_enabled() and not visit.fills:
            entry, tensors, saved = visit.entry, cut.call.tensors, Saved()
            cut = cut.on(list(map(as_given, tensors)))
            if entry is not None and visit.cuts == 1 and not entry.is_written():
                made = frozenset(p for p in entry.made(tensors) if not self.tables.made(tensors[p]))
                saved = Saved(entry.tensors, entry.again, made) if made else saved
            if entry is not None and (saved.made or isinstance(executor, Kernel)):
                out = run_cut(cut, executor, saved, entry.state, used_among(entry.state.weights, self.conv))
            else:  # messages alone are rerun: they may read what the forward pass has set before
                state = Recomputation(self.conv, device=cut.edges.pointer.device)
                out = run_cut(cut, executor, saved, state, used_among(state.weights, self.conv))
                visit.states.append(state)
                if entry is None:
                    state.forward_done()
        else:
            with torch.no_grad():
                parts = executor.forward(cut)[0]
            if visit.fills and learns(self.conv, cut.call.tensors):
                # Clones: a layer may change the result of `propagate` in place, which leaves do not allow.
                parts = tuple(part.requires_grad_().clone() for part in parts)
            out = parts[0] if len(parts) == 1 else parts
        for name, value in vars(self.conv).items():
            if isinstance(value, Tensor) and value is not before.get(name):
                # A message has set this attribute, but the value belongs to one block only.
                vars(self.conv)[name] = OfOneBlock(name, type(self.conv).__name__, self.plan.policy)
        return out

    def _was_whole(self) -> bool:
        return self.plan.worth is not None and self.computes_by == "none"

    def _own(self, edge_index: Any, size: Any, kwargs: dict[str, Any]) -> Any:
        """Call PyG's own `propagate`; explained and decomposed layers have no generated one, but the original."""
        special = self.conv.explain or self.conv.decomposed_layers > 1
        own: Any = type(self.conv)._orig_propagate if special else type(self.conv).propagate
        return own(self.conv, edge_index, size=size, **computed(kwargs))

    def _note(self, cut: CutCall, executor: Executor) -> None:
        """Note for `explain` how the call is computed."""
        row = row_bytes(self.conv, cut.call.tensors)
        self.message_bytes = row * cut.edges.num_edges
        if isinstance(executor, Kernel):
            self.computes_by, self.block_bytes = "fused_edge_blocks", 0
            self.reason = "a kernel computes its messages without storing them"
            return
        largest = max(block.num_edges for block in cut.blocks)
        self.computes_by, self.block_bytes = "edge_blocks", row * largest
        self.reason = f"{len(cut.blocks)} blocks of at most {largest:,} edges"


def cut_layer_of(module: nn.Module) -> CutLayer | None:
    """The `CutLayer` that has replaced a layer's methods, or None."""
    found = vars(module).get("_cut_layer")
    return found if isinstance(found, CutLayer) else None


@functools.cache
def _argument_names(forward: Callable[..., Any]) -> list[str]:
    return list(inspect.signature(forward).parameters)[1:]


def _argument(conv: MessagePassing, name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Value of a forward pass's argument by name; None if it has no such argument."""
    names = _argument_names(type(conv).forward)
    place = names.index(name) if name in names else len(args)
    return args[place] if place < len(args) else kwargs.get(name)
