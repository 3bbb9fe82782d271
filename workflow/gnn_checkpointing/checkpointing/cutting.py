"""Decide whether a call of `propagate` can be cut, how blocks read its arguments, and which executor computes it."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn.parameter import is_lazy
from torch.utils._python_dispatch import _disable_current_modes
from torch_geometric import EdgeIndex
from torch_geometric.nn import MessagePassing
from torch_geometric.utils import is_sparse

from gnn_checkpointing.checkpointing.block_arguments import (
    GIVEN,
    Call,
    Slot,
    Uncuttable,
    call_of,
    counts_edges,
    node_maps,
    roles_of,
    side_of,
)
from gnn_checkpointing.checkpointing.block_by_block import EagerBlocks
from gnn_checkpointing.checkpointing.block_plan import block_size
from gnn_checkpointing.checkpointing.cut_call import CutCall, Executor
from gnn_checkpointing.checkpointing.fused import agrees, kernel_for, on_nodes
from gnn_checkpointing.checkpointing.given import is_tensor, leaves_of
from gnn_checkpointing.checkpointing.graph_tables import GraphTables
from gnn_checkpointing.checkpointing.hooks import hooked, messages_hooked, observed
from gnn_checkpointing.checkpointing.kernel_executors import Kernel, RowsKernel
from gnn_checkpointing.checkpointing.message_code import kinds_of, names_read, parts_inside, switches
from gnn_checkpointing.checkpointing.placeholders import DeferredEdgeValues, computed
from gnn_checkpointing.checkpointing.reentry import graphs_seen_by
from gnn_checkpointing.checkpointing.trial import layer_refusal, trial_refusal, whole_and_halves
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study import policy_names

_MOST_KINDS = 100
"""Results of trials kept for one layer: a layer may count its steps, and each step is then of a new kind."""


@dataclass(frozen=True)
class Plan:
    """How a policy cuts the layers of a model.

    `edges_per_block` is the requested block size; if None, `study/block_size.py` chooses it. `fused`: use a kernel if
    there is one. `lenient`: a call that must not be cut runs whole instead of being refused. `worth` decides, from the
    numbers of edges and nodes and the bytes of a message, whether a cut is worth its time.
    """

    policy: str
    edges_per_block: int | None
    fused: bool = False
    lenient: bool = False
    worth: Callable[[int, int, int], bool] | None = None


@dataclass
class Cutter:
    """Cuts one layer's calls of `propagate`; its graph tables are shared with the other layers of the model."""

    conv: MessagePassing
    tables: GraphTables
    plan: Plan
    _tried: dict[object, str | None] = field(default_factory=dict)
    """Trial result for each kind of call: the reason why it must not be cut, or None."""
    _agreed: dict[object, bool] = field(default_factory=dict)
    """For each kind of call, whether a faster way to compute blocks agreed with the layer's own."""

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the trial results, which refer to this layer's submodules: a copy has its own."""
        return vars(self) | {"_tried": {}, "_agreed": {}}

    def cut(self, edge_index: Any, size: Any, kwargs: dict[str, Any]) -> tuple[CutCall, Executor]:
        """Cut a call and choose its executor; raises `Uncuttable` with the reason if the call cannot be cut."""
        conv, reverse = self.conv, self.conv.flow == "target_to_source"
        self._check(edge_index, size, kwargs)
        call, names = _call(conv, kwargs)
        num_sources, num_nodes = _sizes_of(conv, call, names, size)
        num_edges, row = edge_index.size(1), row_bytes(conv, call.tensors)
        if num_edges == 0 or num_nodes == 0:
            raise Uncuttable("the graph has no edges")
        if self.plan.worth is not None and not self.plan.worth(num_edges, num_nodes, row):
            raise Uncuttable("the graph is so small or sparse that nothing is worth recomputing")
        roles = roles_of(conv, call, names, num_edges)
        per_node = policy_names.EDGES_PER_NODE[self.plan.policy]
        most = self.plan.edges_per_block or block_size(num_nodes, row, per_node, edge_index.device)
        sizes, seen = (num_sources, num_nodes), graphs_seen_by(conv)
        kernel = kernel_for(conv, call) if self.plan.fused else None
        if kernel is not None and kernel.fits(call.tensors, *sizes):
            edges = self.tables.sorted(edge_index, *sizes, reverse=reverse, kernels=True, seen=seen)
            if isinstance(kernel, RowsKernel) and kernel.weight is not None:
                weights = call.tensors[kernel.weight]
                kernel = replace(kernel, ordered=self.tables.ordered(edge_index, edges, weights, seen))
            cut = CutCall(conv, call, edges, roles, most)
            if self._is_confirmed(cut, kernel):
                return cut, kernel
        edges = self.tables.sorted(edge_index, *sizes, reverse=reverse, seen=seen)
        return self._tried_once(CutCall(conv, call, edges, roles, most)), EagerBlocks()

    def call_again(self, edge_index: Any, size: Any, kwargs: dict[str, Any]) -> Call:
        """The call without its executor, for a forward pass that is rerun; raises `Uncuttable` as `cut` does."""
        self._check(edge_index, size, kwargs)
        call, _ = _call(self.conv, kwargs)
        by_kernel = self.plan.fused and kernel_for(self.conv, call) is not None
        return call if by_kernel else self.cut(edge_index, size, kwargs)[0].call

    def is_small(self, edge_index: Any, kwargs: dict[str, Any]) -> bool:
        """Whether the sizes alone show that cutting this call is not worth the time."""
        if self.plan.worth is None or not is_plain(edge_index) or edge_index.dim() != 2:
            return False
        tensors = [part for part in leaves_of(kwargs) if is_tensor(part)]
        return not self.plan.worth(edge_index.size(1), 0, row_bytes(self.conv, tensors))

    def is_surely_small(self, given: Sequence[Any]) -> bool:
        """Whether a cut is not worth its time for these arguments, even for messages as wide as the widest weight."""
        if self.plan.worth is None:
            return False
        parameters = list(self.conv.parameters())
        if any(is_lazy(parameter) for parameter in parameters):
            return False
        graphs = [part for part in given if is_plain(part) and part.dim() == 2 and not part.is_floating_point()]
        floats = [part for part in given if is_plain(part) and part.is_floating_point()]
        sizes = (size * part.element_size() for part in (*floats, *parameters) for size in part.shape[-2:])
        row = max(sizes, default=1)
        return bool(graphs) and not self.plan.worth(max(graph.size(1) for graph in graphs), 0, row)

    def stands_aside(self) -> bool:
        """Whether something needs all messages at once, or transforms or records what the layer computes."""
        conv = self.conv
        return (
            bool(conv.explain)
            or conv.decomposed_layers > 1
            or messages_hooked(conv)
            or "register_hook" in names_read(conv)
            or observed()
            or any(hooked(part) for _, part in parts_inside(conv))
        )

    def _check(self, edge_index: Any, size: Any, kwargs: dict[str, Any]) -> None:
        """Raise `Uncuttable` if the layer or the format of the graph rules out blocks."""
        conv = self.conv
        if self.stands_aside():
            raise Uncuttable("an explainer, a hook, a trace or a decomposition looks at all its messages at once")
        if not is_plain(edge_index):
            raise Uncuttable("a sparse product makes no messages")
        if edge_index.is_meta:
            raise Uncuttable("its tensors have no values")
        if isinstance(edge_index, EdgeIndex) and conv.fuse and conv.SUPPORTS_FUSED_EDGE_INDEX:
            raise Uncuttable("PyG computes this product without messages")
        conv._check_input(edge_index, size)
        if edge_index.dtype not in (torch.int32, torch.int64):
            raise Uncuttable(f"PyTorch gathers no rows by indices of {edge_index.dtype}")
        update = conv.inspector.get_param_names("update", exclude=[0])
        per_edge = (name.endswith(("_i", "_j")) or isinstance(kwargs.get(name), DeferredEdgeValues) for name in update)
        if "size" in update or any(per_edge):
            raise Uncuttable("its update reads values per edge, or the sizes that PyG finds with them")

    def _is_confirmed(self, cut: CutCall, kernel: Kernel) -> bool:
        """Whether a kernel agrees with the layer's methods; compares them in the first call of a kind."""
        key = (type(kernel), switches(self.conv), kinds_of(cut.call))
        if len(self._agreed) > _MOST_KINDS:
            self._agreed.clear()
        if key not in self._agreed and not isinstance(cut.edges.pointer, torch._subclasses.FakeTensor):
            with torch.no_grad(), _disable_current_modes():
                self._agreed[key] = agrees(cut, kernel)
        return self._agreed.get(key, True)

    def _tried_once(self, cut: CutCall) -> CutCall:
        """Give the call to compute in blocks, or raise why it must not be cut; tries part of a kind's first call."""
        if isinstance(cut.edges.pointer, torch._subclasses.FakeTensor):  # fake tensors have no values to try
            return on_nodes(cut) or cut
        # Calls of the same kind are not tried again while the layer does not change.
        key = (
            torch.is_inference_mode_enabled(),
            any(block.ends_empty for block in cut.blocks),
            tuple(sorted(cut.roles.items())),
            cut.call.edge_result,
            switches(self.conv),
            kinds_of(cut.call),
            tuple(t.requires_grad for t in cut.call.tensors if counts_edges(self.conv, t, cut.edges.num_edges)),
        )
        if key not in self._tried:
            blocks = whole_and_halves(cut)
            if blocks is None:  # messages cannot be tried, and one block would hold them all
                raise Uncuttable("all its edges lead to one node, whose block is all of them")
            if len(self._tried) > _MOST_KINDS:
                self._tried.clear()
                self._agreed.clear()
            # A message of a PyG layer may set attributes, which the layer reads only if the caller asks for them.
            leaves = not self.plan.lenient or type(self.conv).__module__.startswith("torch_geometric.")
            with _disable_current_modes():  # such as that with which a checkpoint around the model counts operators
                self._tried[key] = layer_refusal(self.conv) or trial_refusal(cut, blocks, leaves)
        reason = self._tried[key]
        if reason is not None:
            for name in [name for name, role in cut.roles.items() if role == "edge"]:  # or a table of as many rows
                with suppress(Uncuttable, Refusal):
                    return self._tried_once(replace(cut, roles=cut.roles | {name: "whole"}))
            refusal = f"{self.plan.policy} cannot wrap {type(self.conv).__name__}: {reason}"
            raise Uncuttable(reason) if self.plan.lenient else Refusal(refusal)
        if key not in self._agreed:
            with torch.no_grad(), _disable_current_modes():
                faster = on_nodes(cut)
                self._agreed[key] = faster is not None and agrees(cut, faster)
        return (on_nodes(cut) or cut) if self._agreed[key] else cut


