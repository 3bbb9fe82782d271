"""A PyG layer whose `propagate` is computed in parts and recomputed in the backward pass; all else of it is untouched.

What a layer does before and after `propagate`, its self-loops, normalisation, linear maps, norms and dropout, is run by
its own code. Where a call cannot be cut (a sparse matrix, a hook or an explainer that wants to see all edges at once,
`torch.func`), the layer runs as if it had never been wrapped.
"""

import functools
import inspect
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch_geometric.nn import MessagePassing

from gnn_checkpointing.checkpointing.block_arguments import (
    DeferredEdgeValues,
    InPlaceOfATensor,
    OfOneBlock,
    Uncuttable,
    computed,
)
from gnn_checkpointing.checkpointing.block_by_block import Saved, run_cut
from gnn_checkpointing.checkpointing.cut_call import CutCall, Executor
from gnn_checkpointing.checkpointing.cutting import Cutter, Plan, is_plain, widest
from gnn_checkpointing.checkpointing.given import flattened, is_tensor, quick_leaves
from gnn_checkpointing.checkpointing.graph_tables import GraphTables
from gnn_checkpointing.checkpointing.hooks import recorded
from gnn_checkpointing.checkpointing.kernel_executors import Kernel
from gnn_checkpointing.checkpointing.layers import put, uncompiled
from gnn_checkpointing.checkpointing.message_code import forward_of, learns, used_among
from gnn_checkpointing.checkpointing.pyg_functions import with_remembered_graphs
from gnn_checkpointing.checkpointing.random_states import RandomStates, random_restored
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
from gnn_checkpointing.refusal import Refusal


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
        for name in ("forward", "propagate", "edge_updater"):
            put(self.conv, name, getattr(self, name))
        put(self.conv, "_cut_layer", self)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The layer's own forward pass, during which `propagate` is cut."""
        if recorded():
            return self._plain_forward(*args, **kwargs)
        if torch.compiler.is_compiling():  # what is recomputed is not to be traced
            return uncompiled(self._forward, *args, **kwargs)
        return self._forward(*args, **kwargs)

    def _forward(self, *args: Any, **kwargs: Any) -> Any:
        if vars(self.conv).get("propagate") != self.propagate:  # PyG replaces it when an explainer comes and goes
            vars(self.conv)["propagate"] = self.propagate
        forward: Any = self._plain_forward
        asked = _argument(self.conv, "return_attention_weights", args, kwargs) is not None
        whole = "its attention weights are asked for, one for every edge" if asked else None
        leaves = quick_leaves((args, kwargs))
        if any(is_tensor(part) and part.layout != torch.strided for part in leaves):
            whole = "an argument of it is a sparse tensor"
        # Whatever keeps what is saved, as a checkpoint around the model, must see each pass save the same.
        kept = saved_tensors_seen_by() is not None
        small = self._was_whole() or self._cutter.is_surely_small(leaves)
        if small and torch.is_grad_enabled() and not whole and not kept:
            # Most likely so again; `propagate` looks, and then keeps its own arguments instead of the layer's.
            return forward(*args, **kwargs)
        given, structure = flattened((args, kwargs))
        aside = self._cutter.stands_aside() or any(
            isinstance(part, Tensor) and (part.is_meta or part.is_inference()) for part in given
        )
        if not self._given and not aside:  # `vmap` lets nobody look at the values of a graph
            forward = with_remembered_graphs(self.conv, self.tables)
        run = partial(forward, *args, **kwargs)
        if whole or aside or not torch.is_grad_enabled():
            return computed(during(self.conv, Visit(whole=whole), run), InPlaceOfATensor)
        state = Recomputation(self.conv, given)
        entry = Entry(self.conv, forward, given, structure, state.weights)
        entry.open(state)
        try:
            with state.hooks.watched():
                out = during(self.conv, Visit(entry, state), run)
        finally:
            entry.forward_done()
        state.forward_done()
        return computed(out, InPlaceOfATensor)

    def propagate(self, edge_index: Any, size: Any = None, **kwargs: Any) -> Any:
        """Cut where that is possible, else PyG's own."""
        if recorded():
            return type(self.conv).propagate(self.conv, edge_index, size=size, **kwargs)
        visit = self._visit()
        if visit is not None and visit.entry is not None:
            visit.entry.close()
        if self._was_whole() and not (visit and visit.seeks) and self._cutter.is_small(edge_index, kwargs):
            return self._own(edge_index, size, kwargs)
        if any(_is_drawn_again(value, edge_index) for value in kwargs.values() if type(value) is DeferredEdgeValues):
            raise Refusal(
                f"{self.plan.policy} cannot wrap {type(self.conv).__name__}: it gives what edge_updater has drawn at "
                "random to two calls of propagate, and blocks would draw it anew for each; use policy layers"
            )
        visit = visit or Visit()
        try:
            if visit.modes != present_modes() and torch.is_grad_enabled():
                raise Uncuttable("its messages are computed in another precision or without gradients")
            if visit.whole is not None:
                raise Uncuttable(visit.whole)
            if visit.seeks:
                raise Reached(self._cutter.call_again(edge_index, size, kwargs))
            cut, executor = self._cutter.cut(edge_index, size, kwargs)
        except Uncuttable as reason:
            if visit.seeks:
                raise Reached(None) from None
            self.computes_by, self.reason, self.message_bytes, self.block_bytes = "none", str(reason), None, None
            return self._own(edge_index, size, kwargs)
        visit.calls += 1
        if visit.entry is not None and visit.calls == 1:
            visit.entry.reached()
        self._note(cut, executor)
        out = self._aggregated(cut, executor, visit)
        if visit.entry is not None and isinstance(executor, Kernel):
            visit.entry.open(visit.state)
        if type(self.conv).update is MessagePassing.update:
            return out
        index = edge_index[0 if self.conv.flow == "target_to_source" else 1]
        own = {"edge_index": edge_index, "index": index, "ptr": None, "adj_t": None, "dim_size": cut.edges.num_nodes}
        values, names = kwargs | own, self.conv.inspector.get_param_names("update", exclude=[0])
        return self.conv.update(out, **{name: values[name] for name in names if name in values})

    def edge_updater(self, edge_index: Any, size: Any = None, **kwargs: Any) -> Any:
        """Put off until `propagate` asks for the result."""
        if recorded():
            return type(self.conv).edge_updater(self.conv, edge_index, size=size, **kwargs)
        whole = partial(type(self.conv).edge_updater, self.conv, edge_index, size=size, **kwargs)
        visit = self._visit()
        # A user's own layer may give its scores to two calls of `propagate`: drawn scores must be the same in both.
        twice = self.plan.lenient and not type(self.conv).forward.__module__.startswith("torch_geometric.")
        aside = self._cutter.stands_aside() or twice
        if aside or not is_plain(edge_index) or visit is None or visit.whole is not None:
            return whole()
        if visit.modes != present_modes():
            visit.whole = "its scores are computed in another precision or without gradients"
            return whole()
        return DeferredEdgeValues(kwargs, whole)

    def _visit(self) -> Visit | None:
        """The present run of the forward pass; none inside a checkpoint of the layer's own, which runs that part alone.

        It must save the same there in both runs.
        """
        visit = visit_of(self.conv)
        inside = visit is not None and visit.entry is not None and not visit.entry.sees_what_is_saved
        return None if inside else visit

    def _aggregated(self, cut: CutCall, executor: Executor, visit: Visit) -> Any:
        """What the destinations aggregate, a tensor or a tuple of them."""
        before = dict(vars(self.conv))
        if torch.is_grad_enabled() and not visit.fills:
            saved = Saved()
            if visit.entry is not None and visit.calls == 1 and not visit.entry.is_written():
                tensors = cut.call.tensors
                made = frozenset(p for p in visit.entry.made(tensors) if not self.tables.hold(tensors[p]))
                if made or visit.entry.has_holes:
                    saved = Saved(visit.entry.tensors, visit.entry.again, made)
            state = visit.state or Recomputation(self.conv, device=cut.edges.pointer.device)
            out = run_cut(cut, executor, saved, state, used_among(state.weights, self.conv))
        else:
            with torch.no_grad():
                parts = executor.forward(cut)[0]
            if visit.fills and learns(self.conv, cut.call.tensors):
                # Clones: a layer may change what `propagate` returns in place, as no leaf may be.
                parts = tuple(part.requires_grad_().clone() for part in parts)
            out = parts[0] if len(parts) == 1 else parts
        for name, value in vars(self.conv).items():
            if isinstance(value, Tensor) and value is not before.get(name):
                # A message left it there for whoever reads it next, but it belongs to one block.
                vars(self.conv)[name] = OfOneBlock(name, type(self.conv).__name__, self.plan.policy)
        return out

    def _was_whole(self) -> bool:
        return self.plan.worth is not None and self.computes_by == "none"

    def _own(self, edge_index: Any, size: Any, kwargs: dict[str, Any]) -> Any:
        """PyG's own `propagate`: for this instance where it is not the class's, as explained and decomposed layers'."""
        special = self.conv.explain or self.conv.decomposed_layers > 1
        own: Any = type(self.conv)._orig_propagate if special else type(self.conv).propagate
        return own(self.conv, edge_index, size=size, **computed(kwargs))

    def _note(self, cut: CutCall, executor: Executor) -> None:
        """Note for `explain` how the call is computed."""
        row = 4 * widest(self.conv, cut.call.tensors)
        self.message_bytes = row * cut.edges.num_edges
        if isinstance(executor, Kernel):
            self.computes_by, self.block_bytes = "fused_edge_blocks", 0
            self.reason = "a kernel computes its messages without storing them"
            return
        largest = max(block.num_edges for block in cut.blocks)
        self.computes_by, self.block_bytes = "edge_blocks", row * largest
        self.reason = f"{len(cut.blocks)} blocks of at most {largest:,} edges"


def cut_layer_of(module: nn.Module) -> CutLayer | None:
    """The `CutLayer` that has taken a layer's methods over, if one has."""
    found = vars(module).get("_cut_layer")
    return found if isinstance(found, CutLayer) else None


def _is_drawn_again(scores: DeferredEdgeValues, edge_index: Tensor) -> bool:
    """Whether scores drawn at random are given to one more call of `propagate`."""
    scores.uses += 1
    if scores.uses != 2 or scores.made is not None:
        return False
    before = RandomStates.now(edge_index.device)
    with torch.no_grad(), random_restored(before):
        scores.make()
        return before != RandomStates.now(edge_index.device)


@functools.cache
def _argument_names(forward: Callable[..., Any]) -> list[str]:
    return list(inspect.signature(forward).parameters)[1:]


def _argument(conv: MessagePassing, name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """What a forward pass was called with under this name; None where it has no such argument."""
    names = _argument_names(type(conv).forward)
    place = names.index(name) if name in names else len(args)
    return args[place] if place < len(args) else kwargs.get(name)
