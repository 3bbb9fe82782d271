"""The table of a frontier study: one number of nodes, many policies, two allocators, two aggregations."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

from gnn_checkpointing.records.measurements_table import Value

from .changes import TIMES, emptied
from .graphs import Graph, generated_graphs
from .rows import Costs, Table
from .rows import row as row_of

# Policy: the share of none's bytes per node and per edge that it keeps, and how many times as long its step takes.
FRONTIER_SHARES = {
    "none": (1.0, 1.0, 1.0),
    "layers": (0.6, 0.25, 1.42),
    "segments(2)": (0.8, 0.55, 1.3),
    "segments(3)": (0.7, 0.4, 1.32),
    "selective": (0.9, 0.8, 1.15),
    "edge_blocks": (0.7, 0.002, 1.28),
    "layers+edge_blocks": (0.4, 0.002, 1.7),
    "compiled": (0.9, 0.56, 0.41),
    "memory_budget(0.5)": (0.5, 0.06, 0.3),
    "memory_budget(0)": (0.5, 0.061, 0.42),
    "compiled_edge_blocks": (0.5, 0.001, 0.4),
    "fused_edge_blocks": (0.45, 0.001, 0.29),
    "reversible": (0.3, 0.25, 1.6),
    "offloaded": (0.1, 0.1, 2.0),
}
FRONTIER_BYTES = {
    "GCN": (9_000.0, 500.0),
    "SAGE": (9_500.0, 260.0),
    "SAGE-max": (9_600.0, 900.0),
    "GIN": (12_000.0, 260.0),
    "GAT": (11_000.0, 2_500.0),
    "GATv2": (14_000.0, 7_500.0),
    "EdgeConv": (16_000.0, 5_200.0),
}
FRONTIER_DEGREES = (4.0, 8.0, 32.0, 128.0, 512.0)
ATTENTION = ("GAT", "GATv2")
NEEDS_CUDA = "offloaded needs a CUDA device, and this machine has none"
NEEDS_ATTENTION = "fused_edge_blocks is for attention convolutions"


def frontier_table(
    *,
    convolutions: Sequence[str] = ("GCN", "GATv2"),
    aggregations: Sequence[str] = ("gather_scatter", "spmm"),
    allocators: Sequence[str] = ("retaining", "default"),
    policies: Sequence[str] = tuple(FRONTIER_SHARES),
    degrees: Sequence[float] = FRONTIER_DEGREES,
    num_nodes: int = 2000,
    untimed: float | None = 512.0,
    noise: float = 0.02,
) -> Table:
    """Return a frontier study's table: one number of nodes, many policies, the level `untimed` without times.

    The noise of a row is drawn from its own name, so that another allocator in the table changes no other row.

    Under another allocator than retaining a step takes longer by 4 seconds a GiB of activations, all of it page
    faults. GCN as a sparse product keeps a tenth of the bytes per edge. `reversible` is another model, `offloaded`
    unavailable, `fused_edge_blocks` refused but for attention.
    """
    graphs = generated_graphs((num_nodes,), degrees, 1)
    cells = [
        (graph, convolution, aggregation, allocator)
        for graph in graphs
        for allocator in allocators
        for aggregation in aggregations
        for convolution in convolutions
        if aggregation == "gather_scatter" or convolution in ("GCN", "SAGE", "GIN")
    ]
    rows: Table = []
    for number, (graph, convolution, aggregation, allocator) in enumerate(cells):
        per_node, per_edge = FRONTIER_BYTES[convolution]
        per_edge *= 0.1 if aggregation == "spmm" else 1.0

        def activation(policy: str, graph: Graph = graph, node: float = per_node, edge: float = per_edge) -> float:
            shares = FRONTIER_SHARES[policy]
            return 5_000 + node * shares[0] * graph.num_nodes + edge * shares[1] * graph.num_edges

        cell = f"{graph.id}-{convolution}-{aggregation}-{allocator}"

        def seconds(policy: str, graph: Graph = graph, allocator: str = allocator, cell: str = cell) -> float:
            # Checkpointing costs a little less on denser graphs.
            own = FRONTIER_SHARES[policy][2] * (graph.requested or 1.0) ** (-0.02 if policy != "none" else 0)
            own_noise = np.random.default_rng(zlib.crc32(f"{cell}-{policy}".encode()))
            jitter = float(np.exp(noise * own_noise.standard_normal()))
            return (2e-6 * graph.num_edges + 2e-6 * graph.num_nodes) * own * jitter + faulting(policy, allocator)

        def faulting(policy: str, allocator: str) -> float:
            return 0.0 if allocator == "retaining" else 4 * activation(policy) / 2**30

        times = {policy: seconds(policy) for policy in policies}
        for policy in policies:
            costs = Costs(
                activation(policy), 0.7 * activation(policy), activation("none"), times[policy], times["none"]
            )
            row = row_of(number, graph, convolution, policy, costs)
            row |= {
                "cell": cell,
                "aggregation": aggregation,
                "allocator": allocator,
                "policy_resident_bytes": 12 * graph.num_edges if "edge_blocks" in policy else 0,
                "page_faults": 0.0 if allocator == "retaining" else activation(policy) // 4096,
                "system_time_seconds": faulting(policy, allocator),
                "involuntary_switches": float(number % 3),
                "sentinel_drift": 0.01 * (1 + number % 4),
            }
            if graph.requested == untimed:
                row |= dict.fromkeys(TIMES)
            rows.append(row | _refused(policy, convolution, row))
    return rows


def _refused(policy: str, convolution: str, row: dict[str, Value]) -> dict[str, Value]:
    """Return what a policy that is not run, or trains another model, leaves in its row."""
    if policy == "offloaded":
        return {**emptied(), "outcome": "unavailable", "message": NEEDS_CUDA}
    if policy == "fused_edge_blocks" and (convolution not in ATTENTION or row["aggregation"] == "spmm"):
        return {**emptied(), "outcome": "refused", "message": NEEDS_ATTENTION}
    if policy == "reversible":
        unknown = ("same_loss", "same_gradients", "same_buffers", "loss_error", "gradient_error", "buffer_error")
        return {"other_model": True, **dict.fromkeys(unknown)}
    return {}