def is_plain(edge_index: Any) -> bool:
    """Whether a graph is given as a list of edges."""
    return isinstance(edge_index, Tensor) and not is_sparse(edge_index)


def row_bytes(conv: MessagePassing, tensors: Iterable[Tensor]) -> int:
    """Bytes per node or edge in the widest of these tensors: those of a message."""
    found = 1
    for tensor in tensors:
        rows = tensor.size(conv.node_dim) if tensor.dim() > 1 else tensor.numel()
        found = max(found, tensor.numel() // max(rows, 1) * tensor.element_size())
    return found


def _call(conv: MessagePassing, kwargs: dict[str, Any]) -> tuple[Call, list[str]]:
    """The call with its tensors in one list, and the names of the arguments that the layer's methods ask for."""
    names: list[str] = conv.inspector.get_flat_param_names(["message", "aggregate", "update"], exclude=GIVEN)
    deferred = {name: value for name, value in kwargs.items() if isinstance(value, DeferredEdgeValues)}
    if len(deferred) != 1 or any(value.made is not None for value in deferred.values()):
        return call_of(computed(kwargs), None, None), names
    ((result, value),) = deferred.items()
    own = {name: given for name, given in kwargs.items() if name != result}
    return call_of(own, value.values, result), [*names, *conv.inspector.get_param_names("edge_update")]


def _sizes_of(conv: MessagePassing, call: Call, names: list[str], size: Any) -> tuple[int, int]:
    """Numbers of source and destination nodes, determined as in PyG: from `size` and from the node maps."""
    found: list[int | None] = list(size) if size is not None else [None, None]
    for values in (call.values, call.edge_values or {}):
        for _, end, value in node_maps(names, values):
            for side, part in enumerate(value) if isinstance(value, tuple | list) else [(side_of(conv, end), value)]:
                if isinstance(part, Slot):
                    conv._set_size(found, side, call.tensors[part.position])
    receiving, sending = (0, 1) if conv.flow == "target_to_source" else (1, 0)
    num_nodes = found[receiving] if found[receiving] is not None else found[sending]
    num_sources = found[sending] if found[sending] is not None else found[receiving]
    if num_nodes is None or num_sources is None:
        raise Uncuttable("its messages do not say how many nodes there are")
    return num_sources, num_nodes
