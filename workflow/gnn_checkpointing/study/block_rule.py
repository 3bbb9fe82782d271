"""Default block size in edges, computed from nodes, channels and the machine's cache (torch-free).

The factor is `Policy.edges_per_node`; `checkpointing/block_plan.py:block_size` determines the bounds of the device.
"""

from gnn_checkpointing.study.policy_names import POLICIES

BYTES_PER_VALUE = 4

SMALLEST_BYTES = 2**20
"""Smallest message tensor, in bytes, that is worth a block on the CPU."""

EDGES_PER_NODE = {kind: row.edges_per_node for kind, row in POLICIES.items() if row.edges_per_node}
"""Edges per node by policy, chosen so that a block's tensors are about as large as the node maps of a few layers."""


def block_edges(num_nodes: int, channels: int, edges_per_node: int, smallest_bytes: int, largest_bytes: int) -> int:
    """Number of edges of a block: `edges_per_node` per node, within two bounds.

    Because the number is proportional to the nodes, one block's messages take as many bytes as the node maps of a few
    layers, so that neither dominates the peak. The bounds are bytes of one message tensor `[block edges, channels]`.
    Below the lower one, the overhead of a block is noticeable; above the upper one, larger blocks only cost memory.
    """
    row = BYTES_PER_VALUE * max(channels, 1)
    return max(min(max(edges_per_node * num_nodes, smallest_bytes // row), largest_bytes // row), 1)


def cpu_bounds(cache_bytes: int | None) -> tuple[int, int]:
    """The two bounds for a processor with a last-level cache of that size (None if the system does not report it)."""
    return SMALLEST_BYTES, max(16 * 2**20 if cache_bytes is None else cache_bytes, 8 * 2**20)


def cuda_bounds(memory_bytes: int) -> tuple[int, int]:
    """The two bounds for a CUDA device with that memory, which needs more edges to be kept busy."""
    return 16 * 2**20, max(memory_bytes // 256, 32 * 2**20)
