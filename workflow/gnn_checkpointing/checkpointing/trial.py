"""Decide whether a layer may be cut: its messages must not depend on each other, nor on anything outside a block.

Some layers can be refused by their code alone (a BatchNorm inside a message). The others are tried: a few destinations
are computed at once and in two parts, and both results must agree.
"""

from collections.abc import Iterator, Sequence
from contextlib import nullcontext, suppress
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.parameter import is_lazy
from torch_geometric.nn import MeshCNNConv, MessagePassing, aggr, norm

from gnn_checkpointing.checkpointing.attributes import plain_attributes, watched
from gnn_checkpointing.checkpointing.block_arguments import counts_edges
from gnn_checkpointing.checkpointing.block_plan import EdgeBlock
from gnn_checkpointing.checkpointing.cut_call import CutCall, Leaves, stage
from gnn_checkpointing.checkpointing.given import versions_of
from gnn_checkpointing.checkpointing.message_code import parts_inside, sends_otherwise, used_among
from gnn_checkpointing.checkpointing.placeholders import OfOneBlock
from gnn_checkpointing.checkpointing.random_states import Own, RandomStates, random_restored
from gnn_checkpointing.checkpointing.recomputation import Recomputation
from gnn_checkpointing.checkpointing.variations import Undrawn, alike, halved, slope, varied, what_is_kept_varied
from gnn_checkpointing.checkpointing.views import class_attributes, globals_reached

_MISSING = object()

_FAILURES = (RuntimeError, IndexError, ValueError, TypeError, AssertionError, AttributeError)
_OVER_ROWS: tuple[type, ...] = (
    _NormBase,
    norm.BatchNorm,
    norm.HeteroBatchNorm,
    norm.InstanceNorm,
    norm.GraphNorm,
    norm.GraphSizeNorm,
    norm.PairNorm,
    norm.MeanSubtractionNorm,
    norm.DiffGroupNorm,
)


_PADS = (aggr.LSTMAggregation, aggr.GRUAggregation, aggr.LCMAggregation, aggr.PatchTransformerAggregation)


def layer_refusal(conv: nn.Module) -> str | None:
    """The reason, found in the layer's code, why none of its calls can be cut; None if nothing rules it out."""
    if not isinstance(conv, MessagePassing):
        return "it is not a PyG MessagePassing layer"
    if _has_own_propagate(type(conv)):
        return "it has a propagate method of its own"
    if "_cut_layer" not in vars(conv) and sends_otherwise(conv):
        return "somebody has put another propagate or edge_updater on it"
    if isinstance(conv, MeshCNNConv):
        return "its messages read edges in groups of four, whatever their destinations"
    for name, part in parts_inside(conv):
        if isinstance(part, _PADS):
            return f"{name} ({type(part).__name__}) pads every node to the largest number of edges of the whole graph"
        if isinstance(part, _OVER_ROWS) or (isinstance(part, norm.LayerNorm) and part.mode == "graph"):
            return (
                f"{name} ({type(part).__name__}) inside its messages normalises over all edges, and blocks are a part"
            )
    return None


def _has_own_propagate(kind: type) -> bool:
    """Whether the class has a `propagate` that is neither PyG's own nor generated from PyG's template."""
    for parent in kind.__mro__:
        own = vars(parent).get("propagate")
        generated = own is vars(parent).get("_jinja_propagate") and own is not vars(parent).get("_orig_propagate")
        if own is not None and not generated:
            return own is not MessagePassing.propagate and parent is not MessagePassing
    return False


def trial_refusal(cut: CutCall, blocks: Sequence[EdgeBlock], leaves: bool) -> str | None:
    """The reason why this call must not be cut, found by computing a block and its halves; None if both agree.

    With `leaves`, messages may set tensors as attributes of their layer: a later read of such an attribute is refused.
    """
    state = Recomputation(cut.conv, device=cut.edges.pointer.device)
    try:
        # Own hooks, so that a checkpoint around this layer does not see what the trial saves. They detach: a saved
        # output that kept its graph would be a reference cycle that the garbage collector cannot find.
        with saved_tensors_hooks(Tensor.detach, Tensor.detach):
            return state.again(_compared, cut, leaves, state.generators, *blocks)  # type: ignore[no-any-return]
    except _FAILURES as error:
        first = (str(error).strip().splitlines() or [""])[0][:160]
        return f"its messages cannot be computed for some destinations alone ({type(error).__name__}: {first})"


