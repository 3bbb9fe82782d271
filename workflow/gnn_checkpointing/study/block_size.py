"""How many edges a block has by default: so many per node (`policy_names.EDGES_PER_NODE`), within bounds of a device.

`checkpointing/block_plan.py` asks the device for the bounds; the planner reads them from a report (torch-free).
"""

BYTES_PER_VALUE = 4
"""Of the float32 values of studies."""

SMALLEST_BYTES = 2**20
"""Smallest message tensor, in bytes, that is worth a block on the CPU."""


def block_edges(num_nodes: int, row: int, edges_per_node: int, smallest_bytes: int, largest_bytes: int) -> int:
    """Number of edges of a block with messages of `row` bytes: `edges_per_node` per node, within two bounds.

    Because the number is proportional to the nodes, one block's messages take as many bytes as the node maps of a few
    layers, so that neither dominates the peak. The bounds are bytes of all messages of a block. Below the lower one,
    the overhead of a block is noticeable; above the upper one, larger blocks only cost memory.
    """
    row = max(row, 1)
    return max(min(max(edges_per_node * num_nodes, smallest_bytes // row), largest_bytes // row), 1)


def cpu_bounds(cache_bytes: int | None) -> tuple[int, int]:
    """The two bounds for a processor with a last-level cache of that size (None if the system does not report it)."""
    return SMALLEST_BYTES, max(16 * 2**20 if cache_bytes is None else cache_bytes, 8 * 2**20)


def cuda_bounds(memory_bytes: int) -> tuple[int, int]:
    """The two bounds for a CUDA device with that memory, which needs more edges to be kept busy."""
    return 16 * 2**20, max(memory_bytes // 256, 32 * 2**20)
