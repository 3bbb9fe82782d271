"""Tables of the graphs that a model's layers have seen: sorted edges, and other results that depend only on the graph.

Tables are made once per graph, shared by all layers, and freed with the tensor `edge_index` that they belong to. A
graph is recognised by its content: a tensor changed in any way, in place or through `.data`, is a new graph.
"""

import threading
import weakref
from collections.abc import Callable, Hashable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import _disable_current_modes
from torch.utils.weak import WeakIdKeyDictionary
from torch_geometric import EdgeIndex

from gnn_checkpointing.checkpointing.block_plan import SortedEdges, kernel_edges, sorted_edges

_ROW = 1024
_PART = 2**20
"""Number of indices that a GPU multiplies at a time: 8 MiB, negligible next to a graph of Reddit's size."""


@dataclass
class _Graph:
    """Digest of one `edge_index`, and the results made from it, with the versions of their tensors."""

    digest: Hashable
    alive: weakref.ref[Tensor]
    results: dict[Hashable, tuple[Any, list[int]]]
    own_version: int | None = None
    """Set for tensors that the tables made themselves, which are never written without a change of version."""


Seen = dict[int, tuple[Tensor, int]]
"""Tensors, by identity, with the versions at which their content was read."""


class GraphTables:
    """The tables of a model's graphs, safe to use from several threads."""

    def __init__(self) -> None:
        self._graphs: dict[int, _Graph] = {}
        self._results = WeakIdKeyDictionary()
        self._lock = threading.RLock()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Start with empty tables: they are made again for the graphs that the copy sees."""
        copied = memo[id(self)] = type(self)()
        return copied

    def __reduce__(self) -> tuple[type[Self], tuple[()]]:
        """Start with empty tables: a saved model does not carry its graphs."""
        return type(self), ()

    def sorted(
        self,
        edge_index: Tensor,
        num_sources: int,
        num_nodes: int,
        *,
        reverse: bool,
        kernels: bool = False,
        seen: Seen | None = None,
    ) -> SortedEdges:
        """The edges of `edge_index` `[2, num_edges]` sorted by destination, for blocks or for `kernels`.

        With `reverse`, messages flow from target to source.
        """

        def make() -> SortedEdges:
            with torch.no_grad():
                index = _plain(edge_index)
                index = index.clone() if index.is_inference() else index
                if kernels:
                    return kernel_edges(index.flip(0) if reverse else index, num_sources, num_nodes)
                ends = (index[1], index[0]) if reverse else (index[0], index[1])
                return sorted_edges(*ends, num_sources, num_nodes)

        made: SortedEdges = self.remembered(edge_index, (kernels, reverse, num_sources, num_nodes), make, seen)
        return made

    def ordered(
        self, edge_index: Tensor, edges: SortedEdges, weights: Tensor, seen: Seen | None = None
    ) -> tuple[Tensor, Tensor] | None:
        """Weights per edge in the order of `edges` and in order of source; None if the tables did not make the weights.

        In this order kernels read the weights from consecutive addresses.
        """
        if not self.made(weights) or weights.device.type != "cpu" or edges.order is None:
            return None
        orders = (edges.order, edges.by_source[2])

        def make() -> tuple[Any, ...]:
            # Keeps the objects whose ids are in the key: while they live, no other object has these ids.
            return weights, edges, *(weights.detach().index_select(0, order) for order in orders)

        *_, forward, backward = self.remembered(edge_index, ("weights", id(weights), id(edges)), make, seen)
        return forward, backward

    def keep(self, edge_index: Tensor, edges: SortedEdges) -> None:
        """Store `edges` as the sorted edges of an `edge_index` whose values cannot be read (fake tensors)."""
        with self._lock:
            self._graph(edge_index).results[False, False, edges.num_sources, edges.num_nodes] = (edges, [])

    def remembered(self, edge_index: Tensor, key: Hashable, make: Callable[[], Any], seen: Seen | None = None) -> Any:
        """The result of `make` for this graph and `key`, computed the first time only.

        A graph that one run of a layer has already `seen` is not read a second time.
        """
        fake = isinstance(edge_index, torch._subclasses.FakeTensor)
        # A checkpoint that counts the operators of each pass must not count those that run once per graph.
        with self._lock, nullcontext() if fake else _disable_current_modes():
            results = self._graph(edge_index, seen).results
            result, versions = results.get(key, (None, None))
            if versions is None or versions != _versions(result):
                with torch.inference_mode(False):
                    result = make()
                results[key] = (result, _versions(result))
                for made in pytree.tree_leaves(result):
                    if isinstance(made, Tensor) and made is not edge_index:
                        self._results[made] = True
                        if made.dim() == 2:
                            self._graph(made).own_version = made._version
            return result

    def all_sorted(self) -> list[SortedEdges]:
        """The sorted edges of every living graph."""
        with self._lock:
            made = [result for graph in self._graphs.values() for result, _ in graph.results.values()]
        return [result for result in made if isinstance(result, SortedEdges)]

    def tensors(self) -> Iterator[Tensor]:
        """Yield all tensors that the tables keep in memory."""
        for edges in self.all_sorted():
            yield from edges.tensors()
        with self._lock:
            made = pytree.tree_leaves([graph.results for graph in self._graphs.values()])
        yield from (part for part in made if isinstance(part, Tensor))

    def made(self, tensor: Tensor) -> bool:
        """Whether this very tensor is a result that the tables keep."""
        return tensor in self._results

    def _graph(self, edge_index: Tensor, seen: Seen | None = None) -> _Graph:
        """Entry of this graph: the existing one, else a new one, which shares the results of an equal graph's entry."""
        key = id(edge_index)
        known = self._graphs.get(key)
        if known is not None and known.alive() is not edge_index:
            known = None
        if known is not None and known.own_version is not None and known.own_version == edge_index._version:
            return known
        version = 0 if edge_index.is_inference() else edge_index._version
        if known is not None and seen and key in seen and seen[key][1] == version:
            return known
        digest = content_digest(edge_index)
        if seen is not None:
            seen[key] = (edge_index, version)
        if known is not None and known.digest == digest:
            return known
        same = (graph.results for graph in self._graphs.values() if graph.digest == digest)
        alive = weakref.ref(edge_index, lambda _: self._forget(key))
        self._graphs[key] = entry = _Graph(digest, alive, next(same, {}))
        return entry

    def _forget(self, key: int) -> None:
        with self._lock:
            self._graphs.pop(key, None)


