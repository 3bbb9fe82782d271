"""Executors that compute cut calls by kernels, in both passes: attention, and reductions of neighbours' rows.

Edge features are mapped block by block, so that mapped features are never stored for all edges.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from gnn_checkpointing.checkpointing.block_plan import SortedEdges
from gnn_checkpointing.checkpointing.cut_call import CutCall, Outputs, Sums
from gnn_checkpointing.checkpointing.kernels import attention, rows

Places = Tensor | slice


@dataclass(frozen=True)
class EdgeFeatures:
    """Edge features, by their position in the call, and the layer's map for a block of them."""

    position: int
    map: Callable[[Tensor], Tensor]

    def of(self, cut: CutCall, places: Places) -> Tensor:
        """Map the features of the edges at `places`."""
        return self.map(cut.call.tensors[self.position][places])


class Masked(TorchFunctionMode):
    """Multiplies by these factors instead of dropping at random."""

    def __init__(self, factors: Tensor) -> None:
        super().__init__()
        self._factors = factors

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run a function of torch, or replace it."""
        return args[0] * self._factors if function is torch.nn.functional.dropout else function(*args, **(kwargs or {}))


@dataclass(frozen=True)
class AttentionKernel:
    """Attention over incoming edges; `keys`, `queries`, `values`: positions in the call, `vector`: a weight's name."""

    conv: Any
    kind: attention.Kind
    keys: int
    queries: int
    values: int | None
    vector: str | None
    edges: EdgeFeatures | None
    draws = False

    def reads(self, wanted: Sequence[bool]) -> frozenset[int]:
        """All positions, since scores are recomputed."""
        return frozenset(range(len(wanted)))

    def forward(self, cut: CutCall) -> tuple[Outputs, Outputs]:
        """Compute the aggregates `[num_nodes, heads, channels]`; keep the scores' shifts and the seed of the masks."""
        with torch.device("cpu"):
            seed = torch.randint(2**62, (1,)) if self._dropout() else torch.zeros(1, dtype=torch.int64)
        outs = []
        for part, nodes, places in _parts(cut, self.edges):
            edge = None if self.edges is None else self.edges.of(cut, places)
            inputs, options = self._inputs(cut, nodes, edge), self._options(seed, nodes)
            outs.append(attention.forward(self.kind, part, *inputs, **options))
        out, shifts = (torch.cat(parts) if len(outs) > 1 else parts[0] for parts in zip(*outs, strict=True))
        return (out,), (shifts, seed)

    def add_gradients(self, cut: CutCall, kept: Outputs, gradients: Sequence[Tensor | None], sums: Sums) -> None:
        """Add the gradients of keys, queries, values, edge features and weights."""
        (gradient,) = gradients
        if gradient is None:
            return
        for part, nodes, places in _parts(cut, self.edges):
            mapped = _Mapped(cut, self.edges, places)
            inputs, options = self._inputs(cut, nodes, mapped.values), self._options(kept[1], nodes)
            found = attention.backward(self.kind, part, gradient[nodes], kept[0][nodes], *inputs, **options)
            sums.add(self.keys, found.keys)
            sums.add(self.queries, found.queries, nodes)
            if self.values is not None:
                sums.add(self.values, found.values)
            if self.vector is not None and found.attention is not None:
                vector = getattr(self.conv, self.vector)
                of_vector = found.attention.view_as(vector)
                sums.add_to_weights([of_vector if weight is vector else None for weight in sums.weights])
            mapped.add_gradients(found.edge, sums)

    def fits(self, tensors: Outputs, num_sources: int, num_nodes: int) -> bool:
        """Whether the call has a row for each source and each destination, as kernels read them."""
        summed = tensors[self.keys if self.values is None else self.values]
        return (
            tensors[self.keys].size(0) == summed.size(0) == num_sources and tensors[self.queries].size(0) == num_nodes
        )

    def masks(self, cut: CutCall, kept: Outputs) -> Tensor | None:
        """The factors `[num_edges, heads]` of dropout that `forward` has drawn, in the order of the sorted edges."""
        if not self._dropout():
            return None
        (shifts, seed), made = kept, []
        for part, nodes, _ in _parts(cut, self.edges):
            own = torch.arange(part.num_edges + 1, dtype=part.source.dtype, device=part.source.device)
            # An edge between two nodes that have no other has a share of 1, and a value of 1 becomes its factor.
            alone = SortedEdges(own[:-1], own, part.order, part.num_edges)
            scores = shifts.new_zeros(part.num_edges, shifts.size(1))
            ones, options = torch.ones_like(scores)[..., None], self._options(seed, nodes)
            made.append(attention.forward("gat", alone, scores, scores, ones, **options)[0])
        return torch.cat(made).squeeze(2)

    def _inputs(self, cut: CutCall, nodes: slice, edge: Tensor | None) -> list[Tensor | None]:
        tensors = cut.call.tensors
        values = None if self.values is None else tensors[self.values]
        vector = None if self.vector is None else getattr(self.conv, self.vector).detach().squeeze(0)
        return [tensors[self.keys], tensors[self.queries][nodes], values, vector, edge]

    def _options(self, seed: Tensor, nodes: slice) -> dict[str, Any]:
        # Each part numbers its edges from 0, so it needs its own seed to get masks that differ from other parts'.
        own = int(seed) + (nodes.start or 0)
        return {"negative_slope": getattr(self.conv, "negative_slope", 0.0), "dropout": self._dropout(), "seed": own}

    def _dropout(self) -> float:
        return float(self.conv.dropout) if self.conv.training else 0.0


