"""Mini-batches as separate graphs, made by PyG's loaders: sampled neighbours (GraphSAGE) or a cluster (Cluster-GCN).

PyG's own `NeighborLoader` and METIS need pyg-lib or torch-sparse, which have no wheels on the Python package index.
Instead, PyG's loaders use the sampler in this file and pymetis (the same METIS), which give the same batch for the
same seed on every machine.
"""

from itertools import islice
from typing import Any

import numpy as np
import pymetis
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor
from torch_geometric.data import Data
from torch_geometric.loader import ClusterData, ClusterLoader, NodeLoader
from torch_geometric.sampler import BaseSampler, EdgeSamplerInput, NodeSamplerInput, SamplerOutput

from gnn_checkpointing.graphs.graph import Graph
from gnn_checkpointing.graphs.pairs import Numbers, simple_edges
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.graph_design import DerivedGraph


def batch(spec: DerivedGraph, base: Graph, rng: Generator) -> dict[str, NDArray[Any]]:
    """Arrays of the batch that `spec` describes: its own nodes and edges, numbered within the batch.

    In a batch of sampled neighbours, the training nodes are the seeds, and edges lead from a sampled neighbour to the
    node it was drawn for. In a cluster, the training nodes are the graph's training nodes there.
    """
    arrays = {"x": base.features, "y": base.labels, "edge_index": base.edge_index}
    masks = {"trains": base.train_mask, "tests": base.test_mask}
    data = Data(**{name: torch.from_numpy(array) for name, array in (arrays | masks).items()})
    if spec.method == "neighbours":
        # Around `seed_nodes` randomly chosen training nodes, or all if there are fewer.
        training = rng.permutation(np.flatnonzero(base.train_mask))[: spec.seed_nodes]
        sampler = NeighbourSampler(base.edge_index, base.num_nodes, int(spec.size), spec.hops, rng)
        found = next(iter(NodeLoader(data, sampler, input_nodes=torch.from_numpy(training), batch_size=training.size)))
        seeds = np.arange(found.num_nodes) < found.batch_size
    else:
        if spec.size > base.num_nodes:
            raise Refusal(
                f"a graph of {base.num_nodes} nodes cannot be cut into {spec.size} clusters; lower batches.parts"
            )
        clusters = MetisClusters(data, int(spec.size), log=False)
        inside = clusters.membership == spec.draw
        needed = {
            "training node": base.train_mask[inside],
            "test node": base.test_mask[inside],
            "edge": inside[base.edge_index].all(axis=0),
        }
        if lacking := [name for name, there in needed.items() if not there.any()]:
            raise Refusal(f"cluster {spec.draw} of {spec.size} has no {lacking[0]}; lower batches.parts")
        found = next(islice(ClusterLoader(clusters, batch_size=1), spec.draw, None))
        seeds = found.trains.numpy()
    return {
        "edge_index": simple_edges(found.edge_index.numpy(), found.num_nodes),
        "features": np.ascontiguousarray(found.x.numpy()),
        "labels": found.y.numpy(),
        "train_mask": seeds,
        "test_mask": found.tests.numpy() & ~seeds,
    }


class MetisClusters(ClusterData):  # type: ignore[misc]
    """PyG's clusters, computed by pymetis; METIS uses a fixed seed, so the same graph gives the same clusters."""

    def _metis(self, edge_index: Tensor, num_nodes: int) -> Tensor:
        # Edges are sorted by destination and have both directions, so the sources list each node's neighbours in turn.
        degrees = np.bincount(edge_index[1].numpy(), minlength=num_nodes)
        adjacency = pymetis.CSRAdjacency(np.concatenate([[0], np.cumsum(degrees)]), edge_index[0].numpy())
        _, membership = pymetis.part_graph(self.num_parts, adjacency=adjacency)
        self.membership = np.asarray(membership, np.int64)
        return torch.from_numpy(self.membership)


class NeighbourSampler(BaseSampler):  # type: ignore[misc]
    """Draws up to `fan_out` neighbours of each node, `hops` times outwards, without replacement.

    `edge_index` is sorted by destination; a node's neighbours are the sources of its edges. A node is expanded once,
    in the hop after it was first met, as PyG's `NeighborSampler` does.
    """

    def __init__(self, edge_index: Numbers, num_nodes: int, fan_out: int, hops: int, rng: Generator) -> None:
        self.source = edge_index[0]
        self.degrees = np.bincount(edge_index[1], minlength=num_nodes)
        self.start = np.cumsum(self.degrees) - self.degrees
        self.fan_out, self.hops, self.rng = fan_out, hops, rng

    def sample_from_nodes(self, index: NodeSamplerInput, **kwargs: Any) -> SamplerOutput:  # noqa: ARG002 - PyG's form
        """Sample nodes, seeds first, and the drawn edges from neighbour to node, numbered within the batch."""
        seeds = index.node.numpy()
        place = np.full(self.degrees.size, -1, np.int64)
        place[seeds] = np.arange(seeds.size)
        nodes, edges, frontier = [seeds], [], seeds
        count = seeds.size
        for _ in range(self.hops):
            drawn, target = self._drawn(frontier)
            source = self.source[drawn]
            frontier = np.unique(source[place[source] < 0])
            place[frontier] = count + np.arange(frontier.size)
            count += frontier.size
            nodes.append(frontier)
            edges.append((drawn, place[source], place[target]))
        edge, row, column = (torch.from_numpy(np.concatenate(part)) for part in zip(*edges, strict=True))
        node = torch.from_numpy(np.concatenate(nodes))
        return SamplerOutput(node=node, row=row, col=column, edge=edge, metadata=(index.input_id, index.time))

    def sample_from_edges(self, index: EdgeSamplerInput, neg_sampling: Any = None) -> SamplerOutput:
        """Not implemented: required by PyG's `BaseSampler`, but never called by the node loader used here."""
        raise NotImplementedError("links are not sampled here")

    def _drawn(self, nodes: Numbers) -> tuple[Numbers, Numbers]:
        """Draw up to `fan_out` random edges of each node; returns their positions and the nodes they are drawn for."""
        degrees = self.degrees[nodes]
        owner = np.repeat(np.arange(nodes.size), degrees)
        within = np.arange(owner.size) - (np.cumsum(degrees) - degrees)[owner]
        order = np.lexsort((self.rng.random(owner.size), owner))
        kept = order[within < self.fan_out]
        return self.start[nodes][owner[kept]] + within[kept], nodes[owner[kept]]