def _compared(
    cut: CutCall, leaves: bool, generators: Sequence[Own], block: EdgeBlock, *halves: EdgeBlock
) -> str | None:
    conv, dim = cut.conv, cut.conv.node_dim
    # Equal messages share a gradient as they are sorted: those of edges matter only if somebody asks for them.
    inputs = [
        t.detach().requires_grad_(
            t.is_floating_point() and (t.requires_grad or not counts_edges(conv, t, cut.edges.num_edges))
        )
        for t in cut.call.tensors
    ]
    cut = cut.on(inputs)

    def computed(
        part: EdgeBlock, cut: CutCall = cut, leaves: Leaves | None = None, one_source: bool = False
    ) -> tuple[Tensor, ...]:
        source, destination = cut.edges.ends(part)
        source = torch.full_like(source, int(cut.edges.source[0])) if one_source else source
        return stage(cut, part, (source, destination), leaves or Leaves())

    numbers = cut.on([varied(tensor) if tensor.is_floating_point() else tensor for tensor in inputs])
    before = RandomStates.now(cut.edges.pointer.device, generators)
    buffers = {name: buffer.clone() for name, buffer in conv.named_buffers() if not is_lazy(buffer)}
    parts = list(conv.modules())
    attributes = {name: (value, watched(value, parts)) for name, value in plain_attributes(conv)}
    kinds = {type(part) for part in parts}
    classes = [(kind, watched([*class_attributes(kind), *globals_reached(kind)], parts)) for kind in kinds]
    with torch.enable_grad():
        first = (torch.zeros(1, requires_grad=True) * 1).grad_fn  # None in inference mode, which records no graph
        given = _Copies()
        whole = computed(block, leaves=given)
        if any(versions_of(copied) != version for copied, version in given.copies):
            return "its messages write into an argument in place, and blocks would write into a copy of a part of it"
        now = dict(conv.named_buffers())
        changed = [f"buffer {name}" for name, buffer in buffers.items() if not torch.equal(now[name], buffer)]
        for name, value in plain_attributes(conv):
            # Other threads may set an attribute to None.
            passing = "." not in name and (value is None or (leaves and isinstance(value, Tensor | OfOneBlock)))
            earlier, is_changed = attributes.get(name, (_MISSING, bool))
            if (value is not earlier and not passing) or is_changed():
                changed.append(f"attribute {name}")
        changed += [f"class attributes or globals of {kind.__name__}" for kind, is_changed in classes if is_changed()]
        if changed:
            return f"its messages change the {changed[0]}, and blocks would change it once for each block"
        differ = "its messages depend on each other or on node numbers: two ways to cut the same edges differ"
        if before != RandomStates.now(before.device, generators):
            with random_restored(before):
                if not all(map(alike, whole, computed(block))):
                    return "its messages draw random numbers of which no generator can be set back"
            with torch.no_grad(), Undrawn(), suppress(*_FAILURES):  # in training mode, but not for what Python draws
                drawn, again, *others = (computed(part, numbers) for part in (block, block, *halves))
                pieces = [torch.cat(parts, dim) for parts in zip(*others, strict=True)]
                if all(map(alike, drawn, again)) and not all(map(alike, drawn, pieces)):
                    return differ
            conv.eval()  # dropout masks of two cuts differ; compare without them
            before, whole = RandomStates.now(before.device, generators), computed(block)
            if before != RandomStates.now(before.device, generators):
                differ = "its messages draw random numbers in evaluation mode, too, so that no two cuts can be compared"
        ways = [(whole, [computed(half) for half in halves])]
    # If all values are equal, or no two edges have the same source, a dependence between messages may stay hidden, and
    # no later graph is tried: repeat with varied values and with a single source.
    indices = cut.on([tensor if tensor.is_floating_point() else varied(tensor) for tensor in inputs])
    extremes = cut.on([halved(cut, tensor, halves[0]) for tensor in inputs])
    for other, one_source, kept in (
        (numbers, False, False),
        (indices, False, False),
        (extremes, False, False),
        (cut, True, False),
        (numbers, False, True),
    ):
        with torch.no_grad(), suppress(*_FAILURES), what_is_kept_varied(conv) if kept else nullcontext():
            first_out, *others = [computed(part, other, one_source=one_source) for part in (block, *halves)]
            ways.append((first_out, others))
    ending = next((one for one in cut.blocks if one.ends_empty), None)
    if ending is not None and not all(_has_rows(out, dim, ending) for out in computed(ending)):
        return "what it aggregates has no row for a last destination without edges, as of scatter without dim_size"
    for outs, parts_of_outs in ways:
        for out, *pieces in zip(outs, *parts_of_outs, strict=True):
            if not _has_rows(out, dim, block):
                return "what it aggregates has no row per destination"
            if not alike(out, torch.cat(pieces, dim)):
                return differ
    weights = used_among(conv.parameters(), cut.layer)
    known = {id(tensor) for tensor in (*inputs, *weights)}
    for node in _graph_of(whole, {weight.grad_fn for weight in conv.parameters()}):
        # An unknown leaf, or a node recorded before the trial began.
        if id(node.variable) not in known if hasattr(node, "variable") else node._sequence_nr() < first._sequence_nr():  # type: ignore[union-attr]
            return (
                "its messages read a tensor with a gradient that is neither an argument of propagate nor a weight that "
                "their code names"
            )
    learning = [tensor for tensor in (*inputs, *weights) if tensor.requires_grad]
    with torch.enable_grad(), suppress(*_FAILURES):  # messages that cannot be differentiated
        pieces = [torch.cat(parts, dim) for parts in zip(*ways[0][1], strict=True)]
        if not alike(slope(whole, learning), slope(pieces, learning)):
            return "the gradients of its messages depend on each other: two ways to cut the same edges differ"
    return None


