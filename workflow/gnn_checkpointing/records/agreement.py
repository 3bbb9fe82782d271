"""Does a process's high-water mark agree with the allocator's events? The tolerances, each with its reason."""

from collections.abc import Mapping

from gnn_checkpointing.records.measurements_table import Value, number

SORT_BYTES_PER_EDGE = 32
"""ATen sorts the indices of an index_add or scatter on CPU: keys, values and a copy of each, int64, taken from C++ past
PyTorch's allocator (`cpu_scatter_reduce_expanded_index`). Found by the high-water mark: 31.7 to 32.0 bytes an edge."""

HIGH_WATER_SHARE = 0.02
"""Pages, page tables of the C library's big blocks and what Python allocates meanwhile: at most 1 % where a peak was
over 100 MiB."""

HIGH_WATER_BYTES = 2 * 2**20
"""Blocks below the mapping threshold lie in a heap with holes, whose pages stay: up to 1.6 MiB, whatever the peak."""

LAYER_BYTES = 80 * 2**10
"""What each layer adds beside its tensors. Autograd's nodes take 15 to 17 KB of heap a layer (SAGE with LayerNorm: 50,
100 and 200 layers hold 51, 51 and 53 KB a layer in blocks below the mapping threshold, 36 KB of that tensors). A layer
that is computed again frees its small tensors between gradients that stay: 26 to 32 KB a layer of heap was free and
resident at that peak, less than its 36 KB of small tensors. Such a block has less than the threshold, 64 KiB."""


def high_water_agrees(high_water: float, activation_bytes: float, num_edges: float, num_layers: float) -> bool:
    """Whether the mark agrees; `num_edges` are those that the convolution reads, self-loops included."""
    allowed = HIGH_WATER_SHARE * activation_bytes + HIGH_WATER_BYTES
    above = allowed + SORT_BYTES_PER_EDGE * num_edges + LAYER_BYTES * num_layers
    return -allowed <= high_water - activation_bytes <= above


def high_water_verdict(row: Mapping[str, Value]) -> Value:
    """The recorded verdict; older ones know no bytes of a layer, and agree where these make up the difference."""
    recorded = row["high_water_agrees"]
    nodes, edges, layers = (number(row, name) or 0.0 for name in ("num_nodes", "num_edges", "num_layers"))
    high_water, peak = number(row, "high_water_bytes"), number(row, "activation_bytes")
    if recorded is not False or high_water is None or peak is None:
        return recorded
    without, having = (high_water_agrees(high_water, peak, edges + nodes, each) for each in (0, layers))
    return having and not without