def _plain(index: Tensor) -> Tensor:
    """The indices as a plain tensor outside the autograd graph, without the metadata of `EdgeIndex`."""
    return (index.as_tensor() if isinstance(index, EdgeIndex) else index).detach()


def _versions(result: Any) -> list[int]:
    """Version of each tensor of a result: a layer may change the tensors it receives."""
    return [part._version for part in pytree.tree_leaves(result) if isinstance(part, Tensor)]


def content_digest(index: Tensor) -> Hashable:
    """Hash that changes with any value of `index`, its shape and its device; its identity instead of absent values.

    The hash is a random linear form modulo 2^64, computed as a product of a matrix and two vectors. It reads the tensor
    once and allocates next to nothing, unlike a comparison with a copy.
    """
    if isinstance(index, torch._subclasses.FakeTensor) or index.device.type == "meta":
        return (index.device, tuple(index.shape), id(index))
    with torch.no_grad():
        flat = _plain(index).reshape(-1)
        if flat.device.type != "cpu":
            return index.device, tuple(index.shape), _in_parts(flat)
        flat = flat.to(torch.int64)
        rows = flat.numel() // _ROW
        body = torch.dot(torch.mv(flat[: rows * _ROW].view(rows, _ROW), _weights(_ROW, 2)), _weights(rows, 3))
        rest = torch.dot(flat[rows * _ROW :], _weights(flat.numel() - rows * _ROW, 4))
        return index.device, tuple(index.shape), int(body), int(rest)


def _in_parts(flat: Tensor) -> int:
    """Another linear form, for devices without integer matrix products; it leaves nothing in their memory.

    Each round multiplies all rows by the same random numbers and adds them up, until one number is left.
    """
    level = 0
    while flat.numel() > 1:
        level += 1
        weights = _weights(_ROW, level).to(flat.device)
        flat = torch.cat([(_rows(part) * weights).sum(1) for part in torch.split(flat, _PART)])
    return int(flat.sum())


def _rows(flat: Tensor) -> Tensor:
    """The numbers in rows of `_ROW`, the last one filled up with zeros."""
    missing = -flat.numel() % _ROW
    return (nn.functional.pad(flat, (0, missing)) if missing else flat).reshape(-1, _ROW)


_WEIGHTS: dict[int, Tensor] = {}


def _weights(count: int, seed: int) -> Tensor:
    """Odd random numbers, int64 `[count]`; the same for the same seed."""
    if seed not in _WEIGHTS or _WEIGHTS[seed].numel() < count:
        generator = torch.Generator("cpu").manual_seed(seed)
        with torch.inference_mode(False):
            size = max(count, _ROW)
            _WEIGHTS[seed] = torch.randint(-(2**62), 2**62, (size,), generator=generator, device="cpu") * 2 + 1
    return _WEIGHTS[seed][:count]