def _has_rows(out: Tensor, dim: int, block: EdgeBlock) -> bool:
    return out.dim() >= -dim and out.size(dim) == block.num_nodes


class _Copies(Leaves):
    """Gives a block copies of all values except node maps, and records them to detect messages that write into them."""

    def __init__(self) -> None:
        super().__init__()
        self.copies: list[tuple[Tensor, list[int]]] = []

    def of(self, position: int, end: str, tensor: Tensor) -> Tensor:  # noqa: ARG002 - one signature for all
        """A recorded copy of `tensor`; a node map is returned as it is."""
        if end in ("i", "j"):
            return tensor
        self.copies.append((copied := tensor.clone(), versions_of(copied)))
        return copied


def whole_and_halves(cut: CutCall) -> tuple[EdgeBlock, EdgeBlock, EdgeBlock] | None:
    """The first block, enlarged until it has two nodes with edges, and its halves; None if only one node has edges."""
    starts = cut.edges.pointer.to(torch.int64).cpu()
    places = starts[1:][starts[1:] > starts[:-1]]  # where each node that has edges ends
    if places.numel() < 2:
        return None
    stop = max(int(places[1]), cut.blocks[0].stop)
    inside = places[places <= stop]
    half = int(inside[max(inside.numel() // 2 - 1, 0)])

    def first_node(edge: int) -> int:
        """The destination of the edge at this position."""
        return int(torch.searchsorted(starts, edge, right=True)) - 1

    last, middle = cut.edges.num_nodes if stop == cut.edges.num_edges else first_node(stop), first_node(half)
    return EdgeBlock(0, last, 0, stop), EdgeBlock(0, middle, 0, half), EdgeBlock(middle, last, half, stop)


def _graph_of(outs: tuple[Tensor, ...], known: set[Any]) -> Iterator[Any]:
    """Yield the nodes of the autograd graph behind `outs`, up to the `known` ones."""
    seen = set(known)
    waiting = [out.grad_fn for out in outs if out.grad_fn is not None]
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        yield node
        waiting.extend(following for following, _ in node.next_functions if following is not None)
