"""The graph class of all generators and loaders, which checks its arrays, and the facts and structure of a graph."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import PCG64, Generator
from numpy.typing import NDArray

from gnn_checkpointing.graphs.pairs import Numbers, edge_keys, missing_reverses, positions
from gnn_checkpointing.records.graph_facts import Derivation, GraphFacts, Provenance, Structure
from gnn_checkpointing.refusal import Refusal

ARRAYS = {"edge_index": "<i8", "features": "<f4", "labels": "<i8", "train_mask": "|b1", "test_mask": "|b1"}
METADATA = ("id", "label", "family", "requested_average_degree", "replicate", "num_classes")
PAST = ("provenance", "derivation")
"""Metadata of loaded, graded and sampled graphs only; it does not affect the bytes of other graphs."""


@dataclass(frozen=True, eq=False)
class Graph:
    """A simple graph with features, labels and a split.

    `edge_index` is int64 `[2, num_edges]`, row 0 sources and row 1 destinations, sorted by destination then source;
    both directions of each edge, except in batches of sampled neighbours and in images, which have only one direction.
    `features` is float32 `[num_nodes, num_features]`; `labels` is int64 `[num_nodes]`, -1 for unlabelled nodes; the
    masks are bool `[num_nodes]` and contain labelled nodes only.
    """

    id: str
    label: str
    family: str
    edge_index: Numbers
    features: NDArray[np.float32]
    labels: Numbers
    train_mask: NDArray[np.bool_]
    test_mask: NDArray[np.bool_]
    num_classes: int
    requested_average_degree: float | None = None
    replicate: int = 0
    provenance: Provenance | None = None
    derivation: Derivation | None = None

    def __post_init__(self) -> None:
        """Refuse an invalid graph, naming its first fault."""
        complaint = self._wrong_arrays() or self._wrong_nodes() or self._wrong_edges()
        if complaint:
            raise Refusal(f"graph {self.id}: {complaint}")

    @property
    def num_nodes(self) -> int:
        """Number of nodes."""
        return int(self.labels.shape[0])

    @property
    def num_edges(self) -> int:
        """Number of directed edges: both directions of each undirected edge count."""
        return int(self.edge_index.shape[1])

    @property
    def num_features(self) -> int:
        """Number of features of a node."""
        return int(self.features.shape[1])

    @property
    def average_degree(self) -> float:
        """Directed edges per node."""
        return self.num_edges / self.num_nodes

    @property
    def density(self) -> float:
        """Share of the ordered pairs of distinct nodes that are edges."""
        return self.num_edges / (self.num_nodes * (self.num_nodes - 1))

    @property
    def metadata(self) -> dict[str, Any]:
        """All fields that are not arrays, by name, as JSON values."""
        past = {name: getattr(self, name) for name in PAST}
        return {name: getattr(self, name) for name in METADATA} | {
            name: record.model_dump(mode="json") for name, record in past.items() if record is not None
        }

    @property
    def is_drawn_batch(self) -> bool:
        """Whether this is a batch of sampled neighbours: edges in one direction, and test nodes only by chance."""
        return self.derivation is not None and self.derivation.method == "neighbours"

    @property
    def is_directed(self) -> bool:
        """Whether edges have one direction only: from sampled neighbours, or from a patch's nearest patches."""
        return self.is_drawn_batch or self.family == "images"

    @property
    def content_sha256(self) -> str:
        """SHA-256 over metadata and little-endian arrays, the same on any machine and in any file format."""
        total = hashlib.sha256(json.dumps(self.metadata, sort_keys=True, allow_nan=False).encode())
        for name, dtype in ARRAYS.items():
            array = np.ascontiguousarray(getattr(self, name), dtype=dtype)
            total.update(f"\n{name} {dtype} {array.shape}\n".encode())
            total.update(array.reshape(-1).view(np.uint8).data)
        return total.hexdigest()

    def _wrong_arrays(self) -> str:
        nodes = self.labels.size
        right = {
            "edge_index": self.edge_index.ndim == 2 and self.edge_index.shape[0] == 2,
            "features": self.features.ndim == 2 and self.features.shape[0] == nodes and self.features.shape[1] > 0,
            "labels": self.labels.ndim == 1,
            "train_mask": self.train_mask.shape == (nodes,),
            "test_mask": self.test_mask.shape == (nodes,),
        }
        for name, dtype in ARRAYS.items():
            array: NDArray[Any] = getattr(self, name)
            if array.dtype != np.dtype(dtype):
                return f"{name} is {array.dtype}, not {np.dtype(dtype).name}"
            if not right[name]:
                return f"{name} has the impossible shape {list(array.shape)} beside {nodes} labels"
        return ""

    def _wrong_nodes(self) -> str:
        if self.num_nodes < 2:
            return f"{self.num_nodes} nodes; at least 2 are needed"
        if not np.isfinite(self.features).all():
            return "features hold infinities or NaN; only finite numbers are allowed"
        low, high = int(self.labels.min()), int(self.labels.max())
        if low < -1 or high >= self.num_classes:
            return f"labels run from {low} to {high}; allowed: -1 (none) to num_classes - 1 = {self.num_classes - 1}"
        if (self.train_mask & self.test_mask).any():
            return "train_mask and test_mask share nodes"
        if (self.labels[self.train_mask | self.test_mask] < 0).any():
            return "train_mask or test_mask holds nodes without a label"
        if not self.train_mask.any() or not (self.test_mask.any() or self.is_drawn_batch):
            return "train_mask or test_mask is empty; at least two labelled nodes are needed"
        return ""

    def _wrong_edges(self) -> str:
        if self.num_edges == 0:
            return "no edges; a higher average degree is needed"
        if self.edge_index.min() < 0 or self.edge_index.max() >= self.num_nodes:
            return f"edge_index names nodes outside 0 to {self.num_nodes - 1}"
        if (self.edge_index[0] == self.edge_index[1]).any():
            return "edge_index holds self-loops"
        if (np.diff(edge_keys(self.edge_index, self.num_nodes)) <= 0).any():
            return "edge_index is not sorted by destination then source, or holds an edge twice"
        missing = 0 if self.is_directed else missing_reverses(self.edge_index, self.num_nodes)
        return f"{missing} edges have no reverse; both directions are needed" if missing else ""


