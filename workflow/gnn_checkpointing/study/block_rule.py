"""Default block size in edges: a rule of nodes, channels and the machine's cache (torch-free).

The factor is `Policy.edges_per_node`; `checkpointing/block_plan.py:block_size` asks the device for its bounds.
"""

from gnn_checkpointing.study.policy_names import POLICIES

BYTES_PER_VALUE = 4

SMALLEST_BYTES = 2**20
"""On CPU, the fewest bytes of a message tensor that are worth a block."""

EDGES_PER_NODE = {kind: row.edges_per_node for kind, row in POLICIES.items() if row.edges_per_node}
"""By policy. Chosen so that a block's tensors are about as large as the node maps of a few layers."""


def block_edges(num_nodes: int, channels: int, edges_per_node: int, smallest_bytes: int, largest_bytes: int) -> int:
    """How many edges a block should have: `edges_per_node` per node, within two bounds.

    Proportional to the nodes, one block's messages weigh as much as the node maps of a few layers, so that neither
    dominates the peak. Below the lower bound (bytes of one message tensor `[block edges, channels]`) what a block
    costs beside its arithmetic shows; above the upper one larger blocks cost memory and gain no time.
    """
    row = BYTES_PER_VALUE * max(channels, 1)
    return max(min(max(edges_per_node * num_nodes, smallest_bytes // row), largest_bytes // row), 1)


def cpu_bounds(cache_bytes: int | None) -> tuple[int, int]:
    """The two bounds for a processor with a last-level cache of that size; None where the system reports none."""
    return SMALLEST_BYTES, max(16 * 2**20 if cache_bytes is None else cache_bytes, 8 * 2**20)


def cuda_bounds(memory_bytes: int) -> tuple[int, int]:
    """The two bounds for a CUDA device with that memory: it takes more edges to keep it busy."""
    return 16 * 2**20, max(memory_bytes // 256, 32 * 2**20)
