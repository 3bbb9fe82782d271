"""Default block size in edges: a rule of nodes, channels and the machine's cache (torch-free)."""

from __future__ import annotations

from gnn_checkpointing.study.policy_names import POLICIES

BYTES_PER_VALUE = 4

SMALLEST_BYTES, LARGEST_BYTES = 2**20, 8 * 2**20
"""On CPU: of one message tensor, the least a block is worth, and the most without a cache that is larger."""

EDGES_PER_NODE = {kind: row.edges_per_node for kind, row in POLICIES.items() if row.edges_per_node}
"""By policy: as many as keep a block's tensors near the node maps of a few layers."""


def block_edges(num_nodes: int, channels: int, edges_per_node: int, smallest_bytes: int, largest_bytes: int) -> int:
    """How many edges a block should have: `edges_per_node` per node, within two bounds.

    Proportional to the nodes, one block's messages weigh as much as the node maps of a few layers, so that neither
    dominates the peak. Below the lower bound (bytes of one message tensor `[block edges, channels]`) what a block
    costs beside its arithmetic shows; above the upper one larger blocks cost memory and gain no time.
    """
    row = BYTES_PER_VALUE * max(channels, 1)
    return max(min(max(edges_per_node * num_nodes, smallest_bytes // row), largest_bytes // row), 1)


def cuda_bounds(memory_bytes: int) -> tuple[int, int]:
    """The same two bounds for a CUDA device of that memory: it takes more edges to keep it busy."""
    return 16 * 2**20, max(memory_bytes // 256, 32 * 2**20)