def facts(graph: Graph) -> GraphFacts:
    """Facts of a graph for the record."""
    same = ("num_nodes", "num_edges", "num_features", "average_degree", "density", *METADATA, *PAST)
    return GraphFacts(
        sha256=graph.content_sha256,
        training_nodes=int(graph.train_mask.sum()),
        structure=structure(graph.edge_index, graph.labels),
        **{name: getattr(graph, name) for name in same},
    )


QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
WEDGES = 100_000


def structure(edge_index: Numbers, labels: Numbers) -> Structure:
    """Structure of sorted edges `[2, num_edges]` between nodes with `labels` (-1: unlabelled)."""
    degrees = np.bincount(edge_index[1], minlength=labels.size)
    ends = labels[edge_index]
    labelled = (ends >= 0).all(axis=0)
    equal = (ends[0] == ends[1]) & labelled
    return Structure(
        degree_quantiles=tuple(int(one) for one in np.quantile(degrees, QUANTILES, method="inverted_cdf")),
        maximum_degree=int(degrees.max()),
        isolated_nodes=int((degrees == 0).sum()),
        clustering=_sampled_clustering(edge_index, degrees),
        homophily=float(equal.sum() / labelled.sum()) if labelled.any() else None,
    )


def _sampled_clustering(edge_index: Numbers, degrees: Numbers) -> float:
    """Estimate the average local clustering coefficient from WEDGES random pairs of neighbours.

    A node with fewer than two neighbours counts as 0 (as in Watts and Strogatz, and networkx). Each draw takes a
    uniformly random node with at least two neighbours, then two of its neighbours: the standard error is at most
    0.5 / sqrt(WEDGES) = 0.0016. The same edges always give the same number.
    """
    nodes = np.flatnonzero(degrees >= 2)
    if not nodes.size:
        return 0.0
    rng = Generator(PCG64(0))
    centre = nodes[rng.integers(0, nodes.size, WEDGES)]
    first = rng.integers(0, degrees[centre])
    # Uniform over the other neighbours: positions from the first one on move up by one.
    second = rng.integers(0, degrees[centre] - 1)
    second += second >= first
    start = (np.cumsum(degrees) - degrees)[centre]
    pair = np.stack([edge_index[0, start + first], edge_index[0, start + second]])
    _, joined = positions(edge_keys(edge_index, degrees.size), edge_keys(pair, degrees.size))
    return float(joined.mean() * nodes.size / degrees.size)