@dataclass(frozen=True)
class RowsKernel:
    """Reduction of neighbours' rows, with optional weights per edge or added edge features."""

    rows: int
    weight: int | None
    reduce: Any
    edges: EdgeFeatures | None = None
    ordered: tuple[Tensor, Tensor] | None = None
    """The weights in the order of each pass (forward, backward), if the graph's tables keep them."""
    draws = False

    def reads(self, wanted: Sequence[bool]) -> frozenset[int]:
        """Only the weights for a sum or mean without edge features, if no gradient of weights is wanted; else all."""
        of_weight = self.weight is not None and wanted[self.weight]
        if of_weight or self.edges is not None or self.reduce not in ("sum", "mean"):
            return frozenset(range(len(wanted)))
        return frozenset() if self.weight is None else frozenset({self.weight})

    def fits(self, tensors: Outputs, num_sources: int, _: int) -> bool:
        """Whether the call has a row for each source."""
        return tensors[self.rows].size(0) == num_sources

    def forward(self, cut: CutCall) -> tuple[Outputs, Outputs]:
        """Compute the reduced rows `[num_nodes, channels]`; nothing is kept for the backward pass."""
        x, weight = self._given(cut)
        outs = []
        for part, _, places in _parts(cut, self.edges):
            edge = None if self.edges is None else self.edges.of(cut, places)
            given = weight if self.ordered is None else self.ordered[0]
            outs.append(rows.forward(part, x, given, edge, reduce=self.reduce, ordered=self.ordered is not None))
        return (torch.cat(outs) if len(outs) > 1 else outs[0],), ()

    def add_gradients(
        self,
        cut: CutCall,
        kept: Outputs,  # noqa: ARG002 - one signature for all executors
        gradients: Sequence[Tensor | None],
        sums: Sums,
    ) -> None:
        """Add the gradients of rows, weights per edge, edge features and the weights that map these."""
        (gradient,), (x, weight) = gradients, self._given(cut)
        of_weight = self.weight is not None and sums.wanted[self.weight]
        if gradient is None or not (sums.wanted[self.rows] or of_weight or self.edges is not None):
            return
        for part, nodes, places in _parts(cut, self.edges):
            mapped, ordered = _Mapped(cut, self.edges, places), self.ordered is not None
            given = weight if self.ordered is None else self.ordered[1]
            found = rows.backward(
                part, gradient[nodes], x, given, mapped.values, reduce=self.reduce, of_weight=of_weight, ordered=ordered
            )
            sums.add(self.rows, found.x)
            if self.weight is not None:
                sums.add(self.weight, found.weight)
            mapped.add_gradients(found.edge, sums)

    def _given(self, cut: CutCall) -> tuple[Tensor, Tensor | None]:
        return cut.call.tensors[self.rows], None if self.weight is None else cut.call.tensors[self.weight]


Kernel = AttentionKernel | RowsKernel
"""An executor that stores no messages."""


class _Mapped:
    """Mapped features of the edges at `places` (`values`), recorded by autograd; None if there are no features."""

    def __init__(self, cut: CutCall, edges: EdgeFeatures | None, places: Places) -> None:
        self._edges, self._places = edges, places
        self.values: Tensor | None = None
        if edges is not None:
            self._leaf = cut.call.tensors[edges.position][places].detach().requires_grad_()
            with torch.enable_grad():
                self._made = edges.map(self._leaf)
            self.values = self._made.detach()

    def add_gradients(self, of_mapped: Tensor | None, sums: Sums) -> None:
        """Add the gradients of the edge features and of the weights that map them, given that of mapped features."""
        if self._edges is not None:
            asked = [self._leaf, *sums.weights]
            of_leaf, *of_weights = torch.autograd.grad(self._made, asked, of_mapped, allow_unused=True)
            sums.add(self._edges.position, of_leaf, self._places)
            sums.add_to_weights(of_weights)


def _parts(cut: CutCall, edges: EdgeFeatures | None) -> Iterator[tuple[SortedEdges, slice, Places]]:
    """Yield parts of the graph (edges, destinations, positions of edges): blocks, or all of it without features."""
    whole = cut.edges
    if edges is None:
        yield whole, slice(None), slice(None)
        return
    for block in cut.blocks:
        part = SortedEdges(
            source=whole.source[block.start : block.stop],
            pointer=whole.pointer[block.first : block.last + 1] - block.start,
            order=torch.arange(block.num_edges, dtype=whole.source.dtype, device=whole.source.device),
            num_sources=whole.num_sources,
        )
        yield part, slice(block.first, block.last), whole.places(block)
