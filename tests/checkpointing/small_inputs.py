"""Small graphs and features shared by the tests of every convolution and model."""

import torch
from torch import Tensor

NODES, DESTINATIONS, TYPES = 12, 7, 3
C, O, D = 8, 6, 3  # noqa: E741 - channels, classes and channels of edges, as PyG's own shapes are written


def drawn(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def different_edges(sources: int, destinations: int, count: int, seed: int) -> Tensor:
    """Distinct edges in random order; the last destination has none, and destination 0 has many."""
    places = torch.randperm(sources * (destinations - 1), generator=torch.Generator().manual_seed(seed))[:count]
    edges = torch.stack([places % sources, places // sources])
    crowd = torch.stack([torch.arange(sources), torch.zeros(sources, dtype=torch.long)])
    both = torch.cat([edges[:, edges[1] != 0], crowd], dim=1)
    return both[:, torch.randperm(both.shape[1], generator=torch.Generator().manual_seed(seed + 1))].contiguous()


X = drawn(NODES, C, seed=1)
X_START = drawn(NODES, C, seed=2)
EDGES = different_edges(NODES, NODES, 36, seed=3)
COUNT = EDGES.shape[1]
WEIGHT = drawn(COUNT, seed=4).abs() + 0.1
ATTRIBUTES = drawn(COUNT, D, seed=5)
WIDE_ATTRIBUTES = drawn(COUNT, C, seed=6)
PLACES = drawn(COUNT, 2, seed=7).sigmoid()
TYPE = torch.randint(0, TYPES, (COUNT,), generator=torch.Generator().manual_seed(8))
NODE_TYPE = torch.arange(NODES) % 2
POSITION = drawn(NODES, 3, seed=9)
NORMAL = torch.nn.functional.normalize(drawn(NODES, 3, seed=10), dim=1)
BATCH = torch.arange(NODES) // 6

PAIR = (X, drawn(DESTINATIONS, C, seed=11))
PAIR_POSITION = (POSITION, drawn(DESTINATIONS, 3, seed=12))
PAIR_NORMAL = (NORMAL, torch.nn.functional.normalize(drawn(DESTINATIONS, 3, seed=13), dim=1))
PAIR_EDGES = different_edges(NODES, DESTINATIONS, 24, seed=14)
PAIR_COUNT = PAIR_EDGES.shape[1]
PAIR_WEIGHT = drawn(PAIR_COUNT, seed=15).abs() + 0.1
PAIR_ATTRIBUTES = drawn(PAIR_COUNT, D, seed=16)
PAIR_WIDE_ATTRIBUTES = drawn(PAIR_COUNT, C, seed=17)
PAIR_PLACES = drawn(PAIR_COUNT, 2, seed=18).sigmoid()
PAIR_TYPE = torch.randint(0, TYPES, (PAIR_COUNT,), generator=torch.Generator().manual_seed(19))
SIZE = (NODES, DESTINATIONS)

HYPEREDGES = torch.stack([EDGES[0], EDGES[1] % 5])
MESH_EDGES = torch.stack(
    [torch.arange(NODES).repeat_interleave(4), (torch.arange(NODES * 4) * 5 + torch.arange(NODES * 4) // 4) % NODES]
)
"""Each edge of a mesh with its four neighbours, in the form that MeshCNN documents: `[0, a(0)], [0, b(0)], …`"""

FEATURES_BY_TYPE = {"paper": X, "author": drawn(DESTINATIONS, C, seed=20)}
EDGES_BY_TYPE = {
    ("paper", "cites", "paper"): EDGES,
    ("paper", "has", "author"): PAIR_EDGES,
    ("author", "writes", "paper"): PAIR_EDGES.flip(0).contiguous(),
}
METADATA = (list(FEATURES_BY_TYPE), list(EDGES_BY_TYPE))
DEGREES = torch.bincount(torch.bincount(EDGES[1], minlength=NODES))
