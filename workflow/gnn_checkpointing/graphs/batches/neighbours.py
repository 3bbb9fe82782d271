"""Batches of training nodes with drawn neighbours (GraphSAGE), through PyG's `NodeLoader`.

PyG's own `NeighborLoader` samples in C++ and needs pyg-lib, which has no wheel on the Python package index; this
sampler plugs into the same loader, and gives the same batch for the same seed on every machine.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch_geometric.data import Data
from torch_geometric.loader import NodeLoader
from torch_geometric.sampler import BaseSampler, EdgeSamplerInput, NodeSamplerInput, SamplerOutput


class NeighbourSampler(BaseSampler):  # type: ignore[misc]
    """Draws up to `fan_out` neighbours of each node, `hops` times outwards, without replacement.

    `edge_index` is sorted by destination; a node's neighbours are the sources of its edges. A node is expanded once,
    in the hop after it was first met, as PyG's `NeighborSampler` does.
    """

    def __init__(self, edge_index: NDArray[np.int64], num_nodes: int, fan_out: int, hops: int, rng: Generator) -> None:
        self.source = edge_index[0]
        self.degrees = np.bincount(edge_index[1], minlength=num_nodes)
        self.start = np.cumsum(self.degrees) - self.degrees
        self.fan_out, self.hops, self.rng = fan_out, hops, rng

    def sample_from_nodes(self, index: NodeSamplerInput, **kwargs: Any) -> SamplerOutput:  # noqa: ARG002 - PyG's form
        """Return the nodes, seeds first, and the drawn edges from neighbour to node, numbered within the batch."""
        seeds = index.node.numpy()
        place = np.full(self.degrees.size, -1, np.int64)
        place[seeds] = np.arange(seeds.size)
        nodes, edges, frontier = [seeds], [], seeds
        count = seeds.size
        for _ in range(self.hops):
            drawn = self._drawn(frontier)
            target, source = np.repeat(frontier, self._taken(frontier)), self.source[drawn]
            frontier = np.unique(source[place[source] < 0])
            place[frontier] = count + np.arange(frontier.size)
            count += frontier.size
            nodes.append(frontier)
            edges.append((drawn, place[source], place[target]))
        edge, row, column = (torch.from_numpy(np.concatenate(part)) for part in zip(*edges, strict=True))
        return SamplerOutput(
            node=torch.from_numpy(np.concatenate(nodes)),
            row=row,
            col=column,
            edge=edge,
            metadata=(index.input_id, index.time),
        )

    def sample_from_edges(self, index: EdgeSamplerInput, neg_sampling: Any = None) -> SamplerOutput:
        """What PyG's `BaseSampler` also asks for; the loader of nodes used here never calls it."""
        raise NotImplementedError("links are not sampled here")

    def _taken(self, nodes: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how many neighbours each node draws."""
        return np.minimum(self.degrees[nodes], self.fan_out)

    def _drawn(self, nodes: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the numbers of the drawn edges, node by node: the first few of each node's edges in random order."""
        degrees = self.degrees[nodes]
        owner = np.repeat(np.arange(nodes.size), degrees)
        first = np.cumsum(degrees) - degrees
        within = np.arange(owner.size) - first[owner]
        order = np.lexsort((self.rng.random(owner.size), owner))
        kept = order[within < self._taken(nodes)[owner]]
        edges: NDArray[np.int64] = self.start[nodes][owner[kept]] + within[kept]
        return edges


def neighbour_batch(
    data: Data, train_mask: NDArray[np.bool_], fan_out: int, hops: int, seed_nodes: int, rng: Generator
) -> Any:
    """Return the batch around `seed_nodes` randomly chosen training nodes (all, where there are no more)."""
    training = rng.permutation(np.flatnonzero(train_mask))[:seed_nodes]
    sampler = NeighbourSampler(data.edge_index.numpy(), data.num_nodes, fan_out, hops, rng)
    loader = NodeLoader(data, sampler, input_nodes=torch.from_numpy(training), batch_size=training.size)
    return next(iter(loader))
